"""The log: events in the database, appended in the caller's transaction; heads signed over what is committed.

An event is written with the decision that it records, in one transaction: either both stand, or neither does. Writers
come one at a time (`Database.writing()` holds the write lock), which is what numbers without gaps and a tree ask for.

A head is signed in a transaction of its own, never in one that appends: the file of heads can't be rolled back, and
a head over events that were rolled back would look like events that were dropped. It goes to the file first and to the
table second, so each head of the table stands in the file.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from ngc_workbench.audit import heads
from ngc_workbench.audit.events import (
    FIRST_PREV,
    DecisionWord,
    Detail,
    Event,
    StoredDetail,
    micros,
    plain_details,
    plain_text,
    timestamp,
)
from ngc_workbench.audit.heads import Head
from ngc_workbench.audit.keys import HEADS, load_or_create
from ngc_workbench.audit.merkle import CompactRange, leaf_hash
from ngc_workbench.audit.tables import AuditEvent, AuditHead, AuditIdentity, AuditTree
from ngc_workbench.audit.vocabulary import KINDS, PERSON_SUBJECTS, PERSONAL_KEYS, SERVICES
from ngc_workbench.database import Database
from ngc_workbench.errors import IntegrityError, NotFound
from ngc_workbench.model import Person

MAX_HEAD_AGE = timedelta(seconds=60)
"""How long committed events wait for a head when services look after it: the precision with which a rewrite of
everything from some event on can be placed."""

_TAG = re.compile(r"person:[0-9a-f]{32}")


class Name(str):
    """Text in an event's subject or details that is a person's name: it is stored as their tag."""

    __slots__ = ()


@dataclass(frozen=True)
class State:
    """Where the tree stands: the compact range, the last leaf's hash (hexadecimal), the last event's time (µs)."""

    tree: CompactRange
    last_leaf: str
    last_time: int


class AuditLog:
    """One installation's log. `directory` holds its keys and heads.jsonl; they are made on first use.

    Raises IntegrityError when a key is missing beside existing heads.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.keys = load_or_create(directory)
        self.heads_file = directory / HEADS

    # -- writing ----------------------------------------------------------------------------------

    def append(
        self,
        db: Session,
        kind: str,
        *,
        actor: str,
        decision: DecisionWord = "none",
        reason: str = "",
        project: str = "",
        session: str = "",
        subject: str = "",
        details: Mapping[str, Detail] | None = None,
    ) -> Event:
        """Records one event in the caller's `writing()` transaction.

        `actor` is a person's name, a service (`vocabulary.SERVICES`) or empty when nobody is known. Names of people are
        replaced by tags: the actor, a subject that is a person (or is said to be by its kind), details under `vocabulary.PERSONAL_KEYS`,
        anything given as `Name`, and the actor's name wherever else it stands. CPR numbers are masked.

        Raises ValueError for what only a mistake in our code can give: an unknown kind, a decision without a reason,
        details of another type, a transaction that is not a writing one.
        """
        if not db.connection().get_execution_options().get("writing"):
            raise ValueError("an event is appended in a writing() transaction")
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is no kind of event; audit/vocabulary.py lists them")
        if decision not in ("allow", "deny", "none") or (decision != "none" and not reason):
            raise ValueError(f"{kind}: {decision!r} must be allow, deny or none, and a decision has a reason")
        state = _state(db)
        now = micros(datetime.now(UTC))
        about_person = subject and (kind in PERSON_SUBJECTS or _is_person(db, subject))
        subject_text: str = Name(subject) if about_person else subject
        event = Event(
            seq=state.tree.size + 1,
            prev=state.last_leaf,
            time=timestamp(max(now, state.last_time)),
            kind=kind,
            actor=self._actor(db, actor),
            decision=decision,
            reason=plain_text(reason),
            project=plain_text(project),
            session=plain_text(session),
            subject=plain_text(self._untold(db, subject_text, actor)),
            details={key: self._untold_detail(db, key, value, actor) for key, value in (details or {}).items()},
            clock_back_us=max(0, state.last_time - now),
        )
        _store(db, state, event, max(now, state.last_time))
        return event

    def sign_head(self, database: Database) -> Head:
        """Signs a head over all committed events, in a transaction of its own. Raises as `hold_head`."""
        with database.writing() as db:
            return self.hold_head(db)

    def sign_head_if_stale(self, database: Database, max_age: timedelta = MAX_HEAD_AGE) -> Head | None:
        """Signs a head when there are events without one and the last head is older than `max_age`; for services to call."""
        with database.reading() as db:
            last = db.scalar(select(AuditHead).order_by(AuditHead.number.desc()).limit(1))
            size = db.scalar(select(AuditTree.size)) or 0
        if last is not None and (last.size == size or datetime.now(UTC) - last.signed < max_age):
            return None
        return self.sign_head(database) if size else None

    def hold_head(self, db: Session) -> Head:
        """A head over all events, signed now unless the last one covers them. `db` is writing, and appends nothing.

        Raises IntegrityError when the file of heads knows of more than the database, or lacks what the database knows:
        one of them was put back or rewritten. Raises Unavailable when the file can't be written.
        """
        state = _state(db)
        last, torn = heads.last_in(self.heads_file)
        known = db.scalar(select(AuditHead.number).order_by(AuditHead.number.desc()).limit(1)) or 0
        if known > (last.number if last else 0):
            raise IntegrityError(
                "Heads that the database knows are missing from heads.jsonl.", "Call the security officer."
            )
        if last is not None and last.size > state.tree.size:
            raise IntegrityError(
                f"A head was signed over {last.size} events, but the database holds {state.tree.size}.",
                "Events were dropped, or an old backup was put back: call the security officer.",
            )
        root = state.tree.root()
        if last is not None and last.size == state.tree.size:
            if last.root != root.hex():
                raise IntegrityError(
                    "The tree is not the one that the last head was signed over.", "Call the security officer."
                )
            head = last
        else:
            head = heads.next_head(last, state.tree.size, root, self.keys)
            heads.append_line(self.heads_file, head.line(self.keys), after_torn=torn)
        if head.number != known:
            line = head.line(self.keys).decode()
            signed = datetime.fromisoformat(head.time)
            db.add(AuditHead(number=head.number, size=head.size, signed=signed, line=line))
        return head

    # -- reading ----------------------------------------------------------------------------------

    def read(
        self, db: Session, *, kind: str = "", project: str = "", session: str = "", before: int = 0, limit: int = 100
    ) -> list[Event]:
        """Events, newest first, with names in place of tags. Empty arguments leave out nothing; `before` is a `seq`."""
        query = select(AuditEvent.body).order_by(AuditEvent.seq.desc())
        wanted = {"kind": kind, "project": project, "session": session}
        for field, value in wanted.items():
            if value:
                query = query.where(AuditEvent.body.contains(f'"{field}":"{value}"', autoescape=True))
        if before:
            query = query.where(AuditEvent.seq < before)
        found: list[Event] = []
        for body in db.scalars(query.execution_options(yield_per=500)):
            # The text above may also stand in an event's details.
            event = Event.from_body(body)
            if all(not value or getattr(event, field) == value for field, value in wanted.items()):
                found.append(event)
                if len(found) == limit:
                    break
        return self._told(db, found)

    def names(self, db: Session, tags: Iterable[str]) -> dict[str, str]:
        """The names behind tags; a tag whose name was erased is left out."""
        wanted = sorted(set(tags))
        rows = db.execute(select(AuditIdentity.tag, AuditIdentity.name).where(AuditIdentity.tag.in_(wanted)))
        return {row.tag: row.name for row in rows}

    def erase(self, db: Session, name: str, *, actor: str, reason: str) -> Event:
        """Forgets who stands behind a tag. Events, proofs and heads stay as they are. Raises NotFound."""
        tag = db.scalar(select(AuditIdentity.tag).where(AuditIdentity.name == name))
        if tag is None:
            raise NotFound("The audit log knows nobody of that name.")
        db.execute(delete(AuditIdentity).where(AuditIdentity.tag == tag))
        return self.append(db, "audit.erased", actor=actor, reason=reason, subject=tag)

    # -- names and tags -----------------------------------------------------------------------------

    def tag(self, db: Session, name: str) -> str:
        """The tag that stands for a person in leaves; made at their first event. `db` is a writing transaction."""
        # A name that is a CPR number (a provider's choice, not ours) is kept out of the table of names too.
        shown = plain_text(name)
        if _TAG.fullmatch(shown):
            return shown
        known = db.scalar(select(AuditIdentity.tag).where(AuditIdentity.name == shown))
        if known is not None:
            return known
        salt = secrets.token_bytes(16)
        tag = f"person:{hmac.new(self.keys.tagging, salt + shown.encode(), hashlib.sha256).hexdigest()[:32]}"
        db.execute(insert(AuditIdentity).values(tag=tag, name=shown, salt=salt))
        return tag

    def _actor(self, db: Session, actor: str) -> str:
        if actor in SERVICES:
            return f"service:{actor}"
        return self.tag(db, actor) if actor else ""

    def _untold(self, db: Session, value: str, actor: str) -> str:
        if isinstance(value, Name):
            return self.tag(db, value)
        if actor and actor not in SERVICES and actor in value:
            # Paths and messages hold the name of whoever caused them.
            whole_word = rf"(?<![0-9A-Za-z]){re.escape(actor)}(?![0-9A-Za-z])"
            value = re.sub(whole_word, self.tag(db, actor), value)
        return value

    def _untold_detail(self, db: Session, key: str, value: Detail, actor: str) -> StoredDetail:
        personal = key in PERSONAL_KEYS
        if isinstance(value, str):
            value = self._untold(db, Name(value) if personal and value else value, actor)
        elif isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
            value = [self._untold(db, Name(item) if personal and item else item, actor) for item in value]
        return plain_details({key: value})[key]

    def _told(self, db: Session, found: list[Event]) -> list[Event]:
        bodies = [event.body().decode() for event in found]
        names = self.names(db, {tag for body in bodies for tag in _TAG.findall(body)})

        def told(value: Detail) -> StoredDetail:
            if isinstance(value, str):
                return _TAG.sub(lambda tag: names.get(tag[0], tag[0]), value)
            return value if isinstance(value, int) else [str(told(item)) for item in value]

        return [
            Event(
                **{
                    **vars(event),
                    "actor": told(event.actor),
                    "subject": told(event.subject),
                    "details": {key: told(value) for key, value in event.details.items()},
                }
            )
            for event in found
        ]


def _is_person(db: Session, name: str) -> bool:
    known = select(AuditIdentity.name).where(AuditIdentity.name == name)
    return db.scalar(known.union_all(select(Person.name).where(Person.name == name)).limit(1)) is not None


def _state(db: Session) -> State:
    # Locked where the database knows row locks; SQLite's writing transaction holds the whole file.
    row = db.execute(
        select(AuditTree.size, AuditTree.frontier, AuditTree.last_leaf, AuditTree.last_time)
        .where(AuditTree.id == 1)
        .with_for_update()
    ).first()
    if row is not None:
        return State(CompactRange.from_bytes(row.size, row.frontier), row.last_leaf.hex(), row.last_time)
    if db.scalar(select(AuditEvent.seq).limit(1)) is not None:
        raise IntegrityError("The audit log has events but no tree.", "Call the security officer.")
    return State(CompactRange(), FIRST_PREV, 0)


def _store(db: Session, before: State, event: Event, time: int) -> None:
    body = event.body()
    leaf = leaf_hash(body)
    tree = before.tree.append(leaf)
    row = {"size": tree.size, "frontier": tree.to_bytes(), "last_leaf": leaf, "last_time": time}
    db.execute(insert(AuditEvent).values(seq=event.seq, leaf=leaf, body=body.decode()))
    if before.tree.size == 0:
        db.execute(insert(AuditTree).values(id=1, **row))
        return
    moved = db.execute(update(AuditTree).where(AuditTree.id == 1, AuditTree.size == before.tree.size).values(**row))
    if not isinstance(moved, CursorResult) or moved.rowcount != 1:
        raise IntegrityError("The audit log's tree changed under a writer.", "Call the security officer.")
