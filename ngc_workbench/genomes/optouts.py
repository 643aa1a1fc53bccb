"""Opt-outs: people whose data may not be used for research."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from ngc_workbench import people
from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database
from ngc_workbench.errors import InputError, NotFound
from ngc_workbench.genomes import store
from ngc_workbench.model import Individual, OptOut, Release, View
from ngc_workbench.pseudonyms import Keyring
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
    twice changes nothing. Raises Refused (recorded), InputError, NotFound (no such sample).
    """
    people.require(database, log, actor, "genomes.optout", kind="optout.recorded")
    if (cpr is None) == (sample is None) or (sample is None) != (dataset is None):
        raise InputError("An opt-out names a person by CPR number, or by dataset and sample.", "Give one of the two.")
    keyring = Keyring.of(settings)
    with database.writing() as db:
        decision = people.holds(people.get(db, actor), "genomes.optout").or_refuse()
        if cpr is not None:
            tag = keyring.cpr_tag(cpr)
        else:
            tag = keyring.sample_tag(str(dataset), str(sample))
            individual = db.scalar(
                select(Individual).where(Individual.dataset_name == dataset, Individual.sample_tag == tag)
            )
            if individual is None:
                raise NotFound(f"Dataset {dataset} holds no such sample.", "Compare it with the VCF's #CHROM line.")
            tag = individual.cpr_tag or tag
        if db.get(OptOut, tag) is None:
            db.add(OptOut(tag=tag))
        affected = db.scalars(
            select(Individual).where((Individual.cpr_tag == tag) | (Individual.sample_tag == tag))
        ).all()
        views = []
        for view, release in db.execute(
            select(View, Release)
            .join(Release, View.release_id == Release.id)
            .where(View.retired.is_(None), Release.dataset_name.in_({one.dataset_name for one in affected}))
            .order_by(View.project_name)
        ):
            held = {
                internal_id
                for internal_id, _ in store.read_columns(
                    store.release_folder(settings, release.dataset_name, release.name)
                )
            }
            if any(one.internal_id in held for one in affected):
                views.append((view.project_name, release.dataset_name, release.name))
        log.append(
            db, "optout.recorded", actor=actor, decision="allow", reason=decision.reason, subject=tag,
            details={"individuals": len(affected), "views": [f"{project}: {name}/{release_name}" for project, name, release_name in views]},
        )  # fmt: skip
    return RecordedOptOut(len(affected), tuple(views))
