"""The people in a dataset and their internal ids."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from ngc_workbench.errors import InputError
from ngc_workbench.genomes.phenotypes import Table, Value
from ngc_workbench.model import Individual
from ngc_workbench.pseudonyms import Keyring

ID_PATTERN = r"ngci[0-9a-f]{24}"
"""How internal ids read: recognisable, so that one that strays is found."""


@dataclass(frozen=True)
class Member:
    """One person of a release. `known` is False when the dataset did not hold them before; `values` None: no phenotypes."""

    internal_id: str
    sample: str
    cpr: str | None
    known: bool
    values: tuple[Value, ...] | None


def new_internal_id() -> str:
    """A random internal id (96 bits)."""
    return f"ngci{secrets.token_hex(12)}"


def assign(
    db: Session,
    keyring: Keyring,
    dataset: str,
    samples: Sequence[str],
    table: Table | None,
    reserved: Mapping[str, str] | None = None,
) -> list[Member]:
    """The people of a release, in the order of `samples`: known ones keep their internal id, so that pseudonyms last.

    `reserved` holds ids that an interrupted run chose for names that were not known.

    Raises InputError when no row of the table is about anybody in `samples`, or a CPR number contradicts an earlier one.
    """
    known = {
        individual.sample_tag: individual
        for individual in db.scalars(select(Individual).where(Individual.dataset_name == dataset))
    }
    reserved = reserved or {}
    tags = {sample: keyring.sample_tag(dataset, sample) for sample in samples}
    rows = _rows_by_sample(keyring, tags, known, table)
    if table is not None and not rows:
        raise InputError(
            "The phenotype table has no row about anybody in the VCF.",
            "Its column `sample` must hold the names of the VCF's #CHROM line, or `cpr` or `internal_id` those known before.",
        )
    members = []
    for column, sample in enumerate(samples, 1):
        individual = known.get(tags[sample])
        cpr, values = rows.get(sample, (None, None))
        if individual is not None and individual.cpr_tag and cpr and keyring.cpr_tag(cpr) != individual.cpr_tag:
            raise InputError(
                f"Sample column {column} had another CPR number in an earlier release.",
                "Find out which is right before these genomes are used.",
            )
        members.append(
            Member(
                internal_id=individual.internal_id
                if individual is not None
                else reserved.get(sample) or new_internal_id(),
                sample=sample,
                cpr=cpr,
                known=individual is not None,
                values=values,
            )
        )
    return members


def _rows_by_sample(
    keyring: Keyring, tags: dict[str, str], known: dict[str, Individual], table: Table | None
) -> dict[str, tuple[str | None, tuple[Value, ...]]]:
    """CPR number and phenotypes by sample name. A row without one finds it by internal id, or a CPR number given earlier."""
    if table is None:
        return {}
    by_cpr = {
        known[tag].cpr_tag: sample for sample, tag in tags.items() if tag in known and known[tag].cpr_tag is not None
    }
    by_internal_id: dict[str, str | None] = {individual.internal_id: None for individual in known.values()}
    by_internal_id |= {known[tag].internal_id: sample for sample, tag in tags.items() if tag in known}
    by_id = {known[tag].internal_id: sample for sample, tag in tags.items() if tag in known}
    found: dict[str, tuple[str | None, tuple[Value, ...]]] = {}
    for row in table.rows:
        sample = row.sample
        if sample is None and row.internal_id is not None:
            sample = by_id.get(row.internal_id)
        if row.internal_id is not None:
            if row.internal_id not in by_internal_id:
                raise InputError(
                    f"Row {row.line} of the phenotype table has an internal id that this dataset doesn't know.",
                    "Internal ids are those of this dataset's earlier releases; a new person comes by sample name.",
                )
            if sample not in (None, by_internal_id[row.internal_id]):
                raise InputError(
                    f"Row {row.line} of the phenotype table has the sample name of one person and the internal id of another.",
                    "Find out which is right, and keep one of the two.",
                )
            sample = by_internal_id[row.internal_id]
        elif sample is None and row.cpr is not None:
            sample = by_cpr.get(keyring.cpr_tag(row.cpr))
        if sample in tags:
            if sample in found:
                raise InputError(
                    f"Line {row.line} of the phenotype table is about somebody who has a row already.",
                    "Keep one row a person.",
                )
            found[sample] = (row.cpr, row.values)
    return found


def store(db: Session, keyring: Keyring, dataset: str, members: Iterable[Member]) -> None:
    """Writes new people, and CPR numbers that were not known before."""
    for member in members:
        sealed = keyring.seal({"id": member.internal_id, "sample": member.sample, "cpr": member.cpr})
        tag = keyring.cpr_tag(member.cpr) if member.cpr else None
        if not member.known:
            db.add(
                Individual(
                    internal_id=member.internal_id, dataset_name=dataset, cpr_tag=tag, sealed=sealed,
                    sample_tag=keyring.sample_tag(dataset, member.sample),
                )
            )  # fmt: skip
        elif tag is not None:
            individual = db.get_one(Individual, member.internal_id)
            if individual.cpr_tag is None:
                individual.cpr_tag, individual.sealed = tag, sealed
