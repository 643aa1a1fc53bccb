"""Taking in genomes: from a VCF and a phenotype table to a release that is whole or not there at all."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ngc_workbench import __version__, people
from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database
from ngc_workbench.errors import Conflict
from ngc_workbench.genomes import individuals, store
from ngc_workbench.genomes.individuals import Member
from ngc_workbench.genomes.phenotypes import Table, read_table, write_values
from ngc_workbench.genomes.preflight import Preflight, preflight
from ngc_workbench.genomes.worker import Mount, Worker
from ngc_workbench.model import Dataset, Release, utcnow
from ngc_workbench.pseudonyms import Keyring
from ngc_workbench.settings import Settings

ROW_FIELDS = ("locus", "alleles")
"""Row fields of a release: INFO fields are cohort-wide counts, or name samples, and stay behind."""

_PART_BYTES = 16 << 20


def ingest(
    settings: Settings,
    database: Database,
    log: AuditLog,
    *,
    dataset: str,
    release: str,
    vcf: Path,
    pheno: Path | None = None,
    actor: str,
    progress: Callable[[str], None] = store.quiet,
) -> Release:
    """Checks the files, stores their genotypes under internal ids, and records the release (state `building`).

    Raises Refused (recorded), InputError (the files), Conflict (the release exists), Unavailable (Docker, disk, memory),
    IntegrityError (what was stored is not what was read). In each case nothing is left.
    """
    name = f"{dataset}/{release}"
    people.require(database, log, actor, "genomes.ingest", kind="dataset.ingested", subject=name)
    target = store.release_folder(settings, dataset, release)
    _need_new(database, dataset, release)
    progress("Checking the VCF")
    found = preflight(vcf, progress)
    table = read_table(pheno, found.samples) if pheno is not None else None
    with store.locked(settings, progress):
        store.remove_leftovers(settings)
        _need_new(database, dataset, release)
        store.remove_tree(target)  # left by a run that was killed before it wrote the row
        keyring = Keyring.of(settings)
        with database.reading() as db:
            members = individuals.assign(db, keyring, dataset, found.samples, table)
        with store.building(target) as draft:
            manifest = _build(settings, draft, found, members, table, vcf, progress)
            manifest |= {"dataset": dataset, "release": release, "sources": _sources(found, pheno)}
            store.write_json(draft / "manifest.json", manifest)
        try:
            with database.writing() as db:
                decision = people.holds(people.get(db, actor), "genomes.ingest").or_refuse()
                row = _record(db, keyring, dataset, release, members, manifest)
                log.append(
                    db, "dataset.ingested", actor=actor, decision="allow", reason=decision.reason, subject=name,
                    details={
                        "samples": manifest["counts"]["samples"], "variants": manifest["counts"]["variants"],
                        "manifest": store.digest_of(manifest), "sources": [source["sha256"] for source in manifest["sources"]],
                    },
                )  # fmt: skip
        except BaseException:
            store.remove_tree(target)
            raise
    return row


def _need_new(database: Database, dataset: str, release: str) -> None:
    with database.reading() as db:
        if db.scalar(select(Release.id).where(Release.dataset_name == dataset, Release.name == release)) is not None:
            raise Conflict(
                f"There is a release {dataset}/{release} already.", "Releases never change: choose another name."
            )


def _build(
    settings: Settings,
    draft: Path,
    found: Preflight,
    members: Sequence[Member],
    table: Table | None,
    vcf: Path,
    progress: Callable[[str], None],
) -> dict[str, Any]:
    """Fills the release's folder; gives its manifest."""
    internal_ids = [member.internal_id for member in members]
    inside = "input.vcf.gz" if found.bgzf else "input.vcf"
    source = _readable(vcf.resolve(), draft, progress)
    with Worker(
        settings, "ingest", [Mount(source, f"/in/{inside}"), Mount(draft, "/out", writable=True)], progress
    ) as worker:
        done = worker.call(
            "ingest", file=inside, genome=found.genome, recoding=found.recoding, samples=list(found.samples),
            internal_ids=internal_ids, entry_fields=list(found.entry_fields), records=found.records,
            partitions=max(4, found.size // _PART_BYTES),
        )  # fmt: skip
        hail = worker.hail_version
    if source.is_relative_to(draft):
        source.unlink()
    progress("Hashing and syncing the release")
    columns = table.columns if table is not None else ()
    with_values = [(member.internal_id, member.values) for member in members if member.values is not None]
    write_values(draft / "phenotypes.tsv", columns, with_values)
    (draft / "phenotypes.tsv").chmod(0o600)
    store.write_columns(draft, internal_ids)
    store.readable_by_all(draft / "matrix.mt")
    return {
        "format": 1,
        "created": utcnow().isoformat(timespec="seconds"),
        "genome": found.genome,
        "genome_by": found.genome_by,
        "counts": {"samples": len(members), "variants": done["rows"], "with_phenotypes": len(with_values)},
        "entry_fields": list(found.entry_fields),
        "row_fields": list(ROW_FIELDS),
        "phenotypes": [{"name": column.name, "type": column.type} for column in columns],
        "tools": {"workbench": __version__, "hail": hail, "image": settings.researcher_image},
        "files": store.file_hashes(draft),
    }


def _readable(vcf: Path, draft: Path, progress: Callable[[str], None]) -> Path:
    """The VCF, or a copy of it when the container's user could not read it: it has no right to pass over a file's mode."""
    mode = vcf.stat()
    if mode.st_mode & 0o004 or (mode.st_uid == os.geteuid() and mode.st_mode & 0o400):
        return vcf
    progress("Copying the VCF into the custodian zone")
    copy = draft / "source"
    shutil.copyfile(vcf, copy)
    copy.chmod(0o400)
    return copy


def _sources(found: Preflight, pheno: Path | None) -> list[dict[str, Any]]:
    """What the release was made from: hashes and sizes; no names, which may tell whose genomes they are."""
    sources: list[dict[str, Any]] = [{"kind": "vcf", "sha256": found.sha256, "bytes": found.size}]
    if pheno is not None:
        with pheno.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        sources.append({"kind": "phenotypes", "sha256": digest, "bytes": pheno.stat().st_size})
    return sources


def _record(
    db: Session, keyring: Keyring, dataset: str, release: str, members: Sequence[Member], manifest: dict[str, Any]
) -> Release:
    """Writes the rows of dataset, people and release."""
    if db.get(Dataset, dataset) is None:
        db.add(Dataset(name=dataset))
        db.flush()
    individuals.store(db, keyring, dataset, members)
    row = Release(dataset_name=dataset, name=release, manifest=manifest)
    db.add(row)
    db.flush()
    return row
