"""Channel: from one session to another, of the same project too (Hail's driver listens without a password)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.sites import Hostile

pytestmark = pytest.mark.docker

LISTEN = """
import subprocess
subprocess.Popen([sys.executable, '-c', "import socket, time; s = socket.create_server(('0.0.0.0', 5555)); time.sleep(60)"])
import time
while reach('127.0.0.1', 5555) != 'reached':
    time.sleep(0.05)
print(json.dumps('listening'))
"""


def test_another_session_of_the_same_project_is_out_of_reach(enter: Callable[..., Hostile]) -> None:
    """An open port in a colleague's session is reached from this machine (as the gateway does), not from the neighbour."""
    import socket

    bo, alma = enter("bo"), enter("alma")
    assert bo.run(LISTEN) == "listening"
    with socket.create_connection((bo.address, 5555), timeout=5):
        pass
    assert alma.reaches(bo.address, 5555) == "ECONNREFUSED"
    assert alma.reaches(bo.address, 5555, "udp") == "EHOSTUNREACH"
    # By the other bridge's own address there is the gateway's port, and nothing else.
    assert alma.reaches(bo.gateway, 5555) == "ECONNREFUSED"
