"""Channel: questions to name servers, which carry data out in the names asked for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.sites import Hostile

pytestmark = pytest.mark.docker

ASK = """
import struct
question = struct.pack('>HHHHHH', 7, 0x0100, 1, 0, 0, 0) + b'\\x04leak\\x07invalid\\x00' + struct.pack('>HH', 1, 1)
def ask(server):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(3)
        try:
            s.connect((server, 53))
            s.send(question)
            return s.recv(512)[3] & 15
        except OSError as error:
            return errno.errorcode.get(error.errno, type(error).__name__)
"""


def test_no_name_is_resolved(enter: Callable[..., Hostile]) -> None:
    """The system's resolver has nobody to ask."""
    code = "\ntry:\n    socket.getaddrinfo('leak.invalid', 80); print(json.dumps('resolved'))\nexcept OSError as e:\n    print(json.dumps('no'))"
    assert enter().run(code) == "no"


def test_docker_resolver_passes_no_question_on(enter: Callable[..., Hostile]) -> None:
    """Docker's resolver at 127.0.0.11 answers 'server failure' (2) or nothing: a question that was passed on would get 'no such name' (3)."""
    answer = enter().run(ASK + "print(json.dumps(ask('127.0.0.11')))")
    assert answer in (2, "ECONNREFUSED", "TimeoutError")


def test_the_host_answers_no_question(enter: Callable[..., Hostile]) -> None:
    """Port 53 of this machine is refused."""
    hostile = enter()
    assert hostile.run(ASK + f"print(json.dumps(ask({hostile.gateway!r})))") == "EHOSTUNREACH"
