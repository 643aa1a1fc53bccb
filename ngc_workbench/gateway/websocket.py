"""WebSockets between browser and session: each message is read, judged, measured, and code is recorded before it runs."""

from __future__ import annotations

import asyncio
import time

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from ngc_workbench.errors import Refused, Unavailable, WorkbenchError
from ngc_workbench.gateway import messages, terminal_messages
from ngc_workbench.gateway.cells import Kernel, Kernels
from ngc_workbench.gateway.frames import V1, Malformed, Message, decode, encode
from ngc_workbench.gateway.record import Recorder
from ngc_workbench.gateway.routes import Route, Routes
from ngc_workbench.gateway.sockets import DATA, OFF_LOOP, Socket, send, size_of, until_one_ends
from ngc_workbench.gateway.terminal import Line as TerminalLine
from ngc_workbench.gateway.terminal_flow import Open
from ngc_workbench.policy.decision import deny
from ngc_workbench.settings import Settings

# The largest message that is read at all: what is above MESSAGE_LIMIT but below this gets a notice, above it the line is cut.
_READ_LIMIT = 4 * messages.MESSAGE_LIMIT
# The same for what is typed into a terminal: a paste that is too long gets a notice.
_TYPED_READ_LIMIT = 16 * terminal_messages.TYPED_LIMIT
_STILL_LIVE = 1.0  # seconds between two looks at whether the session may still run
_NOTICES = 256  # cuts of which a connection remembers that they were told


class Relay:
    """Connects browsers with kernels and terminals."""

    def __init__(self, settings: Settings, routes: Routes, recorder: Recorder, client: aiohttp.ClientSession) -> None:
        self._settings = settings
        self._routes = routes
        self._recorder = recorder
        self._client = client
        self._kernels = Kernels()
        self._terminals = Open()

    async def silent(self, request: web.BaseRequest, route: Route) -> web.StreamResponse:
        """A connection on which nothing is said: JupyterLab would otherwise try again without end."""
        _check_origin(request, route)
        browser = web.WebSocketResponse(compress=False, max_msg_size=4096, heartbeat=30)
        await browser.prepare(request)
        await until_one_ends(_unheard(browser), self._watch(route, browser))
        return browser

    async def channels(
        self, request: web.BaseRequest, route: Route, url: URL, outgoing: CIMultiDict[str]
    ) -> web.StreamResponse:
        """A kernel's channels, until one side ends or the session may no longer run."""
        _check_origin(request, route)
        offered = [name.strip() for name in request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
        kernel = await self._connected(route, url, outgoing, [V1] if V1 in offered else [], _READ_LIMIT)
        if isinstance(kernel, web.Response):
            return kernel
        async with kernel:
            v1 = kernel.protocol == V1
            browser = web.WebSocketResponse(
                protocols=[V1] if v1 else [], compress=False, max_msg_size=messages.MESSAGE_LIMIT, heartbeat=30
            )
            await browser.prepare(request)
            name = url.path.split("/")[-2]
            cells = self._kernels.of(route.session, name)
            line = _Line(self._recorder, self._routes, route, browser, kernel, v1=v1, kernel_id=name, cells=cells)
            await until_one_ends(line.to_kernel(), line.to_browser(), self._watch(route, browser))
            line.close()
            await browser.close()
        return browser

    async def terminal(
        self, request: web.BaseRequest, route: Route, url: URL, outgoing: CIMultiDict[str]
    ) -> web.StreamResponse:
        """A terminal, until one side ends or the session may no longer run. Raises Refused for one too many."""
        _check_origin(request, route)
        name = url.path.split("/")[-1]
        bucket = self._terminals.enter(route.session, name)
        try:
            session = await self._connected(route, url, outgoing, [], terminal_messages.SHOWN_LIMIT)
            if isinstance(session, web.Response):
                return session
            async with session:
                browser = web.WebSocketResponse(compress=False, max_msg_size=_TYPED_READ_LIMIT, heartbeat=30)
                await browser.prepare(request)
                line = TerminalLine(self._recorder, self._routes, route, browser, session, name=name, bucket=bucket)
                await until_one_ends(line.to_session(), line.to_browser(), line.settle(), self._watch(route, browser))
                await line.close()
                await browser.close()
        finally:
            self._terminals.leave(route.session, name)
        return browser

    def check_terminals(self, route: Route) -> None:
        """Whether the session may have one more terminal. Raises Refused."""
        self._terminals.check(route.session)

    async def _connected(
        self, route: Route, url: URL, outgoing: CIMultiDict[str], protocols: list[str], limit: int
    ) -> aiohttp.ClientWebSocketResponse | web.Response:
        """The session's end of a connection, or what the browser is answered when the session turns it away."""
        try:
            async with self._routes.while_open(route):
                return await self._client.ws_connect(
                    url, headers=outgoing, protocols=protocols, compress=0, max_msg_size=limit, heartbeat=30
                )
        except aiohttp.WSServerHandshakeError as error:
            return web.Response(status=error.status if 400 <= error.status < 500 else 502)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable(
                "The session does not answer.", "Wait a moment, or start it again from the portal."
            ) from error

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
        self,
        recorder: Recorder,
        routes: Routes,
        route: Route,
        browser: Socket,
        kernel: Socket,
        *,
        v1: bool,
        kernel_id: str,
        cells: Kernel,
    ) -> None:
        self._recorder = recorder
        self._routes = routes
        self._route = route
        self._browser = browser
        self._kernel = kernel
        self._v1 = v1
        self._kernel_id = kernel_id
        self._cells = cells
        self._told: set[int] = set()

    async def to_kernel(self) -> None:
        """Passes on what the browser sends, until it ends."""
        async for raw in self._browser:
            if raw.type not in DATA:
                self._refused("message.unreadable", "a message too large or too broken to be read")
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
                if message.kind == "execute_request":
                    self._cells.run(message.id, time.monotonic())
                await send(self._kernel, raw.data)
                continue
            self._refused(decision.reason, message.kind)
            for reply in messages.refusal_of(message, decision):
                await send(self._browser, encode(reply, v1=self._v1))

    async def to_browser(self) -> None:
        """Passes on what the kernel sends, until it ends."""
        async for raw in self._kernel:
            if raw.type not in DATA:
                self._refused("message.unreadable", "a message too large or too broken to be read")
                break
            if not self._routes.open(self._route):
                break
            message = await self._read(raw.data, "message.to_browser_malformed")
            if message is None:
                continue
            decision = messages.to_browser(message)
            if not decision:
                self._refused(decision.reason, message.kind)
                continue
            await self._tell(message, raw.data)
            if messages.ends_cell(message):
                self._report(message.parent_id)

    def close(self) -> None:
        """Records what was cut and not yet recorded."""
        self._report(None)

    async def _tell(self, message: Message, raw: str | bytes) -> None:
        """Shows a message, or as much of it as passes, and once what was cut."""
        data, kind = raw, "message"
        if not self._cells.is_cut(message.kind, message.parent_id):
            judged = await self._judged(message, raw)
            if judged is None:
                return
            data, kind = judged
        verdict = self._cells.judge(message.kind, message.parent_id, size_of(data), time.monotonic())
        if verdict.passes:
            await self._show(data, kind)
            return
        if verdict.room:
            await self._show(encode(await asyncio.to_thread(messages.begun, message, verdict.room), v1=self._v1), kind)
        if message.channel != "iopub":
            # The page waits for a reply: it gets a short one, as long as there is room for that.
            short = encode(messages.cut_notice(message, size_of(data)), v1=self._v1)
            if self._cells.judge(message.kind, message.parent_id, size_of(short), time.monotonic()).passes:
                await self._show(short, "message")
        elif verdict.cut not in self._told:
            if len(self._told) >= _NOTICES:
                self._told.clear()
            self._told.add(verdict.cut)
            notice = encode(messages.cell_notice(message, verdict.limit), v1=self._v1)
            self._cells.add(message.parent_id, size_of(notice))
            await self._show(notice, "message")

    async def _show(self, data: str | bytes, kind: str) -> None:
        self._recorder.sent(self._route, size_of(data), kind)
        await send(self._browser, data)

    async def _judged(self, message: Message, data: str | bytes) -> tuple[str | bytes, str] | None:
        """What of a message may be shown, and what kind of traffic it is; None for nothing of it."""
        if (size := size_of(data)) > messages.MESSAGE_LIMIT:
            self._refused("message.too_large", f"{message.kind} of {size} bytes")
            return encode(messages.cut_notice(message, size), v1=self._v1), "message"
        if not messages.is_looked_into(message):
            return data, messages.traffic_of(message)
        try:
            if len(data) < OFF_LOOP:
                shown, cut = messages.shown(message)
            else:
                shown, cut = await asyncio.to_thread(messages.shown, message)
        except Malformed:
            self._refused("message.to_browser_malformed", message.kind)
            return None
        if cut:
            self._refused("message.media", ", ".join(cut))
        return data if shown is message else encode(shown, v1=self._v1), messages.traffic_of(shown)

    async def _read(self, data: str | bytes, reason: str) -> Message | None:
        try:
            if len(data) < OFF_LOOP:
                return decode(data, v1=self._v1)
            return await asyncio.to_thread(decode, data, v1=self._v1)
        except Malformed as error:
            self._refused(reason, str(error))
            return None

    def _report(self, cell: str | None) -> None:
        for name, limit, count in self._cells.reports(cell):
            self._refused(f"cell.{limit}", f"{count} bytes of cell {name or 'none'} of kernel {self._kernel_id}")

    def _refused(self, reason: str, what: str) -> None:
        self._recorder.refused(reason, self._route, "WEBSOCKET", side="browser", what=what)


async def _unheard(browser: web.WebSocketResponse) -> None:
    async for _ in browser:
        pass


def _check_origin(request: web.BaseRequest, route: Route) -> None:
    """A browser names the page that opens a WebSocket; programs needn't. Raises Refused for another origin's page."""
    if request.headers.get("Origin", route.origin) != route.origin:
        raise Refused(
            "request.cross_origin", "Another site asked for this in your name.", "Open the session from the portal."
        )
