"""Which session a request belongs to, and that a paused one has no route."""

from __future__ import annotations

import asyncio
import threading

import pytest

from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database
from ngc_workbench.errors import Unavailable
from ngc_workbench.gateway.paused import Paused
from ngc_workbench.gateway.routes import Route, Routes
from ngc_workbench.model import Session, utcnow
from ngc_workbench.policy.meter import HOUR, Pause
from ngc_workbench.sessions import pause
from ngc_workbench.settings import Settings
from tests.gateway.conftest import PREFIX, add_session

HELD = Pause(HOUR, utcnow(), "", 2_000_000, 1_000_000)


async def found(routes: Routes) -> Route:
    route = await routes.by_path(f"{PREFIX}lab")
    assert route is not None
    return route


async def test_a_dropped_session_has_no_route_from_the_same_moment_on(settings: Settings, database: Database) -> None:
    """By path, by source and for what is open already: without waiting for the copy in memory to grow old."""
    add_session(database, 9999)
    routes = Routes(settings, database, lifetime=3600)
    route = await found(routes)
    assert routes.open(route)
    assert await routes.live(route)
    routes.drop("s1", HELD)
    assert not routes.open(route)
    assert not await routes.live(route)
    assert await routes.by_source("127.0.0.1") is None
    with pytest.raises(Paused, match="2 MB of 1 MB"):
        await routes.by_path(f"{PREFIX}lab")


async def test_a_reading_that_began_before_the_pause_does_not_bring_the_route_back(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it saw is older than the pause."""
    add_session(database, 9999)
    routes = Routes(settings, database, lifetime=0.0)
    route = await found(routes)
    going, go_on, read = threading.Event(), threading.Event(), routes._read

    def slow() -> object:
        seen = read()
        going.set()
        assert go_on.wait(10)
        return seen

    monkeypatch.setattr(routes, "_read", slow)
    asked = asyncio.create_task(routes.by_path(PREFIX))
    await asyncio.to_thread(going.wait, 10)
    routes.drop("s1", HELD)
    go_on.set()
    with pytest.raises(Paused):
        await asked
    assert not routes.open(route)
    # A reading that began after it is believed: here the session runs, as after a release.
    assert await routes.by_path(PREFIX) == route


async def test_another_gateways_pause_is_followed_by_the_next_reading(
    settings: Settings, database: Database, log: AuditLog
) -> None:
    """And so is a release; a stopped session that is still held is simply not there."""
    add_session(database, 9999)
    routes = Routes(settings, database, lifetime=0.0)
    route = await found(routes)
    with database.writing() as db:
        pause.pause(db, log, session="s1", actor="signe", reason="a look at what runs there")
    with pytest.raises(Paused) as refused:
        await routes.by_path(f"{PREFIX}api")
    assert refused.value.reason == "session.paused"
    assert "a look at" not in str(refused.value) + refused.value.danish
    assert not await routes.live(route)
    assert await routes.by_source("127.0.0.1") is None
    with database.writing() as db:
        pause.release(db, log, session="s1", actor="signe", reason="all of it was a plot")
    assert await found(routes) == route
    with database.writing() as db:
        pause.pause(db, log, session="s1", actor="signe", reason="a look at what runs there")
        db.get_one(Session, "s1").state = "stopped"
    assert await routes.by_path(PREFIX) is None


@pytest.mark.parametrize("fault", [Unavailable("The database does not answer."), RuntimeError("a mistake of ours")])
async def test_while_the_table_can_not_be_read_nothing_is_open(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    """An old copy might name a session that was stopped for a reason; once it answers again, so does the route."""
    add_session(database, 9999)
    routes = Routes(settings, database, lifetime=0.04)
    route = await found(routes)
    following = asyncio.create_task(routes.follow())

    def broken() -> object:
        raise fault

    with monkeypatch.context() as patched:
        patched.setattr(routes, "_read", broken)
        await asyncio.sleep(0.2)
        assert not routes.open(route)
        assert not following.done()
    await asyncio.sleep(0.2)
    assert routes.open(route)
    following.cancel()
