"""What the gateway writes down: cells, refusals, bytes. All of it off the event loop, in few transactions.

One task collects what is to be written and commits it together, so ten people who run cells cost one commit, not ten.
A cell is passed on only after its event is committed. Refusals don't wait; of identical ones (same session, rule and
method) within a window the first is written at once and the others as one event that holds their count, so that a
hostile session can't fill the log.

Bytes shown are counted once a second, by kind, and judged in the transaction that counts them: above a threshold of the project the
session is paused there and then. A gateway that is killed loses what it showed since the last commit: a second's
worth, or less when that is much. A commit of which PostgreSQL could not say whether it took place is counted again: too much, never
too little.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import structlog

from ngc_workbench.audit import AuditLog
from ngc_workbench.audit.events import Detail
from ngc_workbench.database import Database
from ngc_workbench.errors import Unavailable
from ngc_workbench.gateway.routes import Route
from ngc_workbench.policy.meter import OTHER, Pause, Thresholds, kind_of
from ngc_workbench.sessions import pause

Details = Mapping[str, Detail]

_log = structlog.get_logger("gateway")
_MAX_WAITING = 10_000
_MUCH = 4_000_000
"""Bytes shown but not counted from which the writer is woken at once."""
_MOST_KINDS = 40
"""Kinds told apart in a session, at most: their names may come from hostile ground."""
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
    sent: dict[str, dict[str, int]] = field(default_factory=dict)
    """Bytes by session and kind."""
    uncounted: int = 0


def _nobody(_session: str, _pause: Pause) -> None:
    """Nobody is told of a pause: other gateways, and the warden, read it in the database."""


class Recorder:
    """Collects and writes. `window` is the time over which identical refusals are counted, in seconds.

    `thresholds` are those of projects without their own; `paused` is told each pause as soon as it is committed.
    """

    def __init__(
        self,
        database: Database,
        log: AuditLog,
        *,
        window: float = 60.0,
        interval: float = 1.0,
        thresholds: Thresholds | None = None,
        paused: Callable[[str, Pause], None] = _nobody,
    ) -> None:
        self._database = database
        self._audit = log
        self._window = window
        self._interval = interval
        self._thresholds = thresholds or Thresholds()
        self._paused = paused
        self._kinds: dict[str, set[str]] = {}
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

    async def cell(self, route: Route, details: Details, kind: str = "session.cell") -> None:
        """Records code sent to a kernel, or lines typed into a terminal; returns once it is committed. Raises Unavailable when it can't be."""
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._add(_Entry(kind, "none", "", route, details, written))
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

    def sent(self, route: Route, count: int, kind: str = OTHER) -> None:
        """Adds to the bytes that a session has shown to the browser. `kind` is a short word or a media type, else `other`."""
        self._count(route.session, self._known(route.session, kind), count)
        if self._batch.uncounted >= _MUCH:
            self._wake.set()

    def _known(self, session: str, kind: str) -> str:
        kinds = self._kinds.setdefault(session, set())
        kind = kind_of(kind)
        if kind not in kinds and len(kinds) >= _MOST_KINDS:
            return OTHER
        kinds.add(kind)
        return kind

    def _count(self, session: str, kind: str, count: int) -> None:
        kinds = self._batch.sent.setdefault(session, {})
        kinds[kind] = kinds.get(kind, 0) + count
        self._batch.uncounted += count

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
            pauses = await asyncio.to_thread(self._write, batch)
        except Exception as error:  # noqa: BLE001 (a writer that ended would leave every cell waiting for it)
            _log.error("record.failed", error=repr(error), entries=len(batch.entries))
            self._keep(batch)
            return
        for session, held in pauses.items():
            self._paused(session, held)
        for entry in batch.entries:
            if entry.written is not None and not entry.written.done():
                entry.written.set_result(None)

    def _write(self, batch: _Batch) -> dict[str, Pause]:
        """One transaction; gives the pauses that it made, by session."""
        pauses = {}
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
            for session, kinds in batch.sent.items():
                made = pause.count(db, self._audit, self._thresholds, session, kinds)
                if made is not None:
                    pauses[session] = made
        return pauses

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
        for session, kinds in batch.sent.items():
            for kind, count in kinds.items():
                self._count(session, kind, count)
