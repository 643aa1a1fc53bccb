"""Containers are as their rows say: frozen while paused, whatever was interrupted."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from docker.errors import APIError, NotFound

from ngc_workbench.sessions import freezer, lifecycle, pause, warden
from ngc_workbench.sessions.runtime import Runtime
from tests.sessions.test_pause import act, run
from tests.sites import Hostile, Site, row


class Killed(BaseException):
    """The warden is gone."""


class Engine:
    """Docker, as far as freezing goes; `fails` is what the next call of a name does instead."""

    def __init__(self) -> None:
        self.frozen: dict[str, bool] = {}
        self.fails: dict[str, BaseException] = {}
        self.calls: list[str] = []

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if name in self.fails:
            raise self.fails.pop(name)

    def inspect_container(self, container: str) -> dict[str, object]:
        """Its state."""
        self._call("inspect")
        if container not in self.frozen:
            raise NotFound("gone")
        return {"State": {"Running": True, "Paused": self.frozen[container]}}

    def pause(self, container: str) -> None:
        """As Docker: refuses what is frozen already."""
        self._call("pause")
        if self.frozen[container]:
            raise APIError("already paused")
        self.frozen[container] = True

    def unpause(self, container: str) -> None:
        """As Docker: refuses what runs."""
        self._call("unpause")
        if not self.frozen[container]:
            raise APIError("not paused")
        self.frozen[container] = False


@pytest.fixture
def iced(paper: Runtime, site: Site) -> tuple[Runtime, Engine, str]:
    """A running session and the Engine that has its container."""
    session = run(paper)
    engine = Engine()
    engine.frozen[row(paper, session).container] = False
    return replace(paper, docker=engine), engine, session


def is_frozen(runtime: Runtime, engine: Engine, session: str) -> bool:
    return engine.frozen[row(runtime, session).container]


def test_a_look_at_nothing_asks_docker_nothing(iced: tuple[Runtime, Engine, str]) -> None:
    """One query of the database, every second."""
    runtime, engine, _ = iced
    assert freezer.look(runtime) == []
    assert engine.calls == []


def test_a_paused_session_is_frozen_and_a_released_one_thawed(iced: tuple[Runtime, Engine, str]) -> None:
    """Once each; looks in between change nothing."""
    runtime, engine, session = iced
    act(runtime, pause.pause, session)
    assert freezer.look(runtime) == [(session, "frozen")]
    assert is_frozen(runtime, engine, session)
    assert freezer.look(runtime) == []
    act(runtime, pause.release, session)
    assert freezer.look(runtime) == [(session, "thawed")]
    assert not is_frozen(runtime, engine, session)
    assert not row(runtime, session).frozen
    engine.calls.clear()
    assert freezer.look(runtime) == []
    assert engine.calls == []


def test_a_container_that_somebody_thawed_is_frozen_again(iced: tuple[Runtime, Engine, str]) -> None:
    """The row counts, whatever was done to the container."""
    runtime, engine, session = iced
    act(runtime, pause.pause, session)
    freezer.look(runtime)
    engine.frozen[row(runtime, session).container] = False
    assert freezer.look(runtime) == [(session, "frozen")]


def test_a_container_that_was_frozen_by_other_hands_is_thawed_by_a_release(iced: tuple[Runtime, Engine, str]) -> None:
    """It gets its mark though there was nothing to freeze."""
    runtime, engine, session = iced
    engine.frozen[row(runtime, session).container] = True
    act(runtime, pause.pause, session)
    assert freezer.look(runtime) == []
    act(runtime, pause.release, session)
    assert freezer.look(runtime) == [(session, "thawed")]


@pytest.mark.parametrize("call", ["inspect", "pause", "unpause"])
@pytest.mark.parametrize("how", [Killed(), APIError("Docker is busy")])
@pytest.mark.parametrize("then", ["look", "turn"])
def test_whatever_is_interrupted_the_next_look_puts_right(
    iced: tuple[Runtime, Engine, str], call: str, how: BaseException, then: str
) -> None:
    """A kill or a failure at any call, and a pause or release that comes before the next look."""
    runtime, engine, session = iced
    act(runtime, pause.pause, session)
    if call == "unpause":
        freezer.look(runtime)
        act(runtime, pause.release, session)
    engine.fails[call] = how
    with contextlib.suppress(Killed):
        freezer.look(runtime)
    assert engine.fails == {}
    if then == "turn":
        act(runtime, pause.pause if row(runtime, session).state == "running" else pause.release, session)
    freezer.look(runtime)
    assert is_frozen(runtime, engine, session) is (row(runtime, session).state == "paused")
    # Nothing is left to be done again and again.
    assert row(runtime, session).frozen is (row(runtime, session).state == "paused")


def test_a_release_between_the_look_and_the_freezing_is_heeded(
    iced: tuple[Runtime, Engine, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mark is written only on a row that is still paused."""
    runtime, engine, session = iced
    act(runtime, pause.pause, session)
    mark = freezer._mark

    def late(*args: object, **kwargs: object) -> bool:
        act(runtime, pause.release, session)
        return mark(*args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(freezer, "_mark", late)
        assert freezer.look(runtime) == []
    assert not is_frozen(runtime, engine, session)
    assert not row(runtime, session).frozen


@pytest.mark.parametrize("fault", [NotFound("gone"), APIError("Docker is busy")])
def test_one_container_that_fails_holds_up_no_other(
    paper: Runtime, iced: tuple[Runtime, Engine, str], fault: BaseException
) -> None:
    """Gone, or failing: the rest is looked at all the same."""
    runtime, engine, first = iced
    second = run(paper, "bo")
    engine.frozen[row(runtime, second).container] = False
    for session in (first, second):
        act(runtime, pause.pause, session)
    engine.fails["inspect"] = fault
    assert len(freezer.look(runtime)) == 1
    assert len(freezer.look(runtime)) == 1
    assert is_frozen(runtime, engine, first)
    assert is_frozen(runtime, engine, second)


def test_the_watch_goes_on_after_whatever_happened(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that ended would leave paused sessions running, unseen."""
    monkeypatch.setattr(warden, "LOOK_S", 0.01)
    over, seen = threading.Event(), []
    faults = [APIError("x"), ValueError("a mistake of ours"), OSError("x"), None]

    def look() -> None:
        fault = faults[len(seen)]
        seen.append(fault)
        if fault is None:
            over.set()
            return
        raise fault

    thread = threading.Thread(target=warden.every_second, args=("test", look, over))
    thread.start()
    thread.join(10)
    assert len(seen) == 4


@pytest.mark.docker
def test_a_real_container_stands_still_and_is_taken_away_frozen(enter: Callable[..., Hostile]) -> None:
    """What runs in it stops ticking within two seconds, goes on after the release; policy's end removes it frozen."""
    hostile = enter()
    runtime, session = hostile.runtime, hostile.begun.session
    client, name = runtime.docker, hostile.begun.wanted.network.name
    code = "import time\nwhile True:\n    open('/tmp/tick', 'a').write('x')\n    time.sleep(0.05)\n"
    made = client.exec_create(name, ["/opt/workbench/bin/python", "-c", code])
    client.exec_start(made["Id"], detach=True)
    time.sleep(1)
    act(runtime, pause.pause, session)
    assert freezer.look(runtime) == [(session, "frozen")]
    assert client.inspect_container(name)["State"]["Paused"]
    assert client.inspect_container(name)["State"]["Running"]
    assert warden.bury(runtime, None) == []
    act(runtime, pause.release, session)
    assert freezer.look(runtime) == [(session, "thawed")]
    before = hostile.run("print(json.dumps(os.path.getsize('/tmp/tick')))")
    time.sleep(0.5)
    assert hostile.run("print(json.dumps(os.path.getsize('/tmp/tick')))") > before > 0
    act(runtime, pause.pause, session)
    freezer.look(runtime)
    lifecycle.finish(runtime, session, "test", actor="hub")
    lifecycle.remove(runtime, session, grace_s=1)
    assert client.containers(all=True, filters={"name": name}) == []
