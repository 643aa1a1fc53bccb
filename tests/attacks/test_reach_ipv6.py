"""Channel: IPv6, which firewalls written for IPv4 forget."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sites import Hostile

pytestmark = pytest.mark.docker


def test_a_session_has_no_ipv6(enter: Callable[..., Hostile]) -> None:
    """No address but IPv4's, no route, and none can be made; this machine's own address on the bridge is out of reach."""
    hostile = enter()
    code = "print(json.dumps([open('/proc/net/if_inet6').read() if os.path.exists('/proc/net/if_inet6') else '', open('/proc/net/ipv6_route').read() if os.path.exists('/proc/net/ipv6_route') else '']))"
    addresses, _ = hostile.run(code)
    assert addresses.strip() == ""
    assert hostile.reaches("2001:db8::1", 80) in ("ENETUNREACH", "EADDRNOTAVAIL", "EAFNOSUPPORT")
    bridge = hostile.begun.wanted.network.bridge
    for line in Path("/proc/net/if_inet6").read_text().splitlines():
        digits, *_, device = line.split()
        if device == bridge:
            address = ":".join(digits[at : at + 4] for at in range(0, 32, 4))
            assert hostile.reaches(address, hostile.runtime.settings.gateway_session_port) != "reached"
