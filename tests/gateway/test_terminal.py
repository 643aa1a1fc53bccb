"""Terminals through the gateway."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from ngc_workbench.errors import Unavailable
from ngc_workbench.gateway import websocket
from ngc_workbench.gateway.frames import V1, Message, encode
from ngc_workbench.gateway.record import Recorder
from ngc_workbench.gateway.terminal_flow import BURST
from ngc_workbench.gateway.terminal_messages import TYPED_LIMIT
from ngc_workbench.model import Session
from tests.gateway.conftest import PREFIX, Door, Upstream


class Shell:
    """A terminal behind a WebSocket: keeps what it gets, and says what a test tells it to."""

    def __init__(self, container: Upstream) -> None:
        self.got: asyncio.Queue[list[Any]] = asyncio.Queue()
        self.sockets: asyncio.Queue[web.WebSocketResponse] = asyncio.Queue()
        container.handler = self.handle

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Takes the connection, and keeps what comes."""
        socket = web.WebSocketResponse(compress=False, max_msg_size=0)
        await socket.prepare(request)
        await self.sockets.put(socket)
        async for message in socket:
            await self.got.put(json.loads(message.data))
        return socket

    async def heard(self) -> list[Any]:
        """The next message that reached the shell."""
        return await asyncio.wait_for(self.got.get(), 5)


@pytest.fixture
async def shell(container: Upstream) -> Shell:
    return Shell(container)


@contextlib.asynccontextmanager
async def opened(door: Door, name: str = "1", **headers: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    sent = {"Host": door.host, "Origin": f"http://{door.host}", **headers}
    url = f"{door.browser}{PREFIX}terminals/websocket/{name}"
    async with door.client.ws_connect(url, headers=sent, max_msg_size=0) as socket:
        yield socket


async def says(socket: aiohttp.ClientWebSocketResponse | web.WebSocketResponse, *message: Any) -> None:
    await socket.send_str(json.dumps(message))


async def shown(browser: aiohttp.ClientWebSocketResponse) -> list[Any]:
    message = await browser.receive(5)
    assert message.type is aiohttp.WSMsgType.TEXT, message
    found = json.loads(message.data)
    assert isinstance(found, list)
    return found


def joined(value: object) -> str:
    assert isinstance(value, list)
    return "".join(value)


async def test_a_line_is_typed_recorded_and_run(door: Door, shell: Shell) -> None:
    """Keys go to the shell as they come, the screen's text to the browser, and the line into the log with the terminal's name."""
    async with opened(door) as browser:
        socket = await shell.sockets.get()
        await says(socket, "setup", {})
        assert await shown(browser) == ["setup", {}]
        await says(browser, "set_size", 24, 80, 600, 900)
        assert await shell.heard() == ["set_size", 24, 80]
        for key in ("l", "x", "\x7f", "s"):
            await says(browser, "stdin", key)
            assert await shell.heard() == ["stdin", key]
        await says(browser, "stdin", "\r")
        assert await shell.heard() == ["stdin", "\r"]
        await says(socket, "stdout", "\x1b[01;34mhome\x1b[0m\r\n")
        assert await shown(browser) == ["stdout", "\x1b[01;34mhome\x1b[0m\r\n"]
        await says(socket, "disconnect", 1)
        assert await shown(browser) == ["disconnect", 1]
    [event] = await door.recorded("session.terminal")
    assert (event.actor, event.project, event.session) == ("alma", "heart", "s1")
    raw = b"lx\x7fs\r"
    assert event.details == {
        "terminal": "1", "typed": ["lx^?s^M"], "lines": ["ls"], "length": len(raw), "sha256": hashlib.sha256(raw).hexdigest(),
    }  # fmt: skip
    with door.database.reading() as db:
        assert db.get_one(Session, "s1").bytes_out > 60


async def test_a_line_reaches_the_shell_after_its_record_is_committed(
    door: Door, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the record waits, the end of the line waits too, with all that was sent in the same message."""
    asked, may = asyncio.Event(), asyncio.Event()
    cell = Recorder.cell

    async def slow(self: Recorder, *rest: Any) -> None:
        asked.set()
        await may.wait()
        await cell(self, *rest)

    monkeypatch.setattr(Recorder, "cell", slow)
    async with opened(door) as browser:
        await says(browser, "stdin", "id\rrest")
        await asyncio.wait_for(asked.wait(), 5)
        await asyncio.sleep(0.1)
        assert shell.got.empty()
        may.set()
        assert await shell.heard() == ["stdin", "id\rrest"]
    first, last = await door.recorded("session.terminal")
    assert joined(first.details["typed"]) == "id^M"
    assert joined(last.details["typed"]) == "rest"
    assert last.details["unfinished"] is True


async def test_a_line_that_cannot_be_recorded_is_not_run(
    door: Door, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a record nothing runs, and the person reads why; once it works again the record holds the whole line."""
    cell = Recorder.cell

    async def failing(*_: Any) -> None:
        raise Unavailable("The audit log can't be written.", "Tell the security officer.")

    async with opened(door) as browser:
        await says(browser, "stdin", "id")
        assert await shell.heard() == ["stdin", "id"]
        monkeypatch.setattr(Recorder, "cell", failing)
        await says(browser, "stdin", " -u\r")
        kind, text = await shown(browser)
        assert kind == "stdout"
        assert "could not be recorded" in text
        assert "security officer" in text
        monkeypatch.setattr(Recorder, "cell", cell)
        await says(browser, "stdin", "\r")
        assert await shell.heard() == ["stdin", "\r"]
    [event] = await door.recorded("session.terminal")
    assert joined(event.details["typed"]) == "id^M"
    assert [event.reason for event in await door.recorded()] == ["terminal.unrecorded"]


async def test_a_paste_of_many_lines_is_one_event(door: Door, shell: Shell) -> None:
    """All its lines, and the shell gets them together."""
    text = "".join(f"echo {number}\r" for number in range(100))
    async with opened(door) as browser:
        await says(browser, "stdin", f"\x1b[200~{text}\x1b[201~")
        assert await shell.heard() == ["stdin", f"\x1b[200~{text}\x1b[201~"]
        await says(browser, "stdin", "\r")
        await shell.heard()
    pasted, _ = await door.recorded("session.terminal")
    assert joined(pasted.details["lines"]).split("\n") == [f"echo {number}" for number in range(100)]


async def test_what_is_typed_without_an_end_is_recorded_when_the_terminal_closes(door: Door, shell: Shell) -> None:
    """Keys of a program that acts on each of them don't stay unrecorded."""
    async with opened(door) as browser:
        await says(browser, "stdin", ":wq")
        await shell.heard()
    [event] = await door.recorded("session.terminal")
    assert joined(event.details["typed"]) == ":wq"
    assert event.details["unfinished"] is True


async def test_a_paste_that_is_too_long_is_said_so_and_the_line_stays(door: Door, shell: Shell) -> None:
    """64 kB pass, more is refused with a word why; a paste beyond what is read at all ends the connection."""
    async with opened(door) as browser:
        await says(browser, "stdin", "x" * (TYPED_LIMIT - 20))
        assert len((await shell.heard())[1]) == TYPED_LIMIT - 20
        await says(browser, "stdin", "x" * TYPED_LIMIT)
        assert "64 kB may be pasted at once" in (await shown(browser))[1]
        await says(browser, "stdin", "y")
        assert await shell.heard() == ["stdin", "y"]
        await says(browser, "stdin", "x" * 20 * TYPED_LIMIT)
        assert (await browser.receive(5)).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
        assert browser.close_code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
    assert [event.reason for event in await door.recorded()] == ["terminal.typed_too_long", "message.unreadable"]


KERNELS = encode(Message("shell", {"msg_id": "1", "msg_type": "execute_request"}, {}, {}, {"code": "1"}), v1=True)
KERNELS_TEXT = encode(Message("iopub", {"msg_id": "1", "msg_type": "stream"}, {}, {}, {"text": "QUJD"}), v1=False)


async def test_other_protocols_and_garbage_stop_here(door: Door, shell: Shell) -> None:
    """A kernel's messages, bytes and broken ones pass in neither direction, are recorded, and the connection lives on."""
    async with opened(door) as browser:
        socket = await shell.sockets.get()
        for bad in (KERNELS, KERNELS_TEXT, b'["stdin", "id\\r"]', '["stdin"]', "{", '["stdout", "x"]', '["switch", 1]'):
            await (browser.send_str(bad) if isinstance(bad, str) else browser.send_bytes(bad))
            await (
                socket.send_str(bad) if isinstance(bad, str) else socket.send_bytes(bad)
            ) if bad != '["stdout", "x"]' else None
        await says(browser, "stdin", "ls")
        await says(socket, "stdin", "not mine to say")
        await says(socket, "stdout", "still here")
        assert await shell.heard() == ["stdin", "ls"]
        assert await shown(browser) == ["stdout", "still here"]
    events = await door.recorded()
    assert {event.reason for event in events} == {"terminal.typed_malformed", "terminal.shown_malformed"}
    assert sum(int(event.details["count"]) for event in events if event.reason == "terminal.typed_malformed") == 7  # type: ignore[arg-type]
    assert sum(int(event.details["count"]) for event in events if event.reason == "terminal.shown_malformed") == 7  # type: ignore[arg-type]


async def test_a_browser_that_offers_the_kernels_protocol_gets_a_terminals(door: Door, shell: Shell) -> None:
    """No other protocol is agreed on."""
    url = f"{door.browser}{PREFIX}terminals/websocket/1"
    sent = {"Host": door.host, "Origin": f"http://{door.host}"}
    async with door.client.ws_connect(url, headers=sent, protocols=[V1]) as browser:
        assert browser.protocol is None


async def test_the_clipboard_is_out_of_reach_across_messages(door: Door, shell: Shell) -> None:
    """A sequence cut into two messages is taken out as one, and recorded by its name."""
    async with opened(door) as browser:
        socket = await shell.sockets.get()
        await says(socket, "stdout", "before\x1b]52;c;QU")
        await says(socket, "stdout", "JD\x07")
        await says(socket, "stdout", "\x1b[6")
        await says(socket, "stdout", "nafter")
        assert [await shown(browser), await shown(browser)] == [["stdout", "before"], ["stdout", "after"]]
    [event] = await door.recorded()
    assert (event.reason, event.details["what"]) == ("terminal.sequence", "OSC 52")


async def test_a_flood_is_cut_and_its_end_is_said_and_recorded_once(door: Door, shell: Shell) -> None:
    """10 MB at once: a megabyte, a notice at once, and soon after the amount with the last lines."""
    piece = "x" * 9998 + "\r\n"
    async with opened(door) as browser:
        socket = await shell.sockets.get()
        for _ in range(1000):
            await says(socket, "stdout", piece)
        await says(socket, "stdout", "$ ")
        texts: list[str] = []
        while not texts or not texts[-1].endswith("$ "):
            texts.append((await shown(browser))[1])
        full = texts.count(piece)
        assert BURST // 10_000 - 3 <= full <= BURST // 10_000 + 100
        first, last = [text for text in texts if text != piece]
        assert "Output stops here" in first
        assert "of output were cut" in last
        await says(socket, "stdout", "and on")
        assert await shown(browser) == ["stdout", "and on"]
    [event] = await door.recorded()
    assert event.reason == "terminal.flood"
    lost = int(str(event.details["what"]).split()[0])
    assert lost >= (1000 - full) * 10_000


async def test_a_flood_that_never_ends_is_recorded_with_the_connections_end(door: Door, shell: Shell) -> None:
    """What was cut is known when the terminal closes."""
    async with opened(door) as browser:
        socket = await shell.sockets.get()
        await says(socket, "stdout", "x" * (BURST + 1))
        assert "Output stops here" in (await shown(browser))[1]
    [event] = await door.recorded()
    assert (event.reason, event.details["what"]) == ("terminal.flood", f"{BURST + 1} bytes of terminal 1")


async def test_a_terminal_begins_once_and_ends_once(door: Door, shell: Shell) -> None:
    """Messages without text are no way to send without being counted as a flood."""
    async with opened(door) as browser:
        socket = await shell.sockets.get()
        for _ in range(3):
            await says(socket, "setup", {})
        await says(socket, "disconnect", 1)
        await says(socket, "disconnect", 1)
        assert await shown(browser) == ["setup", {}]
        assert await shown(browser) == ["disconnect", 1]
        assert (await browser.receive(5)).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
    assert [event.reason for event in await door.recorded()] == ["terminal.shown_malformed"] * 2


@pytest.mark.parametrize("name", ["1", "a_1"])
async def test_terminals_start_and_stop(door: Door, container: Upstream, name: str) -> None:
    """The list, the start with name and folder, and the end; the container gets what was judged, the browser what was read."""
    model = {"name": name, "last_activity": "2026-11-25T12:00:00Z"}

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        container.bodies.append(await request.read())
        if request.method == "DELETE":
            return web.Response(status=204)
        return web.json_response([{**model, "data": "QUJD"}] if request.method == "GET" else {**model, "data": "QUJD"})

    container.handler = answer
    assert json.loads((await door.ask("api/terminals"))[1]) == [model]
    body = json.dumps({"name": name, "cwd": "home"}).encode()
    started, raw = await door.ask("api/terminals", "POST", {"Content-Type": "application/json"}, body)
    assert (started.status, json.loads(raw)) == (200, model)
    assert json.loads(container.bodies[-1]) == {"name": name, "cwd": "home"}
    ended, _ = await door.ask(f"api/terminals/{name}", "DELETE")
    assert ended.status == 204
    refused, raw = await door.ask(
        "api/terminals", "POST", {"Content-Type": "application/json"}, b'{"shell_command": ["id"]}'
    )
    assert (refused.status, json.loads(raw)["reason"]) == (403, "terminal.request")
    assert len(container.bodies) == 3
    assert [event.reason for event in await door.recorded()] == ["terminal.request"]


async def test_an_answer_about_terminals_that_is_none_is_refused(door: Door, container: Upstream) -> None:
    """JSON of any other shape would carry data out unread; an error's text passes bounded."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if request.method == "DELETE":
            return web.json_response({"message": "Terminal not found: 7", "data": "QUJD"}, status=404)
        return web.json_response({"rows": ["QUJD"]})

    container.handler = answer
    refused, raw = await door.ask("api/terminals")
    assert (refused.status, json.loads(raw)["reason"]) == (403, "answer.malformed")
    missing, raw = await door.ask("api/terminals/7", "DELETE")
    assert (missing.status, json.loads(raw)) == (404, {"message": "Terminal not found: 7"})


async def test_a_sixth_terminal_is_refused(door: Door, shell: Shell) -> None:
    """While five are open none can be started or connected; the refusal says what to do, and one that closes makes room."""
    async with contextlib.AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(opened(door, str(number))) for number in range(5)]
        refused, raw = await door.ask("api/terminals", "POST", {"Content-Type": "application/json"}, b"{}")
        assert (refused.status, json.loads(raw)["reason"]) == (403, "terminal.too_many")
        assert "Close one" in json.loads(raw)["message"]
        with pytest.raises(aiohttp.WSServerHandshakeError) as failed:
            async with opened(door, "6"):
                pass
        assert failed.value.status == 403
        await sockets[0].close()
        for _ in range(50):
            with contextlib.suppress(aiohttp.WSServerHandshakeError):
                async with opened(door, "6"):
                    break
            await asyncio.sleep(0.05)
        else:
            pytest.fail("a terminal that closed made no room")
    assert {event.reason for event in await door.recorded()} == {"terminal.too_many"}


async def test_a_terminal_that_the_session_turns_away_makes_room_again(door: Door, container: Upstream) -> None:
    """Failed connections aren't counted as open."""

    async def no(_request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=404)

    container.handler = no
    for number in range(8):
        with pytest.raises(aiohttp.WSServerHandshakeError) as failed:
            async with opened(door, str(number)):
                pass
        assert failed.value.status == 404


async def test_another_origin_gets_no_terminal(door: Door, shell: Shell) -> None:
    """A page of another origin, the portal's included, can't open one."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as failed:
        async with opened(door, Origin=f"http://portal--service.workbench.localhost:{door.settings.public_port}"):
            pass
    assert failed.value.status == 403
    assert [event.reason for event in await door.recorded()] == ["request.cross_origin"]


async def test_a_terminal_ends_with_the_session(door: Door, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session that may no longer run loses its terminals."""
    monkeypatch.setattr(websocket, "_STILL_LIVE", 0.2)
    async with opened(door) as browser:
        await shell.sockets.get()
        with door.database.writing() as db:
            db.get_one(Session, "s1").state = "stopped"
        ended = await browser.receive(5)
        assert ended.type == aiohttp.WSMsgType.CLOSE
        assert ended.data == aiohttp.WSCloseCode.POLICY_VIOLATION


async def test_a_shell_that_ends_ends_the_browsers_socket(door: Door, shell: Shell) -> None:
    """No half-open connection stays behind."""
    async with opened(door) as browser:
        await (await shell.sockets.get()).close()
        assert (await browser.receive(5)).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)


async def test_nothing_is_shown_once_the_gateway_knows_that_the_session_is_held(
    door: Door, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session that was paused or stopped shows no further message, before anybody looks whether it still runs."""
    monkeypatch.setattr(websocket, "_STILL_LIVE", 3600.0)
    async with opened(door) as browser:
        socket = await shell.sockets.get()
        with door.database.writing() as db:
            db.get_one(Session, "s1").state = "stopped"
        await asyncio.sleep(1.1)
        await door.ask("api")  # makes the gateway read its routes anew
        await says(socket, "stdout", "QUJD")
        assert (await browser.receive(5)).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
