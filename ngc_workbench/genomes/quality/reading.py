"""The figures of a release that stands, for the custodian; rows by person are recorded in the audit log."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import Any

from ngc_workbench import people
from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database
from ngc_workbench.errors import NotFound
from ngc_workbench.genomes import store
from ngc_workbench.genomes.releases import find
from ngc_workbench.settings import Settings

_KIND = "release.quality_read"
_ACTION = "genomes.publish"


@dataclass(frozen=True)
class Quality:
    """A release's summary; `samples` are the rows of samples.tsv, only when they were asked for."""

    name: str
    summary: dict[str, Any]
    samples: list[dict[str, str]]


def read(
    settings: Settings,
    database: Database,
    log: AuditLog,
    *,
    dataset: str,
    release: str,
    actor: str,
    samples: bool = False,
) -> Quality:
    """What was measured of a release. `samples` adds the rows by internal id, and records that they were read.

    Raises Refused (recorded), NotFound (no such release, or it was taken in before quality was measured).
    """
    name = f"{dataset}/{release}"
    people.require(database, log, actor, _ACTION, kind=_KIND, subject=name)
    with database.reading() as db:
        manifest = find(db, dataset, release).manifest
    if not manifest.get("quality"):
        raise NotFound(
            f"{name} has no quality figures: it was taken in before they were measured.",
            "Take the files in as a new release.",
        )
    rows: list[dict[str, str]] = []
    if samples:
        path = store.release_folder(settings, dataset, release) / "quality" / "samples.tsv"
        if not path.is_file():
            raise NotFound(f"The quality figures of {name} are not in the genome store.", "Restore it from its backup.")
        # First recorded, then read: nobody sees a row of which the log knows nothing.
        with database.writing() as db:
            decision = people.holds(people.get(db, actor), _ACTION).or_refuse()
            log.append(
                db, _KIND, actor=actor, decision="allow", reason=decision.reason, subject=name,
                details={"rows": manifest["counts"]["samples"]},
            )  # fmt: skip
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
    return Quality(name, manifest["quality"], rows)
