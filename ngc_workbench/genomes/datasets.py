"""Datasets: what they are called and on what terms they may be used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from ngc_workbench import people
from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database
from ngc_workbench.errors import InputError, NotFound
from ngc_workbench.genomes import catalogue
from ngc_workbench.model import Dataset
from ngc_workbench.policy.terms import dataset_terms
from ngc_workbench.pseudonyms import find_cpr
from ngc_workbench.settings import Settings


def find_dataset(db: Session, name: str) -> Dataset:
    """The dataset of that name. Raises NotFound."""
    row = db.get(Dataset, name)
    if row is None:
        raise NotFound(f"There is no dataset {name}.", "`ngc-workbench release list` shows what there is.")
    return row


def describe(
    settings: Settings,
    database: Database,
    log: AuditLog,
    *,
    dataset: str,
    actor: str,
    title: str | None = None,
    description: str | None = None,
    terms: Sequence[Mapping[str, Any]] | None = None,
) -> int:
    """Sets what is given, keeps the rest, and writes the catalogue of the dataset's published releases anew; gives how many.

    Projects that were approved before keep their approvals: who tightens the terms of a dataset looks at them. Raises Refused
    (recorded), NotFound, InputError for terms that a dataset can't carry, or a text that holds a CPR number.
    """
    people.require(database, log, actor, "genomes.describe", kind="dataset.described", subject=dataset)
    stored = None if terms is None else [one.stored() for one in dataset_terms(terms)]
    if any(find_cpr(text) for text in (title, description) if text):
        raise InputError("The text holds a CPR number.", "Leave it out: the catalogue is read by researchers.")
    with database.writing() as db:
        decision = people.holds(people.get(db, actor), "genomes.describe").or_refuse()
        row = find_dataset(db, dataset)
        before = [one["term"] for one in row.terms]
        row.title = row.title if title is None else title.strip()
        row.description = row.description if description is None else description.strip()
        row.terms = row.terms if stored is None else stored
        log.append(
            db, "dataset.described", actor=actor, decision="allow", reason=decision.reason, subject=dataset,
            details={"terms_before": before, "terms": [one["term"] for one in row.terms], "title": row.title},
        )  # fmt: skip
    with database.reading() as db:
        return catalogue.write_dataset(settings, db, dataset)
