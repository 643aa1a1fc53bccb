"""WebSockets between browser and kernel: each message is read, judged, measured, and code is recorded before it runs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine

import aiohttp
import structlog
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from ngc_workbench.errors import Refused, Unavailable, WorkbenchError
from ngc_workbench.gateway import messages
from ngc_workbench.gateway.frames import V1, Malformed, Message, decode, encode
from ngc_workbench.gateway.record import Recorder
from ngc_workbench.gateway.routes import Route, Routes
from ngc_workbench.policy.decision import deny
from ngc_workbench.settings import Settings

_log = structlog.get_logger("gateway")
# The largest message that is read at all: what is above MESSAGE_LIMIT but below this gets a notice, above it the line is cut.
_READ_LIMIT = 4 * messages.MESSAGE_LIMIT
_OFF_LOOP = 128 * 1024
_STILL_LIVE = 5.0  # seconds between two looks at whether the session may still run
_DATA = (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY)

Socket = web.WebSocketResponse | aiohttp.ClientWebSocketResponse


class Relay:
    """Connects browsers with kernels."""

    def __init__(self, settings: Settings, routes: Routes, recorder: Recorder, client: aiohttp.ClientSession) -> None:
        self._settings = settings
        self._routes = routes
        self._recorder = recorder
        self._client = client

    async def silent(self, request: web.BaseRequest, route: Route) -> web.StreamResponse:
        """A connection on which nothing is said: JupyterLab would otherwise try again without end."""
        _check_origin(request, route)
        browser = web.WebSocketResponse(compress=False, max_msg_size=4096, heartbeat=30)
        await browser.prepare(request)
        await _until_one_ends(_unheard(browser), self._watch(route, browser))
        return browser

    async def channels(
        self, request: web.BaseRequest, route: Route, url: URL, outgoing: CIMultiDict[str]
    ) -> web.StreamResponse:
        """A kernel's channels, until one side ends or the session may no longer run."""
        _check_origin(request, route)
        offered = [name.strip() for name in request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
        try:
            kernel = await self._client.ws_connect(
                url,
                headers=outgoing,
                protocols=[V1] if V1 in offered else [],
                compress=0,
                max_msg_size=_READ_LIMIT,
                heartbeat=30,
            )
        except aiohttp.WSServerHandshakeError as error:
            status = error.status if 400 <= error.status < 500 else 502
            return web.Response(status=status)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable(
                "The session does not answer.", "Wait a moment, or start it again from the portal."
            ) from error
        async with kernel:
            v1 = kernel.protocol == V1
            browser = web.WebSocketResponse(
                protocols=[V1] if v1 else [], compress=False, max_msg_size=messages.MESSAGE_LIMIT, heartbeat=30
            )
            await browser.prepare(request)
            line = _Line(self._recorder, route, browser, kernel, v1=v1, kernel_id=url.path.split("/")[-2])
            await _until_one_ends(line.to_kernel(), line.to_browser(), self._watch(route, browser))
            await browser.close()
        return browser

    async def _watch(self, route: Route, browser: Socket) -> None:
        while True:
            await asyncio.sleep(_STILL_LIVE)
            try:
                live = await self._routes.live(route)
            except WorkbenchError:
                live = False
            if not live:
                await browser.close(code=aiohttp.WSCloseCode.POLICY_VIOLATION, message=b"The session has ended.")
                return


class _Line:
    """One browser and one kernel."""

    def __init__(
        self, recorder: Recorder, route: Route, browser: Socket, kernel: Socket, *, v1: bool, kernel_id: str
    ) -> None:
        self._recorder = recorder
        self._route = route
        self._browser = browser
        self._kernel = kernel
        self._v1 = v1
        self._kernel_id = kernel_id

    async def to_kernel(self) -> None:
        """Passes on what the browser sends, until it ends."""
        async for raw in self._browser:
            if raw.type not in _DATA:
                break
            message = await self._read(raw.data, "message.to_kernel_malformed")
            if message is None:
                continue
            decision = messages.from_browser(message)
            if decision:
                try:
                    details = messages.recorded(message, self._kernel_id)
                    if details is not None:
                        await self._recorder.cell(self._route, details)
                except Malformed:
                    self._refused("message.to_kernel_malformed", message.kind)
                    continue
                except WorkbenchError as error:
                    decision = deny("cell.unrecorded", "The cell was not run: it could not be recorded.", error.remedy)
            if decision:
                await _send(self._kernel, raw.data)
                continue
            self._refused(decision.reason, message.kind)
            for reply in messages.refusal_of(message, decision):
                await _send(self._browser, encode(reply, v1=self._v1))

    async def to_browser(self) -> None:
        """Passes on what the kernel sends, until it ends."""
        async for raw in self._kernel:
            if raw.type not in _DATA:
                self._refused("message.unreadable", "a message too large or too broken to be read")
                break
            message = await self._read(raw.data, "message.to_browser_malformed")
            if message is None:
                continue
            decision = messages.to_browser(message)
            if not decision:
                self._refused(decision.reason, message.kind)
                continue
            data = await self._judged(message, raw.data)
            if data is not None:
                self._recorder.sent(self._route, _size(data))
                await _send(self._browser, data)

    async def _judged(self, message: Message, data: str | bytes) -> str | bytes | None:
        if (size := _size(data)) > messages.MESSAGE_LIMIT:
            self._refused("message.too_large", f"{message.kind} of {size} bytes")
            return encode(messages.cut_notice(message, size), v1=self._v1)
        if not messages.is_looked_into(message):
            return data
        try:
            if len(data) < _OFF_LOOP:
                shown, cut = messages.shown(message)
            else:
                shown, cut = await asyncio.to_thread(messages.shown, message)
        except Malformed:
            self._refused("message.to_browser_malformed", message.kind)
            return None
        if cut:
            self._refused("message.media", ", ".join(cut))
        return data if shown is message else encode(shown, v1=self._v1)

    async def _read(self, data: str | bytes, reason: str) -> Message | None:
        try:
            if len(data) < _OFF_LOOP:
                return decode(data, v1=self._v1)
            return await asyncio.to_thread(decode, data, v1=self._v1)
        except Malformed as error:
            self._refused(reason, str(error))
            return None

    def _refused(self, reason: str, what: str) -> None:
        self._recorder.refused(reason, self._route, "WEBSOCKET", side="browser", what=what)


async def _unheard(browser: web.WebSocketResponse) -> None:
    async for _ in browser:
        pass


def _size(data: str | bytes) -> int:
    return len(data) if isinstance(data, bytes) else len(data.encode("utf-8", "surrogatepass"))


async def _until_one_ends(*works: Coroutine[None, None, None]) -> None:
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, Exception) and not isinstance(ended, (ConnectionError, aiohttp.ClientError)):
                _log.error("websocket.failed", error=repr(ended))


async def _send(socket: Socket, data: str | bytes) -> None:
    with contextlib.suppress(ConnectionError):  # the other side has gone: the loop that reads it ends by itself
        if isinstance(data, str):
            await socket.send_str(data)
        else:
            await socket.send_bytes(data)


def _check_origin(request: web.BaseRequest, route: Route) -> None:
    """A browser names the page that opens a WebSocket; programs needn't. Raises Refused for another origin's page."""
    if request.headers.get("Origin", route.origin) != route.origin:
        raise Refused(
            "request.cross_origin", "Another site asked for this in your name.", "Open the session from the portal."
        )
