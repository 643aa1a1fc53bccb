"""A whole gateway whose session shows too much: paused at once, told why, and open again after a release."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from ngc_workbench.gateway import service
from ngc_workbench.gateway.routes import Routes
from ngc_workbench.gateway.service import running
from ngc_workbench.model import Project, Session
from ngc_workbench.sessions import pause
from tests.gateway.conftest import PREFIX, Door, Upstream, free_ports

SHOWN = b'["' + b"x" * 600_000 + b'"]'
PAGE = {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Mode": "navigate"}


@pytest.fixture
async def narrow(door: Door, container: Upstream) -> AsyncIterator[Door]:
    """A project that may be shown a megabyte an hour, and a session that answers with much."""

    async def much(_request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=SHOWN, content_type="application/json")

    container.handler = much
    with door.database.writing() as db:
        db.get_one(Project, "heart").limits = {"meter_hour_mb": 1}
    return door


async def until_paused(door: Door) -> None:
    for _ in range(100):
        with door.database.reading() as db:
            if db.get_one(Session, "s1").state == "paused":
                return
        await asyncio.sleep(0.05)
    raise AssertionError("the session was not paused")


async def test_above_the_threshold_nothing_more_is_passed_on(narrow: Door, container: Upstream) -> None:
    """The next request reaches no container; it is answered with the numbers, and a release opens the way again."""
    for _ in range(2):
        answer, body = await narrow.ask("api/kernels")
        assert (answer.status, body) == (200, SHOWN)
    await until_paused(narrow)
    asked = len(container.asked)
    answer, body = await narrow.ask("api/kernels")
    assert answer.status == 403
    assert b"1.2 MB of 1 MB" in body
    assert b'"reason": "session.paused"' in body
    answer, page = await narrow.ask("lab", headers=PAGE)
    for part in (
        "has been paused since",
        "security officer was told",
        "Sessionen har været sat på pause",
        "1,2 MB mod 1 MB",
    ):
        assert part in page.decode(), part
    assert len(container.asked) == asked
    with narrow.database.writing() as db:
        pause.release(db, narrow.log, session="s1", actor="signe", reason="the figures were agreed with us")
    await asyncio.sleep(1.3)
    answer, body = await narrow.ask("api/kernels")
    assert (answer.status, body) == (200, SHOWN)
    with narrow.database.reading() as db:
        assert db.get_one(Session, "s1").state == "running"


async def test_the_gateway_that_paused_it_needs_no_reading_of_the_table(
    narrow: Door, container: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its routes are as it read them an hour ago, and still the next request is turned away."""
    monkeypatch.setattr(service, "Routes", functools.partial(Routes, lifetime=3600))
    ports = dict(zip(("gateway_port", "gateway_session_port"), free_ports(2), strict=True))
    other = narrow.settings.model_copy(update=ports)
    async with running(other, narrow.database, narrow.log):
        url = f"http://127.0.0.1:{other.gateway_port}{PREFIX}api/kernels"
        for expected in (200, 200, 403):
            async with narrow.client.get(url, headers={"Host": narrow.host}) as answer:
                assert answer.status == expected
                await answer.read()
            if expected == 200 and len(container.asked) == 2:
                await until_paused(narrow)
                await asyncio.sleep(0.1)
    assert len(container.asked) == 2


async def test_a_hub_that_starts_anew_keeps_the_server_of_a_paused_session(narrow: Door) -> None:
    """It asks through the gateway whether the server answers, and takes anything below 500 for a yes."""
    with narrow.database.writing() as db:
        pause.pause(db, narrow.log, session="s1", actor="signe", reason="a look at what runs there")
    await asyncio.sleep(1.3)
    probe = f"{narrow.browser}{PREFIX}api"
    async with narrow.client.get(probe) as answer:
        assert answer.status == 403
        assert (await answer.json())["reason"] == "session.paused"


async def test_another_gateway_follows_within_two_seconds_also_in_what_is_open(
    narrow: Door, container: Upstream
) -> None:
    """A long answer that was under way through the other one ends; no request is needed for it to notice."""
    ports = dict(zip(("gateway_port", "gateway_session_port"), free_ports(2), strict=True))
    other = narrow.settings.model_copy(update=ports)
    pieces = 0

    async def slowly(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal pieces
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        for _ in range(200):
            await response.write(b" " * 1000)
            pieces += 1
            await asyncio.sleep(0.05)
        return response

    container.handler = slowly
    async with running(other, narrow.database, narrow.log):
        url = f"http://127.0.0.1:{other.gateway_port}{PREFIX}api/kernels"
        async with narrow.client.get(url, headers={"Host": narrow.host}) as answer:
            assert answer.status == 200
            await answer.content.readany()
            with narrow.database.writing() as db:
                pause.pause(db, narrow.log, session="s1", actor="signe", reason="a look at what runs there")
            before = pieces
            with pytest.raises(aiohttp.ClientError):
                await answer.content.read()
    assert pieces - before < 60


@pytest.mark.parametrize("begun", [False, True])
async def test_a_request_that_a_frozen_container_leaves_unanswered_ends_with_the_pause(
    door: Door, container: Upstream, begun: bool
) -> None:
    """It was passed on before the gateway knew; a container that stands still says nothing, also in the middle of an answer."""
    waiting = asyncio.Event()

    async def stand_still(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        if begun:
            await response.prepare(request)
            await response.write(b"[1,")
        waiting.set()
        await asyncio.sleep(60)
        return response

    container.handler = stand_still
    asked = asyncio.create_task(door.ask("api/kernels"))
    await asyncio.wait_for(waiting.wait(), 10)
    with door.database.writing() as db:
        pause.pause(db, door.log, session="s1", actor="signe", reason="a look at what runs there")
    async with asyncio.timeout(10):
        if begun:
            with pytest.raises(aiohttp.ClientError):
                await asked
        else:
            answer, body = await asked
            assert (answer.status, b'"reason": "session.paused"' in body) == (403, True)
