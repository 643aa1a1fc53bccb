"""Releases: publishing, finding, and proving that what is stored is what was written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ngc_workbench import people
from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database
from ngc_workbench.errors import IntegrityError, NotFound
from ngc_workbench.genomes import store
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
    return row


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
