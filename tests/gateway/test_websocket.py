"""Kernel channels through the gateway."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket as sockets
import struct
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from ngc_workbench.errors import Unavailable
from ngc_workbench.gateway import websocket
from ngc_workbench.gateway.cells import CELL_LIMIT, PRINT_LIMIT
from ngc_workbench.gateway.frames import V1, Message, decode, encode
from ngc_workbench.gateway.record import Recorder
from ngc_workbench.model import Session
from tests.gateway.conftest import KERNEL, PREFIX, Door, Upstream

Script = Callable[[web.WebSocketResponse], Any]


def request(kind: str, channel: str = "shell", **content: Any) -> Message:
    return Message(channel, {"msg_id": "1", "msg_type": kind, "session": "s"}, {}, {}, content)


def output(kind: str, channel: str = "iopub", **content: Any) -> Message:
    return Message(channel, {"msg_id": "9", "msg_type": kind}, {"msg_id": "1"}, {}, content)


class Kernel:
    """A kernel behind a WebSocket: keeps what it gets, and says what a test tells it to."""

    def __init__(self, container: Upstream) -> None:
        self.got: asyncio.Queue[str | bytes] = asyncio.Queue()
        self.socket: asyncio.Future[web.WebSocketResponse] = asyncio.get_running_loop().create_future()
        container.handler = self.handle

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Takes the connection, and keeps what comes."""
        socket = web.WebSocketResponse(protocols=[V1], compress=False, max_msg_size=0)
        await socket.prepare(request)
        self.socket.set_result(socket)
        async for message in socket:
            await self.got.put(message.data)
        return socket


@pytest.fixture
async def kernel(container: Upstream) -> Kernel:
    return Kernel(container)


@contextlib.asynccontextmanager
async def opened(door: Door, *, v1: bool = True, **headers: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    url = f"{door.browser}{PREFIX}api/kernels/{KERNEL}/channels?session_id=abc"
    sent = {"Host": door.host, "Origin": f"http://{door.host}", **headers}
    async with door.client.ws_connect(url, headers=sent, protocols=[V1] if v1 else [], max_msg_size=0) as socket:
        yield socket


async def say(socket: aiohttp.ClientWebSocketResponse | web.WebSocketResponse, data: str | bytes) -> None:
    await (socket.send_str(data) if isinstance(data, str) else socket.send_bytes(data))


@pytest.mark.parametrize("v1", [True, False])
async def test_a_cell_runs_and_its_output_shows(door: Door, kernel: Kernel, v1: bool) -> None:
    """In both protocols a request reaches the kernel byte for byte, its output the browser, and the cell the audit log."""
    asked = encode(request("execute_request", code="print(6*7)"), v1=v1)
    told = encode(output("stream", name="stdout", text="42\n"), v1=v1)
    async with opened(door, v1=v1) as browser:
        assert browser.protocol == (V1 if v1 else None)
        await say(browser, asked)
        assert await asyncio.wait_for(kernel.got.get(), 5) == asked
        await say(await kernel.socket, told)
        assert (await browser.receive(5)).data == told
    [event] = await door.recorded("session.cell")
    assert (event.actor, event.project, event.session) == ("alma", "heart", "s1")
    assert event.details["code"] == ["print(6*7)"]
    assert event.details["kernel"] == KERNEL
    with door.database.reading() as db:
        assert db.get_one(Session, "s1").bytes_out == len(told)


async def test_a_cell_that_cannot_be_recorded_is_not_run(
    door: Door, kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a record nothing runs, and the person reads why."""

    async def failing(*_: object) -> None:
        raise Unavailable("The audit log can't be written.", "Tell the security officer.")

    monkeypatch.setattr(Recorder, "cell", failing)
    async with opened(door) as browser:
        await say(browser, encode(request("execute_request", code="1"), v1=True))
        await say(browser, encode(request("complete_request", code="1"), v1=True))
        shown = decode((await browser.receive(5)).data, v1=True)
        assert "could not be recorded" in shown.body()["evalue"]
        first = decode(await asyncio.wait_for(kernel.got.get(), 5), v1=True)
        assert first.kind == "complete_request"


async def test_comms_and_garbage_stop_here(door: Door, kernel: Kernel) -> None:
    """Widgets, the debugger and broken messages pass in neither direction, and are recorded."""
    async with opened(door) as browser:
        await say(browser, encode(request("comm_open"), v1=True))
        await say(browser, b"\x00" * 50)
        await say(browser, "text in a binary protocol")
        await say(browser, encode(request("debug_request", "control", command="debugInfo"), v1=True))
        assert decode((await browser.receive(5)).data, v1=True).kind == "debug_reply"
        assert decode((await browser.receive(5)).data, v1=True).body() == {"execution_state": "idle"}
        await say(browser, encode(request("kernel_info_request"), v1=True))
        assert decode(await asyncio.wait_for(kernel.got.get(), 5), v1=True).kind == "kernel_info_request"
        socket = await kernel.socket
        await say(socket, b"\x06" + b"\x00" * 60)
        await say(socket, "hello")
        await say(socket, encode(output("comm_msg", data={"file": "QUJD"}), v1=True))
        await say(socket, encode(output("status", execution_state="idle"), v1=True))
        assert decode((await browser.receive(5)).data, v1=True).kind == "status"
    reasons = {event.reason for event in await door.recorded()}
    assert reasons == {
        "message.to_kernel_unlisted", "message.to_kernel_malformed", "message.to_browser_malformed", "message.to_browser_unlisted",
    }  # fmt: skip


async def test_a_large_output_is_cut_with_a_notice(door: Door, kernel: Kernel) -> None:
    """16 MB pass, more is replaced by a notice that says what to do; the connection lives on."""
    async with opened(door) as browser:
        socket = await kernel.socket
        fits = encode(output("display_data", data={"image/png": "x" * (16 * 1024 * 1024 - 1000)}), v1=True)
        await say(socket, fits)
        assert len((await browser.receive(10)).data) == len(fits)
        await say(socket, encode(output("stream", name="stdout", text="x" * (17 * 1024 * 1024)), v1=True))
        notice = decode((await browser.receive(10)).data, v1=True)
        assert "This output was cut: it has 17.0 MB" in notice.body()["text"]
        assert notice.parent == {"msg_id": "1"}
        await say(socket, encode(output("status", execution_state="idle"), v1=True))
        assert decode((await browser.receive(5)).data, v1=True).kind == "status"
    assert [event.reason for event in await door.recorded()] == ["message.too_large"]


async def test_unlisted_media_do_not_reach_the_browser(door: Door, kernel: Kernel) -> None:
    """A large output too is looked into; the type that isn't listed is gone, and recorded."""
    async with opened(door, v1=False) as browser:
        data = {"text/plain": "x" * 300_000, "application/octet-stream": "QUJD"}
        await say(await kernel.socket, encode(output("display_data", data=data, metadata={}), v1=False))
        shown = decode((await browser.receive(5)).data, v1=False)
        assert set(shown.body()["data"]) == {"text/plain"}
    [event] = await door.recorded()
    assert (event.reason, event.details["what"]) == ("message.media", "application/octet-stream")


async def test_another_origin_gets_no_socket(door: Door, kernel: Kernel) -> None:
    """A page of another origin, the portal's included, can't open a session's channels."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as failed:
        async with opened(door, Origin=f"http://portal--service.workbench.localhost:{door.settings.public_port}"):
            pass
    assert failed.value.status == 403
    assert [event.reason for event in await door.recorded()] == ["request.cross_origin"]


@pytest.mark.parametrize(
    "below",
    [
        "terminals/websocket/a/b",
        "terminals/websocket",
        "lsp/ws/pylsp",
        "proxy/8080/ws",
        "api/kernels/x/channels",
        "anything",
    ],
)
async def test_other_sockets_are_refused(door: Door, container: Upstream, below: str) -> None:
    """Language servers and whatever else wants a WebSocket are refused and recorded."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as failed:
        await door.client.ws_connect(f"{door.browser}{PREFIX}{below}", headers={"Host": door.host})
    assert failed.value.status == 403
    assert container.asked == []
    assert len(await door.recorded()) == 1


async def test_events_are_silent(door: Door, container: Upstream) -> None:
    """JupyterLab's events connection stands, and the container isn't asked."""
    url = f"{door.browser}{PREFIX}api/events/subscribe"
    async with door.client.ws_connect(url, headers={"Host": door.host}) as socket:
        await socket.send_str("{}")
        with pytest.raises(TimeoutError):
            await socket.receive(0.2)
    assert container.asked == []


async def test_a_container_that_refuses_the_socket_is_passed_on(door: Door, container: Upstream) -> None:
    """Not signed in: the browser hears the container's 403."""

    async def no(_request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=403)

    container.handler = no
    with pytest.raises(aiohttp.WSServerHandshakeError) as failed:
        async with opened(door):
            pass
    assert failed.value.status == 403


async def test_channels_end_with_the_session(door: Door, kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session that may no longer run loses its open connections too."""
    monkeypatch.setattr(websocket, "_STILL_LIVE", 0.2)
    async with opened(door) as browser:
        await kernel.socket
        with door.database.writing() as db:
            db.get_one(Session, "s1").state = "stopped"
        ended = await browser.receive(5)
        assert ended.type == aiohttp.WSMsgType.CLOSE
        assert ended.data == aiohttp.WSCloseCode.POLICY_VIOLATION


async def test_a_kernel_that_ends_ends_the_browsers_socket(door: Door, kernel: Kernel) -> None:
    """No half-open connection stays behind."""
    async with opened(door) as browser:
        await (await kernel.socket).close()
        assert (await browser.receive(5)).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)


MB = 1024 * 1024


async def run(browser: aiohttp.ClientWebSocketResponse, kernel: Kernel, cell: str) -> None:
    """Runs a cell under this id."""
    asked = Message("shell", {"msg_id": cell, "msg_type": "execute_request", "session": "s"}, {}, {}, {"code": "1"})
    await say(browser, encode(asked, v1=True))
    await asyncio.wait_for(kernel.got.get(), 5)


def of(cell: str, kind: str, channel: str = "iopub", **content: Any) -> bytes:
    """What a kernel says of a cell."""
    raw = encode(
        Message(channel, {"msg_id": os.urandom(8).hex(), "msg_type": kind}, {"msg_id": cell}, {}, content), v1=True
    )
    assert isinstance(raw, bytes)
    return raw


async def told(browser: aiohttp.ClientWebSocketResponse) -> Message:
    return decode((await browser.receive(10)).data, v1=True)


@pytest.mark.parametrize("pieces", [1, 100, 5000])
async def test_a_cell_that_prints_10_mb_shows_one_and_a_notice(door: Door, kernel: Kernel, pieces: int) -> None:
    """In one message or in many: the first megabyte streams, the notice follows at once, figures and the cell's end still show."""
    async with opened(door) as browser:
        socket = await kernel.socket
        await run(browser, kernel, "a")
        text = "x" * (10 * MB // pieces - 1) + "\n"
        began = time.monotonic()
        sending = asyncio.gather(*[say(socket, of("a", "stream", name="stdout", text=text)) for _ in range(pieces)])
        printed = ""
        while (message := await told(browser)).body()["name"] == "stdout":
            printed += message.body()["text"]
        assert time.monotonic() - began < 5
        assert PRINT_LIMIT * 0.8 < len(printed) <= PRINT_LIMIT
        assert message.kind == "stream"
        assert message.parent == {"msg_id": "a"}
        assert "1 MB of it may be shown" in message.body()["text"]
        assert "/outbox" in message.body()["text"]
        await sending
        await say(socket, of("a", "stream", name="stderr", text="nor errors printed"))
        await say(socket, of("a", "display_data", data={"image/png": "QUJD"}))
        await say(socket, of("a", "execute_reply", "shell", status="ok"))
        await say(socket, of("a", "status", execution_state="idle"))
        assert [(await told(browser)).kind for _ in range(3)] == ["display_data", "execute_reply", "status"]
        await run(browser, kernel, "b")
        await say(socket, of("b", "stream", name="stdout", text="the next cell prints"))
        assert (await told(browser)).body()["text"] == "the next cell prints"
    [event] = await door.recorded()
    assert event.reason == "cell.printed"
    lost, *_, cell, _, _, _ = str(event.details["what"]).split()
    assert cell == "a"
    assert 9 * MB < int(lost) < 10 * MB + 1000 * pieces


async def test_a_loop_that_updates_a_display_is_cut(door: Door, kernel: Kernel) -> None:
    """Updates and clearings of one cell count together; after 32 MB one notice, then only what ends the cell."""
    async with opened(door) as browser:
        socket = await kernel.socket
        await run(browser, kernel, "a")
        update = of("a", "update_display_data", data={"image/png": "x" * MB}, transient={"display_id": "1"})
        shown = 0

        async def loop() -> None:
            for _ in range(40):
                await say(socket, update)
                await say(socket, of("a", "clear_output", wait=True))
            await say(socket, of("a", "status", execution_state="idle"))

        looping = asyncio.create_task(loop())
        kinds = []
        while (message := await told(browser)).kind != "status":
            kinds.append(message.kind)
            shown += MB if message.kind == "update_display_data" else 0
        assert kinds.count("stream") == 1
        assert kinds[-1] == "stream"
        assert CELL_LIMIT - 2 * MB < shown <= CELL_LIMIT
        await looping
    [event] = await door.recorded()
    assert event.reason == "cell.shown"


async def test_opening_a_kernel_anew_gives_a_cell_nothing_more(door: Door, kernel: Kernel, container: Upstream) -> None:
    """The tally is the cell's, not the connection's; a new connection is told once too."""
    async with opened(door) as browser:
        await run(browser, kernel, "a")
        await say(await kernel.socket, of("a", "stream", name="stdout", text="x" * 2 * MB))
        assert len((await told(browser)).body()["text"]) <= PRINT_LIMIT
        assert "cut here" in (await told(browser)).body()["text"]
    again = Kernel(container)
    async with opened(door) as browser:
        socket = await again.socket
        for _ in range(3):
            await say(socket, of("a", "stream", name="stdout", text="more"))
        await say(socket, of("a", "status", execution_state="idle"))
        assert "cut here" in (await told(browser)).body()["text"]
        assert (await told(browser)).kind == "status"


async def test_what_was_cut_is_recorded_when_the_cell_ends(door: Door, kernel: Kernel) -> None:
    """While the connection lives on: nobody has to close a notebook for it."""
    async with opened(door) as browser:
        socket = await kernel.socket
        await run(browser, kernel, "a")
        await say(socket, of("a", "stream", name="stdout", text="x" * 2 * MB))
        await say(socket, of("a", "status", execution_state="idle"))
        while (await told(browser)).kind != "status":
            pass
        for _ in range(50):
            with door.database.reading() as db:
                if [event.reason for event in door.log.read(db, kind="gateway.refused")] == ["cell.printed"]:
                    break
            await asyncio.sleep(0.1)
        else:
            pytest.fail("not recorded")


async def test_replies_beyond_the_limit_are_short(door: Door, kernel: Kernel) -> None:
    """A page never waits for a reply that was cut."""
    async with opened(door) as browser:
        socket = await kernel.socket
        await run(browser, kernel, "a")
        for _ in range(3):
            await say(socket, of("a", "display_data", data={"image/png": "x" * 10 * MB}))
            await told(browser)
        await say(
            socket, of("a", "execute_reply", "shell", status="ok", payload=[{"source": "page", "data": "x" * 10 * MB}])
        )
        reply = await told(browser)
        assert (reply.kind, reply.channel, reply.body()["ename"]) == ("execute_reply", "shell", "OutputCut")


async def test_what_is_shown_is_counted_by_kind(door: Door, kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Printed text, pictures by their type, and the rest: to the byte."""
    counted: dict[str, int] = {}
    sent = Recorder.sent

    def count(self: Recorder, route: Any, size: int, kind: str) -> None:
        counted[kind] = counted.get(kind, 0) + size
        sent(self, route, size, kind)

    monkeypatch.setattr(Recorder, "sent", count)
    sizes: dict[str, int] = {}
    async with opened(door) as browser:
        socket = await kernel.socket
        for raw in (
            of("a", "stream", name="stdout", text="x"), of("a", "display_data", data={"text/plain": "<Figure>", "image/png": "QUJDQUJDQUJD"}),
            of("a", "execute_result", data={"text/plain": "1"}), of("a", "status", execution_state="idle"),
            of("a", "display_data", data={"text/plain": "[Figure]" * 9, "application/vnd.ngc.bokeh+json": {"doc": {}}}),
        ):  # fmt: skip
            await say(socket, raw)
            message = await browser.receive(5)
            kind = decode(message.data, v1=True).kind
            sizes[kind] = sizes.get(kind, 0) + len(message.data)
    assert set(counted) == {"stream", "image/png", "text/plain", "message", "application/vnd.ngc.bokeh+json"}
    assert sum(counted.values()) == sum(sizes.values())
    assert counted["stream"] == sizes["stream"]


async def test_a_terminals_messages_are_none_of_a_kernels(door: Door, kernel: Kernel) -> None:
    """In both directions, in both protocols of kernels."""
    for v1 in (True, False):
        async with opened(door, v1=v1) as browser:
            await say(browser, '["stdin", "id\\r"]')
            await say(browser, b'["stdin", "id\\r"]')
            socket = await kernel.socket
            await say(socket, '["stdout", "QUJD"]')
            await say(browser, encode(request("kernel_info_request"), v1=v1))
            assert decode(await asyncio.wait_for(kernel.got.get(), 5), v1=v1).kind == "kernel_info_request"
            kernel.socket = asyncio.get_running_loop().create_future()
    events = await door.recorded()
    assert {event.reason for event in events} == {"message.to_kernel_malformed", "message.to_browser_malformed"}


# -- frames as they come off the wire ------------------------------------------------------------------


def frame(
    opcode: int, payload: bytes = b"", *, fin: bool = True, rsv1: bool = False, length: int | None = None
) -> bytes:
    """A WebSocket frame of a client's (RFC 6455, section 5.2); `length` may say something else than is there."""
    size = len(payload) if length is None else length
    head = bytes([(fin << 7) | (rsv1 << 6) | opcode])
    if size < 126:
        head += bytes([0x80 | size])
    elif size < 65536:
        head += bytes([0x80 | 126]) + struct.pack("!H", size)
    else:
        head += bytes([0x80 | 127]) + struct.pack("!Q", size)
    return head + b"\0\0\0\0" + payload


async def bare(door: Door, *, slow: bool = False) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A kernel's channels, opened by hand."""
    plain = sockets.socket()
    if slow:
        plain.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 64 * 1024)
    plain.setblocking(False)
    await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", door.settings.gateway_port))
    reader, writer = await asyncio.open_connection(sock=plain, limit=64 * 1024)
    head = (
        f"GET {PREFIX}api/kernels/{KERNEL}/channels HTTP/1.1\r\nHost: {door.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: {V1}\r\n"
        "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    )
    writer.write(head.encode())
    answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    assert b"101" in answer
    assert b"deflate" not in answer
    return reader, writer


ASKED = encode(request("kernel_info_request"), v1=True)
assert isinstance(ASKED, bytes)


async def test_a_message_in_fragments_is_read_as_one(door: Door, kernel: Kernel) -> None:
    """With pings between them; the kernel gets it whole."""
    reader, writer = await bare(door)
    writer.write(
        frame(2, ASKED[:10], fin=False) + frame(9, b"ping") + frame(0, ASKED[10:50], fin=False) + frame(0, ASKED[50:])
    )
    assert await asyncio.wait_for(kernel.got.get(), 5) == ASKED
    assert await asyncio.wait_for(reader.readexactly(6), 5) == b"\x8a\x04ping"
    writer.close()


BROKEN_FRAMES = [
    frame(2, ASKED, rsv1=True), frame(0, ASKED), frame(2, ASKED[:9], fin=False) + frame(2, ASKED), frame(3, b"x"), frame(0xB, b"x"), frame(9, b"x" * 126),
    frame(9, b"x", fin=False), frame(1, b"\xff\xfe"), frame(2, b"", length=2**62), frame(2, b"x", length=17 * MB),
    frame(2, b"x" * MB, fin=False) + 16 * frame(0, b"x" * MB, fin=False), frame(8, b"x"), b"GET / HTTP/1.1\r\n\r\n",
]  # fmt: skip


@pytest.mark.parametrize("raw", BROKEN_FRAMES)
async def test_broken_frames_end_the_connection(door: Door, kernel: Kernel, raw: bytes) -> None:
    """Compressed without agreement, out of order, of unknown kinds, too large (said or sent): the kernel gets nothing, the line is cut."""
    reader, writer = await bare(door)
    await kernel.socket
    with contextlib.suppress(ConnectionError):
        writer.write(raw)
        await writer.drain()
        writer.write(frame(2, ASKED))
        assert (await asyncio.wait_for(reader.read(2), 5))[:1] in (b"\x88", b"")
    with contextlib.suppress(TimeoutError):
        assert (await asyncio.wait_for(kernel.got.get(), 0.2)) == b"never"
    writer.close()


async def test_a_browser_that_does_not_read_holds_the_kernel_back(door: Door, kernel: Kernel) -> None:
    """What waits in the gateway is a message and the sockets' own buffers, whatever a kernel sends: its sending stops."""
    _, writer = await bare(door, slow=True)
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    socket = await kernel.socket
    sent = 0

    async def flood() -> None:
        nonlocal sent
        for number in range(30):
            await say(socket, of(str(number), "display_data", data={"image/png": "x" * MB}))
            sent += 1

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(flood(), 2)
    assert sent < 20
    writer.transport.abort()


async def test_nothing_is_shown_once_the_gateway_knows_that_the_session_is_held(
    door: Door, kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session that was paused or stopped shows no further message, before anybody looks whether it still runs."""
    monkeypatch.setattr(websocket, "_STILL_LIVE", 3600.0)
    async with opened(door) as browser:
        socket = await kernel.socket
        with door.database.writing() as db:
            db.get_one(Session, "s1").state = "stopped"
        await asyncio.sleep(1.1)
        await door.ask("api")  # makes the gateway read its routes anew
        await say(socket, of("a", "stream", name="stdout", text="QUJD"))
        assert (await browser.receive(5)).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
