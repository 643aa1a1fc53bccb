"""Channel: packets made by hand, other protocols, and addresses that are not the session's."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.sites import Hostile

pytestmark = pytest.mark.docker


@pytest.mark.parametrize(
    "kind", ["socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP", "socket.AF_PACKET, socket.SOCK_RAW"]
)
def test_no_raw_socket(enter: Callable[..., Hostile], kind: str) -> None:
    """No packet with a forged address leaves: raw sockets are refused."""
    assert enter().run(f"print(json.dumps(attempt(lambda: socket.socket({kind}))))") == "EPERM"


def test_no_echo_leaves(enter: Callable[..., Hostile]) -> None:
    """ICMP by the unprivileged way gets no answer from this machine."""
    hostile = enter()
    code = f"""
def ping():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP) as s:
        s.settimeout(2)
        s.connect(({hostile.gateway!r}, 0))
        s.send(b'\\x08\\x00\\x00\\x00\\x00\\x00\\x00\\x01leak')
        s.recv(64)
print(json.dumps(attempt(ping)))
"""
    assert hostile.run(code) != "done"


def test_the_address_can_not_be_changed(enter: Callable[..., Hostile]) -> None:
    """Neither an address nor a route is added: the gateway knows a session by its address."""
    code = """
import fcntl, struct
def change():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        request = struct.pack('16sH2s4s8s', b'eth0', socket.AF_INET, b'', socket.inet_aton('10.214.0.99'), b'')
        fcntl.ioctl(s, 0x8916, request)
print(json.dumps(attempt(change)))
"""
    assert enter().run(code) == "EPERM"
