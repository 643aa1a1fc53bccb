"""One browser and one terminal: lines are recorded before their end is passed on, the screen's text is filtered and bounded."""

from __future__ import annotations

import asyncio
import time

import structlog

from ngc_workbench.errors import WorkbenchError
from ngc_workbench.gateway import terminal_messages
from ngc_workbench.gateway.frames import Malformed
from ngc_workbench.gateway.record import Recorder
from ngc_workbench.gateway.routes import Route, Routes
from ngc_workbench.gateway.sockets import DATA, OFF_LOOP, Socket, send
from ngc_workbench.gateway.terminal_flow import Bucket, Flow
from ngc_workbench.gateway.terminal_keys import Typed, after_last_end
from ngc_workbench.gateway.terminal_messages import TYPED_LIMIT, Said, TooLong
from ngc_workbench.gateway.terminal_screen import Screen

_log = structlog.get_logger("gateway")
_KIND = "session.terminal"
_LOOK = 0.1  # seconds between two looks at whether a flood has ended


class Line:
    """A connection between them, until `close`."""

    def __init__(
        self,
        recorder: Recorder,
        routes: Routes,
        route: Route,
        browser: Socket,
        session: Socket,
        *,
        name: str,
        bucket: Bucket,
    ) -> None:
        self._recorder = recorder
        self._routes = routes
        self._route = route
        self._browser = browser
        self._session = session
        self._name = name
        self._typed = Typed()
        self._screen = Screen()
        self._flow = Flow(bucket)
        self._flooded = asyncio.Event()
        self._begun = False

    async def to_session(self) -> None:
        """Passes on what is typed, until the browser ends."""
        async for raw in self._browser:
            if raw.type not in DATA:
                self._refused("message.unreadable", "a message too large or too broken to be read")
                return
            try:
                said = terminal_messages.from_browser(raw.data)
            except TooLong as error:
                self._refused("terminal.typed_too_long", str(error))
                limit = TYPED_LIMIT // 1024
                await self._tell(
                    f"Not passed on: {limit} kB may be pasted at once. Paste it in parts, or save it as a file."
                )
                continue
            except Malformed as error:
                self._refused("terminal.typed_malformed", str(error))
                continue
            if said.kind != "stdin" or await self._recorded(said.text):
                await send(self._session, said.written())

    async def to_browser(self) -> None:
        """Passes on what the terminal shows, until the session ends."""
        async for raw in self._session:
            if raw.type not in DATA:
                self._refused("message.unreadable", "a message too large or too broken to be read")
                return
            if not self._routes.open(self._route):
                return
            try:
                said = terminal_messages.to_browser(raw.data)
            except Malformed as error:
                self._refused("terminal.shown_malformed", str(error))
                continue
            if said.kind != "stdout":
                if said.kind == "setup" and self._begun:
                    self._refused("terminal.shown_malformed", "a second beginning")
                    continue
                self._begun = True
                await self._show(said)
                if said.kind == "disconnect":
                    return
                continue
            if len(said.text) < OFF_LOOP:
                text = self._screen.shown(said.text)
            else:
                text = await asyncio.to_thread(self._screen.shown, said.text)
            if taken := self._screen.taken():
                self._refused("terminal.sequence", ", ".join(taken))
            text = self._flow.passes(text, len(text.encode()), time.monotonic())
            if self._flow.cut:
                self._flooded.set()
            if text:
                await self._show(Said("stdout", text=text))

    async def settle(self) -> None:
        """Says what was cut when a flood has ended. Never returns."""
        while True:
            await self._flooded.wait()
            await asyncio.sleep(_LOOK)
            settled = self._flow.settles(time.monotonic())
            if settled is not None:
                self._flooded.clear()
                text, count = settled
                self._refused("terminal.flood", f"{count} bytes of terminal {self._name}")
                await self._show(Said("stdout", text=text))

    async def close(self) -> None:
        """Records what was typed without an end of a line, and what was cut."""
        if self._flow.cut:
            self._refused("terminal.flood", f"{self._flow.cut} bytes of terminal {self._name}")
        if self._typed:
            try:
                await self._recorder.cell(self._route, {**self._typed.details(self._name), "unfinished": True}, _KIND)
            except WorkbenchError as error:
                _log.error("terminal.unrecorded", session=self._route.session, error=error.what)

    async def _recorded(self, text: str) -> bool:
        """Takes in what was typed. Where it ends a line: True once the line is recorded, False when it can't be."""
        end = after_last_end(text)
        if end:
            line = self._typed.copy()
            line.add(text[:end])
            try:
                await self._recorder.cell(self._route, line.details(self._name), _KIND)
            except WorkbenchError as error:
                self._refused("terminal.unrecorded", error.what)
                await self._tell(f"Not passed on: what was typed could not be recorded. {error.remedy}")
                return False
            self._typed = Typed()
        self._typed.add(text[end:])
        return True

    async def _tell(self, text: str) -> None:
        await self._show(Said("stdout", text=f"\x1b[0m\r\n[{text}]\r\n"))

    async def _show(self, said: Said) -> None:
        data = said.written()
        self._recorder.sent(self._route, len(data), "terminal")
        await send(self._browser, data)

    def _refused(self, reason: str, what: str) -> None:
        self._recorder.refused(reason, self._route, "WEBSOCKET", side="browser", what=what)
