"""Kernel channels through the gateway."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from ngc_workbench.errors import Unavailable
from ngc_workbench.gateway import websocket
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
        fits = encode(output("stream", name="stdout", text="x" * (16 * 1024 * 1024 - 1000)), v1=True)
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
    "below", ["terminals/websocket/1", "lsp/ws/pylsp", "proxy/8080/ws", "api/kernels/x/channels", "anything"]
)
async def test_other_sockets_are_refused(door: Door, container: Upstream, below: str) -> None:
    """Terminals, language servers and whatever else wants a WebSocket are refused and recorded."""
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
