"""The spawner under the hub: what the hub stores or a user sends changes nothing of a session."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from jupyterhub.spawner import SpawnException

from ngc_workbench.sessions import lifecycle
from ngc_workbench.sessions.runtime import Runtime
from ngc_workbench.sessions.spawner import NgcSpawner
from tests.sites import Site, row


@pytest.fixture
def spawner(paper: Runtime, site: Site, monkeypatch: pytest.MonkeyPatch) -> NgcSpawner:
    """A spawner as the hub makes one for alma's server `heart`; the container is not really made."""
    seen: dict[str, Any] = {}

    def launch(_runtime: Runtime, begun: lifecycle.Begun, environment: dict[str, str]) -> str:
        seen.update(begun=begun, environment=environment)
        return "a-container"

    monkeypatch.setattr(lifecycle, "launch", launch)
    made = NgcSpawner(runtime=paper, orm_spawner=SimpleNamespace(name="heart", server=None, state={}), hub=HUB)
    made.user = SimpleNamespace(name="alma", escaped_name="alma", url="/user/alma/")
    made._server = SimpleNamespace(base_url="/user/alma/heart/")
    monkeypatch.setattr(NgcSpawner, "server", property(lambda self: self._server))
    monkeypatch.setattr(NgcSpawner, "name", property(lambda self: self.orm_spawner.name))
    monkeypatch.setattr(
        NgcSpawner, "get_env", lambda self: {"JUPYTERHUB_API_URL": self.hub_connect_url, "NOTHING": None}
    )

    async def answers(_self: NgcSpawner, _url: str) -> None:
        return

    monkeypatch.setattr(NgcSpawner, "_answers", answers)
    made.seen = seen
    return made


ANSWERS = NgcSpawner._answers
HUB = SimpleNamespace(public_host="", base_url="/hub/", api_url="http://127.0.0.1:8081/hub/api")


async def test_the_hub_gets_the_gateway_address(spawner: NgcSpawner) -> None:
    """Not the container's: every request goes through the gateway. The container hears of its own gateway address alone."""
    assert await spawner.start() == "http://127.0.0.1:18002"
    gateway = spawner.seen["begun"].wanted.network.gateway
    assert spawner.seen["environment"] == {"JUPYTERHUB_API_URL": f"http://{gateway}:18003"}


async def test_options_and_configuration_change_nothing(spawner: NgcSpawner) -> None:
    """User options that are replayed, volumes, another image: none is read."""
    plain = NgcSpawner.image.default_value
    spawner.user_options = {"image": "evil", "volumes": {"/": "/host"}, "mounts": [{"source": "/", "target": "/host"}]}
    spawner.volumes = {"/": "/host"}
    spawner.extra_host_config = {"privileged": True}
    await spawner.start()
    wanted = spawner.seen["begun"].wanted
    assert wanted.image == spawner.runtime.settings.researcher_image
    assert [mount.target for mount in wanted.mounts] == ["/data/cohort/r1", "/project", "/home/researcher", "/outbox"]
    assert plain != "evil"


async def test_saved_state_changes_nothing_of_a_start(spawner: NgcSpawner) -> None:
    """State names a session to find again; a start makes a new one."""
    spawner.load_state({"object_id": "x", "object_name": "another", "session": "ffffffffffff", "mounts": ["/"]})
    await spawner.start()
    assert spawner.session != "ffffffffffff"
    assert spawner.get_state()["session"] == spawner.session


async def test_a_refusal_reads_as_the_policy_wrote_it(spawner: NgcSpawner) -> None:
    """403 with the reason in plain words; the server without a name is refused too."""
    spawner.orm_spawner.name = "brain"
    with pytest.raises(SpawnException, match="not a member") as raised:
        await spawner.start()
    assert (raised.value.status_code, raised.value.reason) == (403, "project.not_a_member")
    spawner.orm_spawner.name = ""
    with pytest.raises(SpawnException) as raised:
        await spawner.start()
    assert raised.value.reason == "session.no_project"


async def test_a_rename_is_refused(spawner: NgcSpawner) -> None:
    """The name is the project."""
    with pytest.raises(SpawnException, match="can't be renamed"):
        await spawner.rename("heart", "brain")


async def test_a_start_that_dies_leaves_nothing(spawner: NgcSpawner, monkeypatch: pytest.MonkeyPatch) -> None:
    """The container ended before it answered: the row is stopped, the person hears of it, the hub's spawner is clean."""
    monkeypatch.setattr(NgcSpawner, "_answers", ANSWERS)
    with pytest.raises(SpawnException, match="ended while it was starting"):
        await spawner.start()
    assert row(spawner.runtime, spawner.seen["begun"].session).stop_reason == "start.failed"
    assert await spawner.poll() == 0


async def test_a_stop_is_recorded(spawner: NgcSpawner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Recorded first, then removed; a second stop does nothing."""
    removed: list[str] = []
    monkeypatch.setattr(lifecycle, "remove", lambda _runtime, session, **_: removed.append(session))
    await spawner.start()
    session = spawner.session
    await spawner.stop()
    await spawner.stop()
    assert removed == [session]
    assert row(spawner.runtime, session).stop_reason == "stopped.by_hub"
