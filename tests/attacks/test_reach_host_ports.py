"""Channel: TCP and UDP from a session to ports of the machine that it runs on."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest

from tests.sites import Hostile, events

pytestmark = pytest.mark.docker

EVERYWHERE = "0.0.0.0"  # noqa: S104  (the point: every address of this machine)


@pytest.fixture
def listener() -> Iterator[int]:
    """A port on every address of this machine, as a database or a shell might have."""
    with socket.create_server((EVERYWHERE, 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def gateway(request: pytest.FixtureRequest) -> Iterator[None]:
    """Something answers on the gateway's session port."""
    port = request.getfixturevalue("settings").gateway_session_port
    with socket.create_server((EVERYWHERE, port)) as server:
        # The kernel answers for a listening socket; nobody has to accept.
        server.listen(8)
        yield


def test_the_gateway_and_nothing_else_of_the_host_is_reached(
    enter: Callable[..., Hostile], listener: int, gateway: None
) -> None:
    """The gateway's session port answers; another port of the host does not, on any of its addresses."""
    hostile = enter()
    port = hostile.runtime.settings.gateway_session_port
    assert hostile.reaches(hostile.gateway, port) == "reached"
    assert hostile.reaches(hostile.gateway, listener) == "ECONNREFUSED"
    assert hostile.reaches("172.17.0.1", listener) == "ECONNREFUSED"
    assert hostile.reaches(hostile.gateway, 22) == "ECONNREFUSED"


def test_attempts_are_recorded(enter: Callable[..., Hostile], listener: int) -> None:
    """What a session tried is in the audit log, under its person, project and session."""
    from ngc_workbench.sessions import warden

    hostile = enter()
    hostile.reaches(hostile.gateway, listener)
    warden.note_refusals(hostile.runtime)
    found = [
        event
        for event in events(hostile.runtime, "network.refused")
        if event.subject == f"tcp {hostile.gateway}:{listener}"
    ]
    assert [(event.session, event.project, event.decision) for event in found] == [
        (hostile.begun.session, "heart", "deny")
    ]
    assert warden.note_refusals(hostile.runtime) == 0


def test_datagrams_do_not_reach_the_host(enter: Callable[..., Hostile]) -> None:
    """A datagram to the host never arrives."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((EVERYWHERE, 0))
        server.settimeout(0.2)
        hostile = enter()
        assert hostile.reaches(hostile.gateway, server.getsockname()[1], "udp") != "reached"
        with pytest.raises(TimeoutError):
            server.recv(16)
