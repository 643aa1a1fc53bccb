"""From the database to the verifier: a bundle for others, and the check of the live log.

Both sign a head first and read the very events that it covers: the snapshot is opened while the write lock is held.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError as SQLAlchemyIntegrityError
from sqlalchemy.orm import Session

from ngc_workbench.audit.events import Detail
from ngc_workbench.audit.heads import is_torn
from ngc_workbench.audit.keys import PUBLIC
from ngc_workbench.audit.log import AuditLog
from ngc_workbench.audit.merkle import CompactRange
from ngc_workbench.audit.tables import AuditEvent, AuditHead, AuditTree
from ngc_workbench.audit.verifier import Report, check_log, read_lines, verify_bundle
from ngc_workbench.database import Database
from ngc_workbench.errors import Conflict, IntegrityError, Unavailable

_README = """\
An audit log of NGC Workbench: {size} events, exported {time}.

events.jsonl  the events; heads.jsonl  the signed heads; public.key  the log's public key
Check it with `ngc-workbench audit verify --bundle .`, or with the verifier alone (one file of Python):
python verifier.py . --public-key KEY-AS-PUBLISHED
People stand as tags (person:...); their names are not in this bundle.
"""


@dataclass(frozen=True)
class _Snapshot:
    db: Session
    heads: list[bytes]
    size: int
    fault: str
    time: str


@contextmanager
def _snapshot(database: Database, log: AuditLog) -> Iterator[_Snapshot]:
    """A view of the log at one moment, with a head over all its events (or the fault that prevents one)."""
    with database.reading() as db:
        if not database.is_sqlite:
            db.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        fault, time = "", ""
        with database.writing() as writer:
            try:
                time = log.hold_head(writer).time
            except IntegrityError as error:
                fault = error.what
            # The first statement of a transaction fixes what it sees; nobody can commit an event before it.
            size = db.scalar(select(AuditTree.size)) or 0
            heads = [line for line in _lines(log.heads_file) if not is_torn(line)]
        yield _Snapshot(db, heads, size, fault, time)


def _lines(path: Path) -> list[bytes]:
    return [line.removesuffix(b"\x00") for line in read_lines(path)] if path.exists() else []


def _event_lines(db: Session) -> Iterator[bytes]:
    rows = db.execute(
        select(AuditEvent.body, AuditEvent.leaf).order_by(AuditEvent.seq).execution_options(yield_per=2000)
    )
    for body, leaf in rows:
        yield b'{"body":' + body.encode() + b',"leaf":"' + leaf.hex().encode() + b'"}'


def verify_live(database: Database, log: AuditLog, *, actor: str = "") -> Report:
    """Verifies the log in the database against the file of heads and the tables that go with it.

    With an `actor`, the look and its result are recorded afterwards.
    """
    with _snapshot(database, log) as snapshot:
        notes = [snapshot.fault] if snapshot.fault else []
        notes += _check_tables(snapshot)
        report = check_log(lambda: _event_lines(snapshot.db), snapshot.heads, log.keys.public, notes=notes)
    if actor:
        details: dict[str, Detail] = {"ok": report.ok, "events": report.events, "fault": report.first_fault}
        # A log without its tree takes no more events; then the report is what counts.
        with suppress(IntegrityError, SQLAlchemyIntegrityError), database.writing() as db:
            log.append(db, "audit.verified", actor=actor, details=details)
    return report


def _check_tables(snapshot: _Snapshot) -> list[str]:
    notes: list[str] = []
    in_file = {line.decode("utf-8", "replace") for line in snapshot.heads}
    for number, line in snapshot.db.execute(select(AuditHead.number, AuditHead.line).order_by(AuditHead.number)):
        if line not in in_file:
            notes.append(f"Head {number} of the database is not in heads.jsonl.")
            break
    tree, last = CompactRange(), bytes(32)
    rows = select(AuditEvent.seq, AuditEvent.leaf).order_by(AuditEvent.seq).execution_options(yield_per=2000)
    for place, (seq, leaf) in enumerate(snapshot.db.execute(rows), start=1):
        if seq != place and not notes:
            notes.append(f"Row {seq} of the events stands where {place} should.")
        tree, last = tree.append(leaf), leaf
    stored = snapshot.db.execute(select(AuditTree.size, AuditTree.frontier, AuditTree.last_leaf)).first()
    if stored is None:
        if tree.size:
            notes.append("The tree's row is gone.")
    elif (stored.size, stored.frontier, stored.last_leaf) != (tree.size, tree.to_bytes(), last):
        notes.append("The tree's row does not fit the events.")
    return notes


def export_bundle(database: Database, log: AuditLog, target: Path, *, actor: str = "") -> int:
    """Writes a bundle to the new directory `target`, verifies what was written, and says how many events it holds.

    With an `actor`, the export is recorded first: it is the last event of the bundle.
    Raises Conflict when `target` exists, IntegrityError when no head can be signed over the events or the bundle does
    not verify (it is left there to be looked at), Unavailable when the disk does not take it.
    """
    if target.exists():
        raise Conflict(f"{target.name} exists already.", "Name a directory that does not exist.")
    if actor:
        with database.writing() as db:
            log.append(db, "audit.exported", actor=actor, details={"folder": target.name})
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with _snapshot(database, log) as snapshot:
            if snapshot.fault:
                raise IntegrityError(snapshot.fault, "Run `ngc-workbench audit verify` and call the security officer.")
            draft.mkdir(parents=True, mode=0o700)
            _write(draft / "events.jsonl", _event_lines(snapshot.db))
            _write(draft / "heads.jsonl", iter(snapshot.heads))
            shutil.copyfile(log.directory / PUBLIC, draft / PUBLIC)
            (draft / "README.txt").write_text(_README.format(size=snapshot.size, time=snapshot.time), encoding="utf-8")
        draft.rename(target)
    except OSError as error:
        raise Unavailable(f"The bundle can't be written: {error.strerror}.", "Check the disk.") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    # The same code as an outsider's, on the files and the public key that they get.
    report = verify_bundle(target)
    if not report.ok:
        raise IntegrityError(report.first_fault, "Keep this bundle as it is, and call the security officer.")
    return report.events


def _write(path: Path, lines: Iterator[bytes]) -> None:
    with path.open("wb") as file:
        for line in lines:
            file.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())
