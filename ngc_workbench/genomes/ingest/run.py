"""Taking in genomes: from files and a phenotype table to a release that is whole or not there at all."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ngc_workbench import __version__, people
from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database
from ngc_workbench.errors import Conflict, InputError
from ngc_workbench.genomes import individuals, store
from ngc_workbench.genomes.individuals import Member
from ngc_workbench.genomes.ingest.draft import Draft, opened
from ngc_workbench.genomes.ingest.sources import digest, expand, fingerprint
from ngc_workbench.genomes.ingest.stages import OPTIONS, Run
from ngc_workbench.genomes.phenotypes import Schema, read_table
from ngc_workbench.model import Dataset, Release
from ngc_workbench.pseudonyms import Keyring
from ngc_workbench.settings import Settings


def ingest(
    settings: Settings,
    database: Database,
    log: AuditLog,
    *,
    dataset: str,
    release: str,
    files: Sequence[Path],
    pheno: Path | None = None,
    schema: Path | None = None,
    accept: Collection[str] = (),
    actor: str,
    progress: Callable[[str], None] = store.quiet,
) -> Release:
    """Checks the files, stores their genotypes under internal ids, and records the release (state `building`).

    `files` may be patterns. `accept` names what may be let pass or done without (`OPTIONS`). A run that was killed,
    interrupted or stopped by a full disk leaves a draft, and the same command goes on with it.

    Raises Refused (recorded), InputError (the files), Conflict (the release exists), Unavailable (Docker, disk, memory),
    IntegrityError (what was stored is not what was read). After Refused, InputError and IntegrityError nothing is left.
    """
    name = f"{dataset}/{release}"
    people.require(database, log, actor, "genomes.ingest", kind="dataset.ingested", subject=name)
    target = store.release_folder(settings, dataset, release)
    _need_new(database, dataset, release)
    paths = expand(files)
    _need_options(accept)
    command = {
        "release": name, "files": [fingerprint(path) for path in paths], "accept": sorted(set(accept)),
        "pheno": pheno and digest(pheno), "schema": schema and digest(schema),
        "workbench": __version__, "image": settings.researcher_image,
    }  # fmt: skip
    with store.locked(settings, progress):
        store.remove_leftovers(settings)
        _need_new(database, dataset, release)
        keyring = Keyring.of(settings)
        with opened(Draft(target, keyring, command)) as draft:
            run = Run(settings, draft, paths, accept, progress)
            run.compare_files()
            read = Schema.read(schema) if schema is not None else None

            def members(samples: Sequence[str], ids: Sequence[str]) -> tuple[list[Member], Sequence[Any]]:
                table = read_table(pheno, samples, read) if pheno is not None else None
                reserved = dict(zip(samples, ids, strict=True)) if ids else {}
                with database.reading() as db:
                    found = individuals.assign(db, keyring, dataset, samples, table, reserved)
                return found, table.columns if table is not None else ()

            manifest, stored = run.fill(members, [("phenotypes", pheno), ("schema", schema)], name)
            with database.writing() as db:
                decision = people.holds(people.get(db, actor), "genomes.ingest").or_refuse()
                row = _record(db, keyring, dataset, release, stored, manifest)
                log.append(
                    db, "dataset.ingested", actor=actor, decision="allow", reason=decision.reason, subject=name,
                    details={
                        "samples": manifest["counts"]["samples"], "variants": manifest["counts"]["variants"],
                        **_pgen(manifest), "manifest": store.digest_of(manifest), "sources": [source["sha256"] for source in manifest["sources"]],
                    },
                )  # fmt: skip
        draft.discard()
    return row


def _need_options(accept: Collection[str]) -> None:
    for option in accept:
        if option not in OPTIONS:
            raise InputError(
                f"There is nothing called {option[:40]!r} to accept.", f"Choose from {', '.join(OPTIONS)}."
            )


def _pgen(manifest: dict[str, Any]) -> dict[str, Any]:
    """For the event of a matrix: whether there is a PGEN, and if not, why."""
    plink = manifest.get("plink")
    if plink is None:
        return {}
    return {"pgen": True} if plink["made"] else {"pgen": False, "no_pgen": plink["why_not"]}


def _need_new(database: Database, dataset: str, release: str) -> None:
    with database.reading() as db:
        if db.scalar(select(Release.id).where(Release.dataset_name == dataset, Release.name == release)) is not None:
            raise Conflict(
                f"There is a release {dataset}/{release} already.", "Releases never change: choose another name."
            )


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
