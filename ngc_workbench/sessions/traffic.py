"""What sessions showed to browsers: bytes by session, hour and kind.

Added to in the caller's transaction, so the sum of these rows is a session's `bytes_out` at any moment, and nothing is counted
twice. Reading and adding take one writing transaction, of which there is one at a time: any number of gateways may count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, select, text, update
from sqlalchemy.orm import Session as Transaction

from ngc_workbench.model import Project, Session, Traffic
from ngc_workbench.model.base import Moment
from ngc_workbench.policy.meter import MEGABYTE, Thresholds, Used, thresholds
from ngc_workbench.settings import Settings

DAY = timedelta(hours=23)
"""How far back, from the running hour's begin, a day reaches."""

# SQLite and PostgreSQL read this alike.
_ADD = text(
    "INSERT INTO traffic (session_id, hour, kind, bytes, released) VALUES (:session, :hour, :kind, :bytes, 0)"
    " ON CONFLICT (session_id, hour, kind) DO UPDATE SET bytes = traffic.bytes + excluded.bytes"
).bindparams(bindparam("hour", type_=Moment()))


@dataclass(frozen=True)
class Shown:
    """Bytes of one kind in one hour."""

    hour: datetime
    kind: str
    bytes: int


def hour_of(moment: datetime) -> datetime:
    """The begin of the clock hour."""
    return moment.replace(minute=0, second=0, microsecond=0)


def add(db: Transaction, session: str, kinds: Mapping[str, int], now: datetime) -> None:
    """Counts bytes (by kind) for a session that there is: in the running hour's rows, and in its sum."""
    for kind, count in kinds.items():
        db.execute(_ADD, {"session": session, "hour": hour_of(now), "kind": kind, "bytes": count})
    db.execute(
        update(Session).where(Session.id == session).values(bytes_out=Session.bytes_out + sum(kinds.values())),
        execution_options={"synchronize_session": False},
    )


def used(db: Transaction, person: str, project: str, now: datetime) -> Used:
    """What counts towards the thresholds of a person in a project, over all of their sessions there."""
    counts = func.sum(Traffic.bytes - Traffic.released)
    rows = db.execute(
        select(Traffic.hour, Traffic.kind, counts)
        .join(Session, Session.id == Traffic.session_id)
        .where(
            Session.person_name == person, Session.project_name == project, Traffic.hour >= hour_of(now) - DAY,
        )
        .group_by(Traffic.hour, Traffic.kind)
    ).all()  # fmt: skip
    hour = hour_of(now)
    return Used(
        day=sum(int(count) for _, _, count in rows),
        kinds={kind: int(count) for at, kind, count in rows if at == hour},
    )


def allowed(db: Transaction, default: Thresholds, project: str) -> Thresholds:
    """The thresholds of a project."""
    limits = db.scalar(select(Project.limits).where(Project.name == project))
    return thresholds(default, limits or {})


def default_thresholds(settings: Settings) -> Thresholds:
    """The installation's thresholds, in bytes."""
    return Thresholds(
        hour=settings.meter_hour_mb * MEGABYTE,
        day=settings.meter_day_mb * MEGABYTE,
        kinds={kind: mb * MEGABYTE for kind, mb in settings.meter_kind_hour_mb.items()},
    )


def forgive(db: Transaction, person: str, project: str, now: datetime) -> None:
    """Opens a new allowance: nothing that was counted so far counts towards a threshold any more."""
    mine = select(Session.id).where(Session.person_name == person, Session.project_name == project)
    db.execute(
        update(Traffic)
        .where(Traffic.session_id.in_(mine), Traffic.hour >= hour_of(now) - DAY)
        .values(released=Traffic.bytes),
        execution_options={"synchronize_session": False},
    )


def shown_since(db: Transaction, person: str, project: str, since: datetime) -> int:
    """Bytes shown to a person in a project from `since` (a full hour) on, released or not."""
    return int(
        db.scalar(
            select(func.sum(Traffic.bytes))
            .join(Session, Session.id == Traffic.session_id)
            .where(Session.person_name == person, Session.project_name == project, Traffic.hour >= since)
        )
        or 0
    )


def table(db: Transaction, session: str, hours: int = 24) -> list[Shown]:
    """A session's bytes by hour and kind, newest hour first: of the last `hours` in which it showed anything."""
    newest = (
        select(Traffic.hour).where(Traffic.session_id == session).distinct().order_by(Traffic.hour.desc()).limit(hours)
    )
    rows = db.execute(
        select(Traffic.hour, Traffic.kind, Traffic.bytes)
        .where(Traffic.session_id == session, Traffic.hour.in_(newest))
        .order_by(Traffic.hour.desc(), Traffic.kind)
    )
    return [Shown(hour, kind, count) for hour, kind, count in rows]
