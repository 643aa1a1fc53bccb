"""Views that end: sessions that mount a replaced one are told and may go on until a deadline; a retired one has none."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy import update as sql_update
from sqlalchemy.orm import Session

from ngc_workbench.audit import AuditLog
from ngc_workbench.model import Session as SessionRow
from ngc_workbench.model import View, utcnow

_LIVE = ("starting", "running", "paused")


def mounted_views(session: SessionRow) -> set[int]:
    """Ids of the views that a session mounts."""
    return {int(mount["view"]) for mount in session.mounts if mount.get("view") is not None}


def tell_sessions(db: Session, log: AuditLog, old_views: Sequence[View], *, ends: datetime, actor: str) -> int:
    """Sets the end of each living session that mounts one of `old_views`; gives how many there are.

    Call it in the transaction that retires the views for new ones: sessions that start afterwards mount those. An
    earlier end that was set before stays. `warden` ends the sessions, the portal shows them the time left.
    """
    old = {view.id for view in old_views}
    if not old:
        return 0
    told = 0
    projects = {view.project_name for view in old_views}
    for row in db.scalars(
        select(SessionRow).where(SessionRow.project_name.in_(projects), SessionRow.state.in_(_LIVE))
    ).all():
        mounted = mounted_views(row) & old
        if not mounted:
            continue
        told += 1
        if row.ends is not None and row.ends <= ends:
            continue
        row.ends = ends
        log.append(
            db, "session.told", actor=actor, reason="view.replaced", project=row.project_name, session=row.id,
            details={"ends": ends.isoformat(timespec="seconds"), "views": [str(view) for view in sorted(mounted)]},
        )  # fmt: skip
    db.flush()
    return told


def replaced_views(db: Session, mounted: Collection[int], current: Sequence[View]) -> frozenset[int]:
    """Those of the `mounted` views that were retired because one of `current` took their place."""
    places = {(view.project_name, view.release_id): view.id for view in current}
    return frozenset(
        old.id
        for old in db.scalars(select(View).where(View.id.in_(mounted), View.retired.is_not(None)))
        if places.get((old.project_name, old.release_id), 0) > old.id
    )


def retire(db: Session, log: AuditLog, view: View, *, reason: str, actor: str, name: str, what: str = "") -> bool:
    """Ends a view without a new one; its sessions are stopped within a minute. False when it had ended already.

    `name` is dataset/release, `what` says it to the reader of the log.
    """
    moment = utcnow()
    row = db.get_one(View, view.id)
    if row.retired is not None:
        return False
    db.execute(sql_update(View).where(View.id == view.id).values(retired=moment))
    log.append(
        db, "view.retired", actor=actor, reason=reason, project=view.project_name, subject=name,
        details={"folder": view.folder, "what": what},
    )  # fmt: skip
    return True
