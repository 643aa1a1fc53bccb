"""Refreshing views: nobody who opted out is in one afterwards, and a proof says so.

Which views hold somebody is asked of the database and the lists of columns each time, never remembered. So a run that is
killed leaves every view as it is, old or new, and the next run does what is left. A view that can't be built without
these people is retired: nobody mounts it any more.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from ngc_workbench import people
from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database
from ngc_workbench.errors import Conflict, IntegrityError, NotFound, Refused, WorkbenchError
from ngc_workbench.genomes import optouts, proofs, store, views
from ngc_workbench.genomes.optouts import Holding, current_views, holdings
from ngc_workbench.genomes.proofs import Proof
from ngc_workbench.genomes.recounting import Recounted, recount_release
from ngc_workbench.genomes.replaced import retire, tell_sessions
from ngc_workbench.model import Project, Release, View, utcnow
from ngc_workbench.settings import Settings

_ACTION = "genomes.optout"
_TRIES = 3
"""Builds of one view: opt-outs that come in meanwhile make a new one necessary."""
_BUILT_FOR = frozenset({"approved", "active"})


@dataclass(frozen=True)
class Changed:
    """One view that held somebody. `reason` is empty when it was rebuilt, else why it was retired without a new one.

    `before` and `after` are its people and its digest; after: 0 and empty when it was retired.
    """

    project: str
    dataset: str
    release: str
    held: int
    people_before: int
    digest_before: str
    people_after: int
    digest_after: str
    reason: str


@dataclass(frozen=True)
class Refreshed:
    """What a refresh did and counted. `told`: sessions with a view that was replaced; they end at a deadline."""

    changed: tuple[Changed, ...]
    recounted: tuple[Recounted, ...]
    told: int
    proof: Proof


def refresh_views(
    settings: Settings,
    database: Database,
    log: AuditLog,
    *,
    actor: str,
    deadline: timedelta | None = None,
    progress: Callable[[str], None] = store.quiet,
) -> Refreshed:
    """Rebuilds every view that holds somebody who must be left out, counts all views of the releases concerned.

    Sessions with a replaced view are stopped after `deadline` (default: the setting view_replaced_grace_min). A view
    whose count is wrong is retired at once. Raises Refused (role; recorded), Unavailable (Docker, disk; what is done
    stays, the next run does the rest), Conflict (another job keeps the lock), IntegrityError (a count was wrong).
    """
    people.require(database, log, actor, _ACTION, kind="views.refreshed")
    grace = timedelta(minutes=settings.view_replaced_grace_min) if deadline is None else deadline
    changed: list[Changed] = []
    damaged: IntegrityError | None = None
    try:
        for holding, done in _one_by_one(settings, database, progress):
            try:
                changed.append(_renewed(settings, database, log, actor, holding, grace, done))
            except IntegrityError as error:
                damaged = damaged or error
                changed.append(_retired(database, log, actor, holding, "view.not_rebuilt", error.what))
        told = _tell(database, log, actor, grace)
        recounted = recount(settings, database, progress)
    except WorkbenchError as error:
        with database.writing() as db:
            log.append(
                db, "views.refreshed", actor=actor, reason="refresh.unfinished",
                details={"changed": len(changed), "what": error.what},
            )  # fmt: skip
        raise
    wrong = [one for one in recounted if one.faults]
    for one in wrong:
        _distrust(database, log, actor, one)
    proof = proofs.write(settings, _content(settings, database, changed, recounted))
    with database.writing() as db:
        decision = people.holds(people.get(db, actor), _ACTION)
        log.append(
            db, "views.refreshed", actor=actor, decision="deny" if wrong else "allow",
            reason="proof.failed" if wrong else decision.reason,
            details={
                "proof": proof.name, "sha256": proof.sha256, "recounted": len(recounted), "wrong": len(wrong), "told": told,
                "changed": [f"{one.project}: {one.dataset}/{one.release} {one.reason or 'rebuilt'}" for one in changed],
            },
        )  # fmt: skip
    views.clean(settings, database)
    if wrong:
        raise IntegrityError(
            f"{len(wrong)} views are not what they must be and were retired: {wrong[0].project}, "
            f"{wrong[0].dataset}/{wrong[0].release}: {wrong[0].faults[0]}.",
            f"Call the security officer; the proof {proof.name} says more.",
        )
    if damaged is not None:
        raise damaged
    return Refreshed(tuple(changed), tuple(recounted), told, proof)


def recount(settings: Settings, database: Database, progress: Callable[[str], None]) -> list[Recounted]:
    """Counts every view in force of each release from which somebody must be left out. Takes the custodian's lock."""
    with store.locked(settings, progress):
        with database.reading() as db:
            found: dict[int, tuple[Release, frozenset[str], list[tuple[View, Project]]]] = {}
            for view, release, project in current_views(db):
                if release.id not in found:
                    found[release.id] = (release, optouts.left_out(db, release), [])
                found[release.id][2].append((view, project))
        counted: list[Recounted] = []
        for release, out, members in found.values():
            if out:
                counted += recount_release(settings, release, members, out, progress)
    return counted


def _one_by_one(settings: Settings, database: Database, progress: Callable[[str], None]) -> Any:
    """Each view that holds somebody, with its own `progress`; asked anew before each, as opt-outs may come in."""
    seen: set[int] = set()
    begun = time.monotonic()
    while True:
        with database.reading() as db:
            left = [one for one in holdings(settings, db) if one.view.id not in seen]
        if not left:
            return
        done = len(seen)
        words = f"View {done + 1} of {done + len(left)}, {left[0].name} for {left[0].project.name}"
        if done:
            words += f", about {_duration((time.monotonic() - begun) / done * len(left))} left"
        progress(words)
        seen.add(left[0].view.id)
        yield left[0], lambda text, words=words: progress(f"{words}: {text}")


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _renewed(
    settings: Settings,
    database: Database,
    log: AuditLog,
    actor: str,
    holding: Holding,
    grace: timedelta,
    progress: Callable[[str], None],
) -> Changed:
    """Builds the view anew, or retires it where policy or the number of people left does not allow a new one."""
    if holding.project.state not in _BUILT_FOR:
        return _retired(database, log, actor, holding, "project.not_active", f"The project is {holding.project.state}.")
    for attempt in range(_TRIES):
        # Waited for here: a lock that another job keeps is no reason to retire a view.
        with store.locked(settings, progress):
            pass
        try:
            view = views.build_view(
                settings, database, log, project=holding.project.name, dataset=holding.release.dataset_name,
                release=holding.release.name, actor=actor, progress=progress, grace=grace,
            )  # fmt: skip
        except Refused as error:
            return _retired(database, log, actor, holding, error.reason, error.what)
        except (Conflict, NotFound) as error:
            if attempt + 1 == _TRIES:
                return _retired(database, log, actor, holding, "view.not_rebuilt", error.what)
        else:
            return _changed(holding, view.people, view.digest, "")
    raise AssertionError


def _changed(holding: Holding, people_after: int, digest_after: str, reason: str) -> Changed:
    return Changed(
        project=holding.project.name, dataset=holding.release.dataset_name, release=holding.release.name,
        held=len(holding.held or ()), people_before=holding.view.people, digest_before=holding.view.digest,
        people_after=people_after, digest_after=digest_after, reason=reason,
    )  # fmt: skip


def _retired(database: Database, log: AuditLog, actor: str, holding: Holding, reason: str, what: str) -> Changed:
    with database.writing() as db:
        retire(db, log, holding.view, reason=reason, actor=actor, name=holding.name, what=what)
    return _changed(holding, 0, "", reason)


def _distrust(database: Database, log: AuditLog, actor: str, one: Recounted) -> None:
    """Retires a view whose count is wrong."""
    with database.writing() as db:
        retire(
            db, log, db.get_one(View, one.view), reason="view.recount_failed", actor=actor,
            name=f"{one.dataset}/{one.release}", what=one.faults[0],
        )  # fmt: skip


def _tell(database: Database, log: AuditLog, actor: str, grace: timedelta) -> int:
    """Sees to it that no session keeps a replaced view beyond the deadline, also one that was replaced earlier."""
    with database.writing() as db:
        places = {(view.project_name, release.id) for view, release, _ in current_views(db)}
        retired = db.scalars(select(View).where(View.retired.is_not(None)))
        old = [view for view in retired if (view.project_name, view.release_id) in places]
        return tell_sessions(db, log, old, ends=utcnow() + grace, actor=actor)


def _content(
    settings: Settings, database: Database, changed: list[Changed], recounted: list[Recounted]
) -> dict[str, Any]:
    """What the proof says. Internal ids stand in it: it stays in the custodian zone."""
    with database.reading() as db:
        left_out = {
            f"{release.dataset_name}/{release.name}": sorted(optouts.left_out(db, release))
            for release in db.scalars(select(Release).order_by(Release.id))
        }
    return {
        "format": 1,
        "instance": settings.instance,
        "time": utcnow().isoformat(timespec="seconds"),
        "left_out": {name: ids for name, ids in left_out.items() if ids},
        "changed": [asdict(one) for one in changed],
        "recounted": [{**asdict(one), "called": list(one.called), "faults": list(one.faults)} for one in recounted],
        "holds": not any(one.faults for one in recounted),
    }
