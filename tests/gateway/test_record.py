"""What the gateway writes down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from ngc_workbench.audit import AuditLog, Event
from ngc_workbench.database import Database
from ngc_workbench.errors import Unavailable
from ngc_workbench.gateway.record import Recorder
from ngc_workbench.gateway.routes import Route


@pytest.fixture
async def recorder(database: Database, log: AuditLog) -> AsyncIterator[Recorder]:
    made = Recorder(database, log, window=0.3, interval=0.05)
    made.start()
    yield made
    await made.close()


def events(database: Database, log: AuditLog, kind: str) -> list[Event]:
    with database.reading() as db:
        return list(reversed(log.read(db, kind=kind)))


async def test_identical_refusals_are_one_line_and_a_count(
    recorder: Recorder, database: Database, log: AuditLog, route: Route
) -> None:
    """A thousand identical refusals give one event at once and one with the count; another rule has its own."""
    for number in range(1000):
        recorder.refused("files.download", route, "GET", side="browser", what=f"GET /files/{number}")
    recorder.refused("files.view", route, "GET", side="browser", what="GET /view/x")
    recorder.refused("files.download", route, "X-ODD-METHOD", side="browser", what="x")
    recorder.refused("files.download", route, "ANOTHER", side="browser", what="x")
    await asyncio.sleep(0.15)
    assert [(event.reason, event.details["method"], event.details["count"]) for event in events(database, log, "gateway.refused")] == [
        ("files.download", "GET", 1), ("files.view", "GET", 1), ("files.download", "other", 1),
    ]  # fmt: skip
    await asyncio.sleep(0.4)
    counted = [event.details["count"] for event in events(database, log, "gateway.refused")[3:]]
    assert counted == [999, 1]


async def test_a_cell_returns_when_it_is_committed(
    recorder: Recorder, database: Database, log: AuditLog, route: Route
) -> None:
    """Cells sent at once are all in the log when the call returns."""
    await asyncio.gather(*(recorder.cell(route, {"sha256": str(number)}) for number in range(20)))
    assert [event.details["sha256"] for event in events(database, log, "session.cell")] == [
        str(number) for number in range(20)
    ]


async def test_a_failing_database_fails_the_cell_and_keeps_the_refusal(
    recorder: Recorder, database: Database, log: AuditLog, route: Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cell that can't be written is told so; a refusal is written once the database answers again."""
    with monkeypatch.context() as broken:
        broken.setattr(
            AuditLog, "append", lambda *_args, **_kwargs: (_ for _ in ()).throw(Unavailable("The disk is full."))
        )
        recorder.refused("files.download", route, "GET", side="browser", what="x")
        with pytest.raises(Unavailable, match="audit log"):
            await recorder.cell(route, {"sha256": "x"})
    await asyncio.sleep(0.2)
    assert len(events(database, log, "gateway.refused")) == 1
    assert events(database, log, "session.cell") == []
