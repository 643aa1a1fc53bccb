"""What the security officer is told: written with what it tells of, delivered by the warden until the other side has taken it.

A notice is a row, made in the transaction that paused the session. The warden spreads it over the channels that are set up (a row each),
and tries each with growing pauses, without end. What a kill interrupts is tried again, so a notice may arrive twice: its `id`
says so. The portal shows what waits and why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session as Transaction

from ngc_workbench.database import Database
from ngc_workbench.model import Delivery, Notice, Session, utcnow
from ngc_workbench.sessions.channels import Message, NotTaken

Channels = Mapping[str, Callable[[Message], None]]
"""Name to what sends: it raises NotTaken when the other side did not take the message."""

FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(hours=1)
_AT_ONCE = 20


@dataclass(frozen=True)
class Waiting:
    """A delivery that has failed so far."""

    notice: int
    session: str
    channel: str
    created: datetime
    tries: int
    next_try: datetime
    last_error: str


def write(db: Transaction, row: Session) -> None:
    """A notice that the session was paused; in the caller's transaction. An officer's own words stay in the portal."""
    facts = row.pause_facts
    db.add(
        Notice(
            kind="session.paused",
            session_id=row.id,
            body={
                "reason": row.pause_reason, "project": row.project_name, "person": row.person_name,
                "since": row.paused_at.isoformat(timespec="seconds") if row.paused_at else "",
                "traffic": facts.get("kind", ""), "shown_bytes": facts.get("shown", 0), "limit_bytes": facts.get("limit", 0),
            },
        )
    )  # fmt: skip


def spread(database: Database, channels: Channels) -> int:
    """Writes the deliveries of new notices, one a channel; gives how many notices there were."""
    with database.reading() as db:
        if db.scalar(select(Notice.id).where(Notice.spread.is_(False)).limit(1)) is None:
            return 0
    with database.writing() as db:
        new = list(db.scalars(select(Notice).where(Notice.spread.is_(False))))
        for notice in new:
            notice.spread = True
            db.add_all(Delivery(notice_id=notice.id, channel=name) for name in channels)
    return len(new)


def deliver(database: Database, channels: Channels, now: datetime | None = None) -> int:
    """Tries what is due; gives how many were taken. Oldest first, a channel that fails holds up no other."""
    moment = now or utcnow()
    with database.reading() as db:
        due = db.execute(
            select(Delivery, Notice)
            .join(Notice, Notice.id == Delivery.notice_id)
            .where(Delivery.sent.is_(None), Delivery.next_try <= moment, Delivery.channel.in_(channels))
            .order_by(Delivery.notice_id)
            .limit(_AT_ONCE)
        ).all()
        waiting = [(delivery.channel, delivery.tries, _message(notice)) for delivery, notice in due]
    taken = 0
    failed: set[str] = set()
    for channel, tries, message in waiting:
        # One try a round tells that a channel is down; the others would wait for its silence.
        if channel in failed:
            continue
        try:
            channels[channel](message)
        except NotTaken as error:
            failed.add(channel)
            pause = min(FIRST_PAUSE * 2 ** min(tries, 20), LONGEST_PAUSE)
            _set(database, message.id, channel, tries=tries + 1, next_try=utcnow() + pause, last_error=str(error)[:300])
        else:
            taken += 1
            _set(database, message.id, channel, tries=tries + 1, sent=utcnow(), last_error="")
    return taken


def failing(db: Transaction) -> list[Waiting]:
    """Deliveries that were tried and not taken yet, newest first."""
    rows = db.execute(
        select(Delivery, Notice)
        .join(Notice, Notice.id == Delivery.notice_id)
        .where(Delivery.sent.is_(None), Delivery.tries > 0)
        .order_by(Notice.created.desc())
        .limit(50)
    )
    return [
        Waiting(
            notice.id, notice.session_id, delivery.channel, notice.created, delivery.tries, delivery.next_try,
            delivery.last_error,
        )
        for delivery, notice in rows
    ]  # fmt: skip


def _set(database: Database, notice: int, channel: str, **values: object) -> None:
    with database.writing() as db:
        db.execute(update(Delivery).where(Delivery.notice_id == notice, Delivery.channel == channel).values(**values))


def _message(notice: Notice) -> Message:
    return Message(notice.id, notice.kind, notice.created, notice.session_id, dict(notice.body))
