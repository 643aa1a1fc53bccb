"""What the gateway writes down."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import multiprocessing
import time
import uuid
from collections.abc import AsyncIterator
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from ngc_workbench.audit import AuditLog, Event
from ngc_workbench.database import Database
from ngc_workbench.errors import Unavailable
from ngc_workbench.gateway.record import Recorder
from ngc_workbench.gateway.routes import Route
from ngc_workbench.model import Notice, Person, Project, Session, Traffic, utcnow
from ngc_workbench.policy.meter import Pause, Thresholds
from ngc_workbench.sessions import traffic
from ngc_workbench.settings import Settings
from tests.gateway.conftest import add_session


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


# -- bytes shown ---------------------------------------------------------------------------------------


def counted(database: Database, session: str = "s1") -> dict[str, int]:
    """Bytes by kind, over all hours; checked against the session's own sum."""
    with database.reading() as db:
        rows = db.execute(
            select(Traffic.kind, func.sum(Traffic.bytes)).where(Traffic.session_id == session).group_by(Traffic.kind)
        ).all()
        found = {kind: int(count) for kind, count in rows}
        assert sum(found.values()) == db.get_one(Session, session).bytes_out
        return found


async def test_bytes_are_counted_by_kind(recorder: Recorder, database: Database, route: Route) -> None:
    """Each kind has its row, what is no kind goes under `other`, and a caller that names none does too."""
    add_session(database, 9999)
    for kind, count in (("message", 10), ("terminal", 5), ("message", 7), ("text/html", 1), ("Not A Kind", 2)):
        recorder.sent(route, count, kind)
    recorder.sent(route, 4)
    await recorder.close()
    assert counted(database) == {"message": 17, "terminal": 5, "text/html": 1, "other": 6}


async def test_a_session_has_a_bounded_number_of_kinds(recorder: Recorder, database: Database, route: Route) -> None:
    """Names from hostile ground don't fill the table: from some number on they are one."""
    add_session(database, 9999)
    for number in range(500):
        recorder.sent(route, 1, f"application/x{number}")
    await recorder.close()
    found = counted(database)
    assert len(found) <= 41
    assert sum(found.values()) == 500


async def test_bytes_of_a_session_that_is_unknown_hold_up_nothing(
    recorder: Recorder, database: Database, log: AuditLog, route: Route
) -> None:
    """They count for nobody; what else was to be written is."""
    recorder.sent(route, 10, "page")
    await recorder.cell(route, {"sha256": "x"})
    assert len(events(database, log, "session.cell")) == 1


SMALL = Thresholds(hour=1000, day=5000, kinds={"terminal": 100})


async def watched(database: Database, log: AuditLog, told: list[tuple[str, Pause]]) -> Recorder:
    made = Recorder(
        database, log, interval=0.02, thresholds=SMALL, paused=lambda session, pause: told.append((session, pause))
    )
    made.start()
    return made


@pytest.mark.parametrize(
    ("sent", "reason", "kind"),
    [([("page", 1000)], "", ""), ([("page", 900), ("message", 101)], "meter.hour", ""), ([("terminal", 101)], "meter.hour", "terminal")],
)  # fmt: skip
async def test_above_a_threshold_the_session_is_paused_in_the_transaction_that_counted(
    database: Database, log: AuditLog, route: Route, sent: list[tuple[str, int]], reason: str, kind: str
) -> None:
    """Row, event and notice stand together; exactly the threshold still holds."""
    add_session(database, 9999)
    told: list[tuple[str, Pause]] = []
    recorder = await watched(database, log, told)
    for name, count in sent:
        recorder.sent(route, count, name)
    await recorder.close()
    paused = events(database, log, "session.paused")
    with database.reading() as db:
        row = db.get_one(Session, "s1")
        notices = list(db.scalars(select(Notice)))
    if not reason:
        assert (row.state, paused, notices, told) == ("running", [], [], [])
        return
    assert (row.state, row.pause_reason) == ("paused", reason)
    assert row.paused_at is not None
    [event] = paused
    assert (event.decision, event.reason, event.session, event.project) == ("deny", reason, "s1", "heart")
    assert (event.details["kind"], event.details["shown"]) == (kind, row.pause_facts["shown"])
    assert [(notice.kind, notice.session_id, notice.body["reason"]) for notice in notices] == [
        ("session.paused", "s1", reason)
    ]
    assert [(session, pause.reason) for session, pause in told] == [("s1", reason)]


async def test_a_paused_session_is_paused_once(database: Database, log: AuditLog, route: Route) -> None:
    """What arrives after the pause is counted, and pauses nothing again."""
    add_session(database, 9999)
    told: list[tuple[str, Pause]] = []
    recorder = await watched(database, log, told)
    for _ in range(3):
        recorder.sent(route, 2000, "page")
        await asyncio.sleep(0.1)
    await recorder.close()
    assert counted(database) == {"page": 6000}
    assert len(events(database, log, "session.paused")) == len(told) == 1


async def test_another_session_of_the_person_takes_up_where_the_last_one_stopped(
    database: Database, log: AuditLog, route: Route
) -> None:
    """Stopping and starting again opens no new allowance; another project's bytes, or another person's, don't count here."""
    add_session(database, 9999, id="before", state="stopped", stopped=utcnow())
    add_session(database, 9999)
    with database.writing() as db:
        db.add(Project(name="lungs", title="t", purpose="p", ethics_approval="e", state="active"))
        db.add(Person(name="bo", full_name="Bo"))
        db.flush()
        for name, fields in (("other", {"project_name": "lungs"}), ("bos", {"person_name": "bo"})):
            values = {
                "person_name": "alma",
                "project_name": "heart",
                "prefix": f"/user/{name}/x/",
                "network": "n",
                "subnet": "127.0.0.0/29",
            }
            db.add(Session(id=name, state="stopped", **{**values, **fields}))
            db.flush()
            traffic.add(db, name, {"page": 900}, utcnow())
        traffic.add(db, "before", {"page": 900}, utcnow())
    recorder = await watched(database, log, [])
    recorder.sent(route, 100, "page")
    await asyncio.sleep(0.2)
    assert events(database, log, "session.paused") == []
    recorder.sent(route, 1, "page")
    await recorder.close()
    assert [event.session for event in events(database, log, "session.paused")] == ["s1"]


async def test_a_project_has_thresholds_of_its_own(database: Database, log: AuditLog, route: Route) -> None:
    """Read with the bytes: a change counts from the next ones on."""
    add_session(database, 9999)
    with database.writing() as db:
        db.get_one(Project, "heart").limits = {"meter_hour_mb": 1, "meter_day_mb": 1}
    recorder = await watched(database, log, [])
    recorder.sent(route, 1_000_000, "page")
    await asyncio.sleep(0.2)
    assert events(database, log, "session.paused") == []
    recorder.sent(route, 1, "page")
    await recorder.close()
    assert [event.details["limit"] for event in events(database, log, "session.paused")] == [1_000_000]


async def test_much_at_once_is_counted_at_once(database: Database, log: AuditLog, route: Route) -> None:
    """Megabytes don't wait for the second to pass."""
    add_session(database, 9999)
    recorder = Recorder(database, log, interval=60.0)
    recorder.start()
    await asyncio.sleep(0.05)
    recorder.sent(route, 3_999_999, "page")
    await asyncio.sleep(0.2)
    assert counted(database) == {}
    recorder.sent(route, 1, "page")
    await asyncio.sleep(0.5)
    assert counted(database) == {"page": 4_000_000}
    await recorder.close()


@given(
    batches=st.lists(
        st.tuples(
            st.lists(st.tuples(st.sampled_from(["page", "message", "terminal", "x" * 99]), st.integers(0, 10**6)), max_size=5),
            st.booleans(),
        ),
        max_size=6,
    )
)  # fmt: skip
@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_rows_sum_up_to_what_was_sent_whatever_fails_between(
    database: Database, log: AuditLog, route: Route, batches: list[tuple[list[tuple[str, int]], bool]]
) -> None:
    """A transaction that fails at its end is counted by the next one: nothing lost, nothing twice."""
    session = f"s{uuid.uuid4().hex[:10]}"
    add_session(database, 9999, id=session, prefix=f"/user/alma/{session}/")
    mine = dataclasses.replace(route, session=session)

    async def play() -> None:
        recorder = Recorder(database, log)
        whole = recorder._write

        def torn(batch: object) -> dict[str, Pause]:
            append = database.writing

            @contextlib.contextmanager
            def failing():
                with append() as db:
                    yield db
                    raise Unavailable("The disk is full.")

            recorder._database = SimpleNamespace(writing=failing)
            try:
                return whole(batch)
            finally:
                recorder._database = database

        for sent, fails in batches:
            for kind, count in sent:
                recorder.sent(mine, count, kind)
            recorder._write = torn if fails else whole
            await recorder._flush()
        recorder._write = whole
        await recorder.close()

    asyncio.run(play())
    assert sum(counted(database, session).values()) == sum(count for sent, _ in batches for _, count in sent)


def _count_on(state: Settings, route: Route, number: int, times: int, ready: object) -> None:
    """A gateway of its own, in a process of its own: counts one byte and three, again and again."""

    async def run() -> None:
        database = Database(state.database)
        recorder = Recorder(
            database, AuditLog(state.control_dir / "audit"), interval=0.005, thresholds=Thresholds(10**12, 10**12, {})
        )
        recorder.start()
        for step in range(times):
            recorder.sent(route, 1, "page")
            recorder.sent(route, 3, f"kind{number}")
            if step % 20 == 0:
                await asyncio.sleep(0.002)
                ready.set()
        await recorder.close()
        database.close()

    asyncio.run(run())


def test_two_gateways_that_count_at_once_lose_no_byte(
    settings: Settings, database: Database, log: AuditLog, route: Route
) -> None:
    """Two processes, one session: every byte of both stands in the rows and in the sum."""
    add_session(database, 9999)
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    processes = [context.Process(target=_count_on, args=(settings, route, number, 2000, ready)) for number in (1, 2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert counted(database) == {"page": 4000, "kind1": 6000, "kind2": 6000}


def test_a_gateway_that_is_killed_leaves_rows_and_sum_that_agree(
    settings: Settings, database: Database, log: AuditLog, route: Route
) -> None:
    """Killed in the middle of counting: each kind's rows hold whole transactions, and another gateway goes on from there."""
    add_session(database, 9999)
    context = multiprocessing.get_context("spawn")
    for _ in range(2):
        ready = context.Event()
        process = context.Process(target=_count_on, args=(settings, route, 1, 10**7, ready))
        process.start()
        assert ready.wait(60)
        time.sleep(0.3)
        process.kill()
        process.join(30)
        found = counted(database)
        assert found["kind1"] == 3 * found["page"] > 0
    _count_on(settings, route, 1, 5, context.Event())
    after = counted(database)
    assert after["page"] - found["page"] == 5
