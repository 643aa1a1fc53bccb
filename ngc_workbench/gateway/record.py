"""What the gateway writes down: cells, refusals, bytes. All of it off the event loop, in few transactions.

One task collects what is to be written and commits it together, so ten people who run cells cost one commit, not ten.
A cell is passed on only after its event is committed. Refusals don't wait; of identical ones (same session, rule and
method) within a window the first is written at once and the others as one event that holds their count, so that a
hostile session can't fill the log.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog
from sqlalchemy import update

from ngc_workbench.audit import AuditLog
from ngc_workbench.audit.events import Detail
from ngc_workbench.database import Database
from ngc_workbench.errors import Unavailable
from ngc_workbench.gateway.routes import Route
from ngc_workbench.model import Session

Details = Mapping[str, Detail]

_log = structlog.get_logger("gateway")
_MAX_WAITING = 10_000
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "WEBSOCKET"})


@dataclass(frozen=True)
class _Entry:
    kind: str
    decision: str
    reason: str
    route: Route | None
    details: Details
    written: asyncio.Future[None] | None = None


@dataclass
class _Tally:
    """Identical refusals since `since` (monotonic seconds) that are not written yet; the first one was."""

    route: Route | None
    details: Details
    since: float
    more: int = 0


@dataclass
class _Batch:
    entries: list[_Entry] = field(default_factory=list)
    sent: dict[str, int] = field(default_factory=dict)


class Recorder:
    """Collects and writes. `window` is the time over which identical refusals are counted, in seconds."""

    def __init__(self, database: Database, log: AuditLog, *, window: float = 60.0, interval: float = 1.0) -> None:
        self._database = database
        self._audit = log
        self._window = window
        self._interval = interval
        self._batch = _Batch()
        self._tallies: dict[tuple[str, str, str], _Tally] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stopping = False

    def start(self) -> None:
        """Starts the task that writes."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Writes what is left, counts of refusals included."""
        # Told, not cancelled: what is being written is written to its end.
        self._stopping = True
        self._wake.set()
        if self._task is not None:
            await self._task
        self._close_windows(everything=True)
        await self._flush()

    async def cell(self, route: Route, details: Details) -> None:
        """Records code sent to a kernel; returns once it is committed. Raises Unavailable when it can't be."""
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._add(_Entry("session.cell", "none", "", route, details, written))
        await written

    def refused(self, reason: str, route: Route | None, method: str, *, side: str, what: str, source: str = "") -> None:
        """Records a refusal. `reason` is the rule's name, `what` the path or message type, `source` an unknown caller's address."""
        method = method if method in _METHODS else "other"
        key = (route.session if route else source, reason, method)
        tally = self._tallies.get(key)
        if tally is not None:
            tally.more += 1
            return
        details: dict[str, Detail] = {"method": method, "side": side, "what": what[:300]}
        if source:
            details["source"] = source
        # Whoever has no session is bounded too: addresses may be many, the table of tallies may not.
        if len(self._tallies) < _MAX_WAITING:
            self._tallies[key] = _Tally(route, details, time.monotonic())
            self._add(_Entry("gateway.refused", "deny", reason, route, {**details, "count": 1}))

    def sent(self, route: Route, count: int) -> None:
        """Adds to the bytes that a session has shown to the browser."""
        self._batch.sent[route.session] = self._batch.sent.get(route.session, 0) + count

    def _add(self, entry: _Entry) -> None:
        self._batch.entries.append(entry)
        self._wake.set()

    async def _run(self) -> None:
        while not self._stopping:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._interval)
            self._wake.clear()
            self._close_windows()
            await self._flush()

    def _close_windows(self, *, everything: bool = False) -> None:
        now = time.monotonic()
        for key, tally in list(self._tallies.items()):
            if everything or now - tally.since >= self._window:
                del self._tallies[key]
                if tally.more:
                    counted = {**tally.details, "count": tally.more, "repeated": True}
                    self._batch.entries.append(_Entry("gateway.refused", "deny", key[1], tally.route, counted))

    async def _flush(self) -> None:
        batch, self._batch = self._batch, _Batch()
        if not batch.entries and not batch.sent:
            return
        try:
            await asyncio.to_thread(self._write, batch)
        except Exception as error:  # noqa: BLE001 (a writer that ended would leave every cell waiting for it)
            _log.error("record.failed", error=repr(error), entries=len(batch.entries))
            self._keep(batch)
            return
        for entry in batch.entries:
            if entry.written is not None and not entry.written.done():
                entry.written.set_result(None)

    def _write(self, batch: _Batch) -> None:
        with self._database.writing() as db:
            for entry in batch.entries:
                route = entry.route
                self._audit.append(
                    db,
                    entry.kind,
                    actor=route.person if route else "gateway",
                    decision="deny" if entry.decision == "deny" else "none",
                    reason=entry.reason,
                    project=route.project if route else "",
                    session=route.session if route else "",
                    details=entry.details,
                )
            for session, count in batch.sent.items():
                db.execute(update(Session).where(Session.id == session).values(bytes_out=Session.bytes_out + count))

    def _keep(self, batch: _Batch) -> None:
        """What wasn't written: cells are given up (they weren't passed on), refusals and bytes are tried again."""
        again = []
        for entry in batch.entries:
            if entry.written is None:
                again.append(entry)
            elif not entry.written.done():
                entry.written.set_exception(
                    Unavailable("The audit log can't be written.", "Tell the security officer.")
                )
        self._batch.entries = (again + self._batch.entries)[:_MAX_WAITING]
        for session, count in batch.sent.items():
            self._batch.sent[session] = self._batch.sent.get(session, 0) + count
