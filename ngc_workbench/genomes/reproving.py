"""Comparing a proof with the views as they are now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ngc_workbench import people
from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database
from ngc_workbench.genomes import proofs, store
from ngc_workbench.genomes.refresh import recount
from ngc_workbench.settings import Settings

_ACTION = "genomes.optout"
_COMPARED = ("digest", "columns", "rows", "read", "ids", "carried")


@dataclass(frozen=True)
class Reproved:
    """What became of a proof's views: `same` are as they were, `gone` were retired since, `faults` say what is wrong."""

    same: int
    gone: int
    faults: tuple[str, ...]


def reprove(
    settings: Settings,
    database: Database,
    log: AuditLog,
    *,
    actor: str,
    name: str,
    progress: Callable[[str], None] = store.quiet,
) -> Reproved:
    """Counts the views in force again, and compares them with what a proof says of them.

    Nothing is changed; a refresh retires what is wrong. Raises Refused (recorded), NotFound, InputError, IntegrityError
    (the proof itself was altered), Unavailable.
    """
    people.require(database, log, actor, _ACTION, kind="views.recounted")
    with database.reading() as db:
        proof = proofs.read(settings, db, name)
    now = {one.view: one for one in recount(settings, database, progress)}
    faults = [f"{one.project}: {one.dataset}/{one.release}: {fault}" for one in now.values() for fault in one.faults]
    same = gone = 0
    for before in proof.content["recounted"]:
        after = now.get(before["view"])
        if after is None:
            gone += 1
        elif all(getattr(after, key) == before[key] for key in _COMPARED):
            same += 1
        else:
            faults.append(f"{after.project}: {after.dataset}/{after.release}: it is not what the proof counted")
    with database.writing() as db:
        log.append(
            db, "views.recounted", actor=actor, decision="deny" if faults else "allow",
            reason="proof.failed" if faults else "proof.holds",
            details={"proof": proof.name, "sha256": proof.sha256, "same": same, "gone": gone, "faults": faults},
        )  # fmt: skip
    return Reproved(same, gone, tuple(faults))
