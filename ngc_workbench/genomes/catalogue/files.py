"""The catalogue's files, which the portal reads: catalogue/<dataset>/<release>.json and .jsonld.

They follow the database: written when a release is published or its dataset described, removed when it is withdrawn.
Each file is whole or the old one. A run that is killed between the database and the files is mended by the next
`release catalogue --write`.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ngc_workbench.genomes import store
from ngc_workbench.genomes.catalogue.health_dcat import health_dcat
from ngc_workbench.genomes.catalogue.record import build
from ngc_workbench.model import Release
from ngc_workbench.policy.names import slug
from ngc_workbench.settings import Settings

_SUFFIXES = (".json", ".jsonld")
_ABANDONED = 3600
"""Seconds after which a half-written file is nobody's."""


def _path(settings: Settings, dataset: str, release: str, suffix: str) -> Path:
    return settings.catalogue_dir / slug(dataset, "dataset") / f"{slug(release, 'release')}{suffix}"


def write(settings: Settings, db: Session, release: Release) -> bool:
    """Brings a release's files in line with the database; gives whether there are any: a published release has them."""
    if release.state != "published":
        remove(settings, release.dataset_name, release.name)
        return False
    record = build(settings, db, release)
    for suffix, content in zip(_SUFFIXES, (record, health_dcat(settings, record)), strict=True):
        _replace(_path(settings, release.dataset_name, release.name, suffix), content)
    return True


def write_dataset(settings: Settings, db: Session, dataset: str) -> int:
    """Brings the files of all releases of a dataset in line; gives how many have some."""
    releases = db.scalars(select(Release).where(Release.dataset_name == dataset).order_by(Release.id))
    return sum(write(settings, db, release) for release in releases)


def remove(settings: Settings, dataset: str, release: str) -> None:
    """Takes a release out of the catalogue."""
    for suffix in _SUFFIXES:
        _path(settings, dataset, release, suffix).unlink(missing_ok=True)


def _replace(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{store.BUILDING}{path.name}-{secrets.token_hex(4)}")
    try:
        with store.plain_disk_errors():
            with draft.open("w", encoding="utf-8") as file:
                json.dump(content, file, indent=1, ensure_ascii=False)
                file.write("\n")
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    # What killed runs left; a younger one may be another run's at work.
    for left in path.parent.glob(f"{store.BUILDING}{path.name}-*"):
        with suppress(FileNotFoundError):
            if left.stat().st_mtime < time.time() - _ABANDONED:
                left.unlink(missing_ok=True)
