"""Releases: publishing, withdrawing, finding, comparing, and proving that what is stored is what was written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ngc_workbench import people
from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database
from ngc_workbench.errors import InputError, IntegrityError, NotFound, Refused
from ngc_workbench.genomes import catalogue, differences, store
from ngc_workbench.model import Release, utcnow
from ngc_workbench.policy.states import RELEASE, move
from ngc_workbench.settings import Settings

_DAMAGED = "Do not use it. Restore the genome store from its backup and call the security officer."


def find(db: Session, dataset: str, release: str) -> Release:
    """The release of that name. Raises NotFound."""
    row = db.scalar(select(Release).where(Release.dataset_name == dataset, Release.name == release))
    if row is None:
        raise NotFound(f"There is no release {dataset}/{release}.", "`ngc-workbench release list` shows what there is.")
    return row


def list_releases(db: Session) -> list[Release]:
    """All releases, by dataset, oldest first."""
    return list(db.scalars(select(Release).order_by(Release.dataset_name, Release.id)))


def publish(
    settings: Settings,
    database: Database,
    log: AuditLog,
    *,
    dataset: str,
    release: str,
    actor: str,
    progress: Callable[[str], None] = store.quiet,
) -> Release:
    """Makes a release available for approvals, after comparing each stored file with its hash.

    Raises Refused (recorded; also when it is published already), NotFound, IntegrityError.
    """
    name = f"{dataset}/{release}"
    people.require(database, log, actor, "genomes.publish", kind="release.published", subject=name)
    with database.reading() as db:
        row = find(db, dataset, release)
        move(RELEASE, row.state, "published").or_refuse()
        manifest = row.manifest
    progress("Comparing the stored files with their hashes")
    verify_files(store.release_folder(settings, dataset, release), manifest)
    with database.writing() as db:
        decision = people.holds(people.get(db, actor), "genomes.publish").or_refuse()
        row = find(db, dataset, release)
        move(RELEASE, row.state, "published").or_refuse()
        row.state = "published"
        row.published = utcnow()
        log.append(
            db, "release.published", actor=actor, decision="allow", reason=decision.reason, subject=name,
            details={"manifest": store.digest_of(manifest)},
        )  # fmt: skip
    progress("Writing the catalogue")
    with database.reading() as db:
        catalogue.write(settings, db, find(db, dataset, release))
    return row


def withdraw(
    settings: Settings, database: Database, log: AuditLog, *, dataset: str, release: str, actor: str, reason: str
) -> Release:
    """Takes a release back: no session mounts it any more, running ones are stopped by the warden, the catalogue forgets it.

    Its files stay, for the projects' records; nothing of the release changes but its state. Raises Refused (recorded; also
    when it is withdrawn already), NotFound, InputError for a missing reason.
    """
    name = f"{dataset}/{release}"
    people.require(database, log, actor, "genomes.publish", kind="release.withdrawn", subject=name)
    if not reason.strip():
        raise InputError("The reason is missing.", "Say why with --reason; it is recorded.")
    try:
        with database.writing() as db:
            decision = people.holds(people.get(db, actor), "genomes.publish").or_refuse()
            row = find(db, dataset, release)
            before = row.state
            move(RELEASE, before, "withdrawn").or_refuse()
            row.state = "withdrawn"
            row.withdrawn = utcnow()
            log.append(
                db, "release.withdrawn", actor=actor, decision="allow", reason=decision.reason, subject=name,
                details={"from": before, "why": reason.strip()},
            )  # fmt: skip
    except Refused as refused:
        # In a transaction of its own: the one that was refused is rolled back.
        with database.writing() as db:
            log.append(db, "release.withdrawn", actor=actor, decision="deny", reason=refused.reason, subject=name)
        raise
    catalogue.remove(settings, dataset, release)
    return row


def compare(
    settings: Settings, database: Database, log: AuditLog, *, old: tuple[str, str], new: tuple[str, str], actor: str
) -> dict[str, Any]:
    """What is different between two releases, each (dataset, release): see `differences.compare`.

    Raises Refused (recorded), NotFound, IntegrityError when a stored manifest is not the recorded one.
    """
    people.require(database, log, actor, "genomes.publish", subject="/".join(new))
    with database.reading() as db:
        rows = [find(db, *name) for name in (old, new)]
    ids = []
    for row in rows:
        folder = store.release_folder(settings, row.dataset_name, row.name)
        verify_manifest(folder, row.manifest)
        ids.append(store.read_columns(folder))
    return differences.compare(rows[0].manifest, rows[1].manifest, ids[0], ids[1], settings.small_count)


def verify_manifest(folder: Path, recorded: dict[str, Any]) -> None:
    """Compares the stored manifest with the recorded one. Raises IntegrityError."""
    if store.read_manifest(folder) != recorded:
        raise IntegrityError("The stored manifest of a release is not the recorded one.", _DAMAGED)


def verify_files(folder: Path, recorded: dict[str, Any]) -> None:
    """Compares the stored manifest and each file with what was recorded. Raises IntegrityError."""
    verify_manifest(folder, recorded)
    found = store.file_hashes(folder)
    found.pop("manifest.json", None)
    wrong = sorted(
        path for path in found.keys() | recorded["files"].keys() if found.get(path) != recorded["files"].get(path)
    )
    if wrong:
        raise IntegrityError(
            f"{len(wrong)} files of a release are not what was written, {wrong[0]} among them.", _DAMAGED
        )
