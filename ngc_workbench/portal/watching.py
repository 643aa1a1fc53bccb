"""What the security officer's page shows of sessions: who, what was shown, what holds them, and what nobody could be told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session as Transaction

from ngc_workbench.model import Person, Session, utcnow
from ngc_workbench.policy.meter import Pause, Reading, known_kinds, readings
from ngc_workbench.sessions import notices, pause, traffic
from ngc_workbench.settings import Settings

_HOURS = 12


@dataclass(frozen=True)
class Hours:
    """Bytes by hour (newest first) and kind."""

    kinds: tuple[str, ...]
    rows: tuple[tuple[datetime, tuple[int, ...]], ...]


@dataclass(frozen=True)
class Watched:
    """One session. `nearest` is the threshold that it is nearest to, or furthest beyond."""

    session: Session
    full_name: str
    pause: Pause | None
    nearest: Reading
    hours: Hours


@dataclass(frozen=True)
class Board:
    """The whole page. `held` were paused and not released, `running` are those that may go on."""

    held: tuple[Watched, ...]
    running: tuple[Watched, ...]
    failing: tuple[notices.Waiting, ...]


def board(db: Transaction, settings: Settings) -> Board:
    """All of it, as it is now."""
    held = pause.holds(db)
    return Board(
        tuple(_watched(db, settings, row) for row in held),
        tuple(_watched(db, settings, row) for row in pause.live(db, ("starting", "running"))),
        tuple(notices.failing(db)),
    )


def hours(db: Transaction, session: str, most: int = _HOURS) -> Hours:
    """A session's bytes as a small table."""
    shown = traffic.table(db, session, most)
    kinds = tuple(known_kinds(one.kind for one in shown))
    found: dict[datetime, dict[str, int]] = {}
    for one in shown:
        found.setdefault(one.hour, {})[one.kind] = one.bytes
    return Hours(kinds, tuple((hour, tuple(row.get(kind, 0) for kind in kinds)) for hour, row in found.items()))


def _watched(db: Transaction, settings: Settings, row: Session) -> Watched:
    person = db.get(Person, row.person_name)
    allowed = traffic.allowed(db, traffic.default_thresholds(settings), row.project_name)
    used = traffic.used(db, row.person_name, row.project_name, utcnow())
    return Watched(
        row, person.full_name if person else row.person_name, pause.pause_of(row), readings(used, allowed)[0],
        hours(db, row.id),
    )  # fmt: skip


def board_json(found: Board, csrf: str) -> dict[str, Any]:
    """The page for programs."""
    return {
        "csrf": csrf,
        "held": [_json(one) for one in found.held],
        "running": [_json(one) for one in found.running],
        "failing": [
            {"notice": one.notice, "session": one.session, "channel": one.channel, "tries": one.tries, "last_error": one.last_error,
             "next_try": one.next_try.isoformat(timespec="seconds")}
            for one in found.failing
        ],
    }  # fmt: skip


def _json(one: Watched) -> dict[str, Any]:
    return {
        "session": one.session.id,
        "person": one.session.person_name,
        "project": one.session.project_name,
        "state": one.session.state,
        "bytes_out": one.session.bytes_out,
        "pause": None if one.pause is None else {
            "reason": one.pause.reason, "since": one.pause.since.isoformat(timespec="seconds"), "kind": one.pause.kind,
            "shown": one.pause.shown, "limit": one.pause.limit, "why": one.pause.why,
        },
        "hours": [
            {"hour": hour.isoformat(timespec="seconds"), **dict(zip(one.hours.kinds, counts, strict=True))}
            for hour, counts in one.hours.rows
        ],
    }  # fmt: skip
