"""Pausing a session, releasing it, and stopping it by a security officer's hand: the records, in one transaction each.

A pause stands in the session's row: the gateway reads it and passes nothing more, the warden freezes the container (`freezer`).
It is a hold on its person in its project: until it is released no session of theirs starts there, also when the
paused one was stopped. So stopping is no way round a pause.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from ngc_workbench.audit import AuditLog
from ngc_workbench.errors import Conflict, NotFound, Refused
from ngc_workbench.model import Session, utcnow
from ngc_workbench.policy.meter import BY_HAND, Pause, Thresholds, judge, may_release, over, reason_given
from ngc_workbench.policy.states import SESSION, move
from ngc_workbench.sessions import notices, traffic

STOPPED_BY_HAND = "officer.stopped"


def pause_of(row: Session) -> Pause | None:
    """The pause that a session's row holds; None when it holds none, or it was released."""
    if row.paused_at is None:
        return None
    facts = row.pause_facts
    return Pause(
        row.pause_reason, row.paused_at, str(facts.get("kind", "")), int(facts.get("shown", 0)),
        int(facts.get("limit", 0)), str(facts.get("why", "")),
    )  # fmt: skip


def count(db: Transaction, log: AuditLog, default: Thresholds, session: str, kinds: Mapping[str, int]) -> Pause | None:
    """Counts bytes that a session has shown, and pauses it when a threshold is passed: all in the caller's transaction.

    Gives the pause when this call made it. Bytes of a session that is not known count for nobody.
    """
    row = db.get(Session, session)
    if row is None:
        return None
    now = utcnow()
    traffic.add(db, session, kinds, now)
    if not move(SESSION, row.state, "paused"):
        return None
    allowed = traffic.allowed(db, default, row.project_name)
    used = traffic.used(db, row.person_name, row.project_name, now)
    decision, passed = judge(used, allowed), over(used, allowed)
    if decision or passed is None:
        return None
    facts = {"kind": passed.kind, "shown": passed.shown, "limit": passed.limit}
    return _pause(db, log, row, passed.reason, facts, actor="gateway", what=decision.text)


def pause(db: Transaction, log: AuditLog, *, session: str, actor: str, reason: str) -> Pause:
    """Pauses a running session by a security officer's hand. `reason` is theirs; the person reads it.

    The caller has checked that `actor` may. Raises InputError (the reason), NotFound, Conflict (it doesn't run).
    """
    why = reason_given(reason)
    row = _found(db, session)
    if not move(SESSION, row.state, "paused"):
        raise Conflict(f"The session is {row.state}.", "Only a running session can be paused.")
    return _pause(db, log, row, BY_HAND, {"why": why}, actor=actor, what=why)


def release(db: Transaction, log: AuditLog, *, session: str, actor: str, reason: str) -> Session:
    """Releases a pause: the session goes on (when it was not stopped meanwhile), and its person has a new allowance.

    The caller has checked that `actor` may. Raises InputError (the reason), NotFound, Conflict (nothing to release) and
    Refused (their own; the caller's transaction records nothing then, see `refuse`).
    """
    why = reason_given(reason)
    row = _found(db, session)
    if row.paused_at is None:
        raise Conflict("The session is not paused.", "There is nothing to release.")
    may_release(actor, row.person_name).or_refuse()
    now = utcnow()
    log.append(
        db, "session.released", actor=actor, decision="allow", reason="officer.released", project=row.project_name, session=row.id,
        details={"why": why, "person": row.person_name, "paused_by": row.pause_reason, "state": row.state},
    )  # fmt: skip
    if row.state == "paused":
        row.state = "running"
    row.paused_at, row.pause_reason, row.pause_facts, row.metered_from = None, "", {}, now
    traffic.forgive(db, row.person_name, row.project_name, now)
    db.flush()
    return row


def stop(db: Transaction, log: AuditLog, *, session: str, actor: str, reason: str) -> Session:
    """Stops a session by a security officer's hand; the warden takes its container away. A pause stays until it is released.

    The caller has checked that `actor` may. Raises InputError (the reason), NotFound, Conflict (it has stopped already).
    """
    why = reason_given(reason)
    row = _found(db, session)
    if not move(SESSION, row.state, "stopped"):
        raise Conflict("The session has stopped already.")
    row.state, row.stopped, row.stop_reason = "stopped", utcnow(), STOPPED_BY_HAND
    log.append(
        db, "session.stopped", actor=actor, decision="deny", reason=STOPPED_BY_HAND, project=row.project_name, session=row.id,
        details={"what": why, "person": row.person_name, "bytes_out": row.bytes_out},
    )  # fmt: skip
    db.flush()
    return row


def refuse(db: Transaction, log: AuditLog, refused: Refused, *, session: str, actor: str) -> None:
    """Records that an officer was refused, in a transaction of its own: the one that was refused is rolled back."""
    row = db.get(Session, session)
    log.append(
        db, "command.refused", actor=actor, decision="deny", reason=refused.reason,
        project=row.project_name if row else "", session=session,
    )  # fmt: skip


def held(db: Transaction, person: str, project: str) -> Session | None:
    """The person's session in the project whose pause was not released, if there is one; the newest."""
    return db.scalar(
        select(Session)
        .where(Session.person_name == person, Session.project_name == project, Session.paused_at.is_not(None))
        .order_by(Session.paused_at.desc())
        .limit(1)
    )


def holds(db: Transaction) -> list[Session]:
    """All sessions whose pause was not released, newest first."""
    return list(db.scalars(select(Session).where(Session.paused_at.is_not(None)).order_by(Session.paused_at.desc())))


def live(db: Transaction, states: Iterable[str] = ("starting", "running", "paused")) -> list[Session]:
    """Sessions in one of `states`, newest first."""
    return list(db.scalars(select(Session).where(Session.state.in_(tuple(states))).order_by(Session.started.desc())))


def _found(db: Transaction, session: str) -> Session:
    row = db.get(Session, session)
    if row is None:
        raise NotFound(f"There is no session {session}.", "`ngc-workbench session list` shows what there is.")
    return row


def _pause(
    db: Transaction, log: AuditLog, row: Session, reason: str, facts: Mapping[str, Any], *, actor: str, what: str
) -> Pause:
    row.state, row.paused_at, row.pause_reason, row.pause_facts = "paused", utcnow(), reason, dict(facts)
    numbers = {key: facts[key] for key in ("kind", "shown", "limit") if key in facts}
    log.append(
        db, "session.paused", actor=actor, decision="deny", reason=reason, project=row.project_name, session=row.id,
        details={"what": what, "person": row.person_name, **numbers},
    )  # fmt: skip
    notices.write(db, row)
    db.flush()
    found = pause_of(row)
    assert found is not None  # noqa: S101 - set above; here for the type checker
    return found
