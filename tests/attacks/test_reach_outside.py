"""Channel: connections from a session to hosts beyond this machine, and to the addresses that clouds keep for metadata."""

from __future__ import annotations

from collections.abc import Callable

import docker
import pytest

from ngc_workbench.cli.demo.outside import OutsideHost
from ngc_workbench.sessions import warden
from tests.sites import Hostile, events

pytestmark = pytest.mark.docker


def test_an_outside_host_that_an_unprotected_container_reaches_is_out_of_reach(enter: Callable[..., Hostile]) -> None:
    """The same image reaches the host from Docker's default network, and not from a session; the attempt is recorded."""
    hostile = enter()
    settings = hostile.runtime.settings
    with OutsideHost(settings) as outside:
        code = (
            f"import urllib.request; print(urllib.request.urlopen({outside.url!r} + 'unprotected', timeout=5).status)"
        )
        plain = docker.from_env().containers.run(
            settings.researcher_image, ["/opt/workbench/bin/python", "-c", code], remove=True,
            name="ngc-test-unprotected", labels={"ngc-workbench": settings.instance},
        )  # fmt: skip
        assert plain.strip() == b"200"
        assert hostile.reaches(outside.address, 80) == "ECONNREFUSED"
        assert hostile.reaches(outside.address, 53, "udp") == "EHOSTUNREACH"
    assert len([line for line in outside.arrived if "/unprotected" in line]) == 1
    assert not [line for line in outside.arrived if line.startswith(hostile.address)]
    warden.note_refusals(hostile.runtime)
    assert f"tcp {outside.address}:80" in [event.subject for event in events(hostile.runtime, "network.refused")]


@pytest.mark.parametrize(("host", "port"), [("169.254.169.254", 80), ("169.254.170.2", 80), ("100.100.100.200", 80)])
def test_metadata_addresses_are_out_of_reach(enter: Callable[..., Hostile], host: str, port: int) -> None:
    """The packet ends at this machine's firewall, whatever routes the machine itself has."""
    assert enter().reaches(host, port) == "ECONNREFUSED"
