"""Appending, signing, names and tags."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from ngc_workbench.audit import AuditEvent, AuditHead, AuditIdentity, AuditLog, AuditTree, Name, verify_live
from ngc_workbench.audit import log as log_module
from ngc_workbench.audit.heads import last_in
from ngc_workbench.database import Database
from ngc_workbench.errors import ConfigurationError, IntegrityError, NotFound
from ngc_workbench.model import Person


def bodies(database: Database) -> list[str]:
    with database.reading() as db:
        return list(db.scalars(select(AuditEvent.body).order_by(AuditEvent.seq)))


def fill(database: Database, log: AuditLog, count: int) -> None:
    with database.writing() as db:
        for number in range(count):
            log.append(db, "session.cell", actor="bo", project="heart", details={"cell": number})


def test_events_are_numbered_and_chained(database: Database, log: AuditLog) -> None:
    """Numbers start at 1 without gaps, each event names the hash of the one before, times never go back."""
    fill(database, log, 3)
    events = [json.loads(body) for body in bodies(database)]
    assert [event["seq"] for event in events] == [1, 2, 3]
    assert events[0]["prev"] == "0" * 64
    with database.reading() as db:
        leaves = [leaf.hex() for leaf in db.scalars(select(AuditEvent.leaf).order_by(AuditEvent.seq))]
    assert [event["prev"] for event in events[1:]] == leaves[:2]
    assert sorted(event["time"] for event in events) == [event["time"] for event in events]


def test_a_rolled_back_event_never_was(database: Database, log: AuditLog) -> None:
    """An event of a transaction that fails is gone with it, and leaves no gap."""
    fill(database, log, 1)
    with pytest.raises(IntegrityError), database.writing() as db:  # noqa: PT012 - the block is what rolls back
        log.append(db, "session.cell", actor="bo")
        raise IntegrityError("on purpose")
    fill(database, log, 1)
    assert [json.loads(body)["seq"] for body in bodies(database)] == [1, 2]
    assert verify_live(database, log).ok


@pytest.mark.parametrize(
    ("kind", "more", "message"),
    [
        ("session.exploded", {}, "no kind"),
        ("session.cell", {"decision": "maybe", "reason": "x"}, "allow, deny or none"),
        ("session.cell", {"decision": "deny"}, "has a reason"),
        ("session.cell", {"details": {"half": 0.5}}, "whole numbers"),
        ("session.cell", {"details": {"none": None}}, "whole numbers"),
        ("session.cell", {"details": {"mixed": ["a", 1]}}, "whole numbers"),
        ("session.cell", {"details": {"Bad Key": "x"}}, "key"),
        ("session.cell", {"details": {"huge": 2**53}}, "exactly"),
    ],
)
def test_what_is_no_event_is_refused(database: Database, log: AuditLog, kind: str, more: dict, message: str) -> None:
    """Unknown kinds, decisions without a reason and details of other types are mistakes in our code."""
    with pytest.raises(ValueError, match=message), database.writing() as db:
        log.append(db, kind, actor="bo", **more)
    assert bodies(database) == []


def test_an_event_needs_a_writing_transaction(database: Database, log: AuditLog) -> None:
    """Outside writing() two writers could take the same number."""
    with database.reading() as db, pytest.raises(ValueError, match="writing"):
        log.append(db, "session.cell", actor="bo")


def test_names_stand_as_tags(database: Database, log: AuditLog) -> None:
    """No name of a person stands in a leaf: not as actor, subject, detail, nor in a path; reading puts them back."""
    with database.writing() as db:
        log.append(
            db, "person.changed", actor="sofie", subject="bo", decision="allow", reason="role.holds",
            details={"members": ["alma", "carl"], "path": "/user/sofie/heart/x", "by": Name("karen"), "text": "sofies"},
        )  # fmt: skip
    (body,) = bodies(database)
    for name in ("sofie/", '"sofie"', "bo", "alma", "carl", "karen"):
        assert name not in body.replace('"text":"sofies"', "").replace('"v"', "")
    with database.reading() as db:
        (event,) = log.read(db)
    assert (event.actor, event.subject) == ("sofie", "bo")
    assert event.details == {
        "members": ["alma", "carl"],
        "path": "/user/sofie/heart/x",
        "by": "karen",
        "text": "sofies",
    }


def test_a_known_person_as_subject_is_a_tag_whatever_the_kind(database: Database, log: AuditLog) -> None:
    """A subject that is the name of somebody with an account, or of somebody in the log, never stands in clear."""
    with database.writing() as db:
        db.add(Person(name="carl", full_name="Carl"))
        log.append(db, "session.cell", actor="bo")
        assert log.append(db, "project.changed", actor="sofie", subject="carl").subject.startswith("person:")
        assert log.append(db, "project.changed", actor="sofie", subject="bo").subject.startswith("person:")
        assert log.append(db, "project.changed", actor="sofie", subject="heart").subject == "heart"


def test_services_stand_in_clear(database: Database, log: AuditLog) -> None:
    """A service is no person: it has no tag."""
    with database.writing() as db:
        assert log.append(db, "config.changed", actor="hub").actor == "service:hub"
        assert log.append(db, "config.changed", actor="").actor == ""
        assert db.scalars(select(AuditIdentity)).all() == []


def test_erasing_a_name_leaves_the_proofs_whole(database: Database, log: AuditLog) -> None:
    """After an erasure the log verifies, the name is nowhere, and the same name later gets another tag."""
    fill(database, log, 3)
    log.sign_head(database)
    before = json.loads(bodies(database)[0])["actor"]
    with database.writing() as db:
        log.erase(db, "bo", actor="system", reason="erasure.request")
    assert verify_live(database, log).ok
    with database.reading() as db:
        assert {event.actor for event in log.read(db, kind="session.cell")} == {before}
        assert db.scalars(select(AuditIdentity.name)).all() == []
    fill(database, log, 1)
    assert json.loads(bodies(database)[-1])["actor"] != before
    with pytest.raises(NotFound), database.writing() as db:
        log.erase(db, "nobody", actor="system", reason="erasure.request")


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("0101901234", "[cpr]"),
        ("patient 010190-1234.", "patient [cpr]."),
        ("patient 610190-1234.", "patient [cpr]."),
        ("x_310299 0000_y", "x_[cpr]_y"),
        ("3201901234", "3201901234"),
        ("10101901234", "10101901234"),
        ("sha256:" + "0101901234" + "f" * 54, "sha256:" + "0101901234" + "f" * 54),
        ("\ud800", "?"),
        ("x" * 2003, "x" * 2000 + "…(+3 characters)"),
    ],
)
def test_hostile_text_is_recorded_fit_for_a_leaf(database: Database, log: AuditLog, given: str, stored: str) -> None:
    """CPR numbers are masked, broken Unicode replaced, long text cut: nothing that is sent escapes the record."""
    with database.writing() as db:
        event = log.append(db, "gateway.refused", actor="bo", decision="deny", reason="x", details={"path": given})
    assert event.details["path"] == stored
    assert verify_live(database, log).ok


def test_a_clock_set_back_is_held_and_told(database: Database, log: AuditLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Time never goes back; the event says by how much the clock lay behind."""

    class Late(log_module.datetime):
        @classmethod
        def now(cls, tz=None):
            return super().now(tz) - timedelta(hours=1)

    fill(database, log, 1)
    monkeypatch.setattr(log_module, "datetime", Late)
    fill(database, log, 1)
    first, second = (json.loads(body) for body in bodies(database))
    assert (first["clock_back_us"], second["time"]) == (0, first["time"])
    assert 3_590_000_000 < second["clock_back_us"] <= 3_600_000_000
    assert verify_live(database, log).ok


def test_a_head_is_signed_when_stale(database: Database, log: AuditLog) -> None:
    """No head without events; one at once for the first; then only when the last is old and there is something new."""
    assert log.sign_head_if_stale(database) is None
    fill(database, log, 2)
    first = log.sign_head_if_stale(database)
    assert first is not None
    assert (first.number, first.size) == (1, 2)
    assert log.sign_head_if_stale(database, timedelta(0)) is None
    fill(database, log, 1)
    assert log.sign_head_if_stale(database) is None
    second = log.sign_head_if_stale(database, timedelta(0))
    assert second is not None
    assert (second.number, second.size) == (2, 3)
    lines = log.heads_file.read_text().splitlines()
    with database.reading() as db:
        assert db.scalars(select(AuditHead.line).order_by(AuditHead.number)).all() == lines


@pytest.mark.parametrize("cut", [1, 2, 30, 150, b',"signature"', b"\n"])
def test_a_torn_head_is_mended(database: Database, log: AuditLog, cut: int | bytes) -> None:
    """A crash in the middle of writing a head, at any byte, costs that head and nothing else."""
    fill(database, log, 2)
    log.sign_head(database)
    whole = log.heads_file.read_bytes()
    fill(database, log, 1)
    log.sign_head(database)
    second = log.heads_file.read_bytes()[len(whole) :]
    log.heads_file.write_bytes(whole + second[: cut if isinstance(cut, int) else second.index(cut)])
    with database.writing() as db:  # the crash came before the table's copy was committed
        db.execute(delete(AuditHead).where(AuditHead.number == 2))
    fill(database, log, 1)
    log.sign_head(database)
    report = verify_live(database, log)
    assert report.lines[-1].startswith("Nothing was")
    head, torn = last_in(log.heads_file)
    assert not torn
    assert head is not None
    assert head.size == 4


def test_a_database_put_back_is_noticed(database: Database, log: AuditLog) -> None:
    """A head over more events than the database holds: no new head is signed over it, and verify names the place."""
    fill(database, log, 5)
    log.sign_head(database)
    with database.writing() as db:
        db.execute(delete(AuditEvent).where(AuditEvent.seq > 3))
        db.execute(update(AuditTree).values(size=3, frontier=b"x" * 64))
    with pytest.raises(IntegrityError, match="5 events, but the database holds 3"):
        log.sign_head(database)
    report = verify_live(database, log)
    assert not report.ok
    assert report.first_seq == 4


def test_heads_taken_from_the_file_are_noticed(database: Database, log: AuditLog) -> None:
    """The table's copy shows that the file has lost heads."""
    fill(database, log, 2)
    log.sign_head(database)
    fill(database, log, 2)
    log.sign_head(database)
    lines = log.heads_file.read_bytes().splitlines(keepends=True)
    log.heads_file.write_bytes(lines[0])
    with pytest.raises(IntegrityError, match="missing"):
        log.sign_head(database)
    assert not verify_live(database, log).ok


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (update(AuditEvent).where(AuditEvent.seq == 4).values(body="{}"), 4),
        (update(AuditEvent).where(AuditEvent.seq == 4).values(leaf=b"x" * 32), 4),
        (delete(AuditEvent).where(AuditEvent.seq == 2), 2),
        (update(AuditEvent).where(AuditEvent.seq == 6).values(seq=9), 0),
        (update(AuditTree).values(last_leaf=b"y" * 32), 0),
        (update(AuditTree).values(frontier=b"y" * 64), 0),
        (delete(AuditTree), 0),
        (update(AuditHead).values(line="{}"), 0),
    ],
)
def test_a_changed_database_is_noticed(database: Database, log: AuditLog, change: object, place: int) -> None:
    """Whatever the owner of the database changes in the log's tables, the check of the live log says so."""
    fill(database, log, 6)
    log.sign_head(database)
    assert verify_live(database, log).ok
    with database.writing() as db:
        db.execute(change)
    report = verify_live(database, log)
    assert not report.ok
    assert report.first_seq == place
    assert report.first_fault


def test_keys_are_private_and_never_made_anew(database: Database, log: AuditLog) -> None:
    """Keys have mode 0600; others' access or a key gone beside heads stops the start."""
    again = AuditLog(log.directory)
    assert again.keys.public == log.keys.public
    for name in ("signing.key", "tagging.key"):
        assert (log.directory / name).stat().st_mode & 0o777 == 0o600
    (log.directory / "signing.key").chmod(0o644)
    with pytest.raises(ConfigurationError, match="read by others"):
        AuditLog(log.directory)
    fill(database, log, 1)
    log.sign_head(database)
    (log.directory / "signing.key").unlink()
    with pytest.raises(IntegrityError, match="gone"):
        AuditLog(log.directory)


def test_another_key_beside_the_public_one_is_noticed(log: AuditLog) -> None:
    """signing.key and public.key belong together."""
    (log.directory / "signing.key").write_bytes(b"k" * 32)
    with pytest.raises(IntegrityError, match="not that of"):
        AuditLog(log.directory)


def test_reading_finds_by_kind_project_and_session(database: Database, log: AuditLog) -> None:
    """Newest first; a detail that looks like the field is not mistaken for it."""
    with database.writing() as db:
        log.append(db, "session.started", actor="bo", project="heart", session="s1")
        log.append(db, "session.cell", actor="bo", project="heart", session="s1")
        log.append(db, "session.cell", actor="bo", project="lung", details={"project": "heart"})
    with database.reading() as db:
        assert [event.seq for event in log.read(db)] == [3, 2, 1]
        assert [event.seq for event in log.read(db, project="heart")] == [2, 1]
        assert [event.seq for event in log.read(db, session="s1", kind="session.cell")] == [2]
        assert [event.seq for event in log.read(db, before=3, limit=1)] == [2]
