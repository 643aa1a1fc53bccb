"""Recording one person's opt-out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ngc_workbench import people
from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database
from ngc_workbench.errors import InputError, NotFound
from ngc_workbench.genomes.optouts.held import holdings
from ngc_workbench.model import Individual, OptOut, utcnow
from ngc_workbench.pseudonyms import Keyring
from ngc_workbench.pseudonyms.cpr import normalise_cpr
from ngc_workbench.settings import Settings


@dataclass(frozen=True)
class RecordedOptOut:
    """What was recorded. `individuals`: how often the person is in the store; `views`: current views that hold them,
    as (project, dataset, release), to be built anew.
    """

    individuals: int
    views: tuple[tuple[str, str, str], ...]


def record_opt_out(
    settings: Settings,
    database: Database,
    log: AuditLog,
    *,
    actor: str,
    cpr: str | None = None,
    dataset: str | None = None,
    sample: str | None = None,
) -> RecordedOptOut:
    """Records that a person opted out, by CPR number (also of somebody who is in no dataset yet) or by dataset and sample.

    A sample whose CPR number is known is recorded by it, so that the person is left out of every dataset. Recording
    twice changes nothing; somebody who had opted in again is out again. What was recorded by this command no full
    extract of the register ends, only the person's own withdrawal. Raises Refused (recorded), InputError, NotFound (no
    such sample).
    """
    people.require(database, log, actor, "genomes.optout", kind="optout.recorded")
    if (cpr is None) == (sample is None) or (sample is None) != (dataset is None):
        raise InputError("An opt-out names a person by CPR number, or by dataset and sample.", "Give one of the two.")
    keyring = Keyring.of(settings)
    with database.writing() as db:
        decision = people.holds(people.get(db, actor), "genomes.optout").or_refuse()
        if cpr is not None:
            tag, content = keyring.cpr_tag(cpr), {"cpr": normalise_cpr(cpr)}
        else:
            tag, content = _of_sample(db, keyring, str(dataset), str(sample))
        _record(db, keyring, tag, content)
        affected = individuals_of(db, tag)
        ids = {one.internal_id for one in affected}
        views = tuple(
            (holding.view.project_name, holding.release.dataset_name, holding.release.name)
            for holding in holdings(settings, db)
            if holding.held is None or holding.held & ids
        )
        log.append(
            db, "optout.recorded", actor=actor, decision="allow", reason=decision.reason, subject=tag,
            details={"individuals": len(affected), "views": [f"{project}: {name}/{release}" for project, name, release in views]},
        )  # fmt: skip
    return RecordedOptOut(len(affected), views)


def individuals_of(db: Session, tag: str) -> list[Individual]:
    """The people of all datasets whom an entry is about: by number, by sample, or by the number of that sample."""
    numbers = select(Individual.cpr_tag).where(Individual.sample_tag == tag, Individual.cpr_tag.is_not(None))
    return list(
        db.scalars(
            select(Individual).where(
                (Individual.cpr_tag == tag) | (Individual.sample_tag == tag) | Individual.cpr_tag.in_(numbers)
            )
        )
    )


def _of_sample(db: Session, keyring: Keyring, dataset: str, sample: str) -> tuple[str, dict[str, Any]]:
    """Tag and sealed content for a sample: by the person's number where it is known."""
    individual = db.scalar(
        select(Individual).where(
            Individual.dataset_name == dataset, Individual.sample_tag == keyring.sample_tag(dataset, sample)
        )
    )
    if individual is None:
        raise NotFound(f"Dataset {dataset} holds no such sample.", "Compare it with the VCF's #CHROM line.")
    if individual.cpr_tag is None:
        return individual.sample_tag, {"dataset": dataset, "sample": sample}
    return individual.cpr_tag, {"cpr": normalise_cpr(str(keyring.unseal(individual.sealed)["cpr"]))}


def _record(db: Session, keyring: Keyring, tag: str, content: dict[str, Any]) -> None:
    known = db.get(OptOut, tag)
    if known is None:
        db.add(OptOut(tag=tag, sealed=keyring.seal(content)))
        db.flush()
        return
    known.source = "command"
    if known.sealed is None:
        known.sealed = keyring.seal(content)
    if known.ended is not None:
        known.recorded, known.ended, known.by = utcnow(), None, "self"
    db.flush()
