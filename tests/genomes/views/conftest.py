"""A published release of six people, laid out like a real one, and projects that are approved for it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from ngc_workbench import genomes
from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database
from ngc_workbench.genomes import store
from ngc_workbench.model import Approval, Dataset, Individual, Release, View
from ngc_workbench.pseudonyms import Keyring
from ngc_workbench.settings import Settings
from tests.genomes.views.mothers import write_mother

PEOPLE = [f"ngci{number:024x}" for number in (9, 3, 7, 1, 5, 2)]
NAMES = [f"NAME-{number}" for number in range(6)]
PHENOTYPES = [
    {"name": "age", "type": "int32"},
    {"name": "sex", "type": "str"},
    {"name": "admitted", "type": "date"},
]
TABLE = "id\tage\tsex\tadmitted\n" + "".join(
    f"{person}\t{30 + at}\t{'female' if at % 2 else 'male'}\t{f'2020-01-1{at}' if at else 'NA'}\n"
    for at, person in enumerate(PEOPLE[:5])
)


@dataclass
class Store:
    """An installation with release d/r1."""

    settings: Settings
    database: Database
    log: AuditLog
    release: Release

    @property
    def folder(self) -> Path:
        """The release's folder."""
        return store.release_folder(self.settings, "d", "r1")

    def build(self, project: str = "one", **words: Any) -> View:
        """Builds a project's view."""
        return genomes.build_view(
            self.settings, self.database, self.log, project=project, dataset="d", release="r1", actor="sofie", **words
        )

    def view_folder(self, view: View) -> Path:
        """Where a view lies."""
        return genomes.view_folder(self.settings, view)

    def current(self, project: str = "one") -> list[View]:
        """A project's views in force."""
        with self.database.reading() as db:
            return list(db.scalars(select(View).where(View.project_name == project, View.retired.is_(None))))

    def pseudonym(self, project: str, internal_id: str) -> str:
        """Somebody's pseudonym in a project."""
        return Keyring.of(self.settings).pseudonymiser(project).of(internal_id)

    def set_cohort(self, project: str, record: dict[str, Any]) -> None:
        """Changes what a project's approvals cover."""
        with self.database.writing() as db:
            for approval in db.scalars(select(Approval).where(Approval.project_name == project)):
                approval.cohort = record


@pytest.fixture(params=["matrix"])
def kind(request) -> str:
    return request.param


@pytest.fixture
def site(settings, database, log, staff, kind) -> Store:
    folder = store.release_folder(settings, "d", "r1")
    keyring = Keyring.of(settings)
    manifest = write_mother(folder, PEOPLE, kind=kind, phenotypes=PHENOTYPES, table=TABLE)
    with database.writing() as db:
        db.add(Dataset(name="d"))
        db.flush()
        for person, name in zip(PEOPLE, NAMES, strict=True):
            cpr = f"6{1 + NAMES.index(name)}0170-1234"
            db.add(
                Individual(
                    internal_id=person, dataset_name="d", sample_tag=keyring.sample_tag("d", name),
                    cpr_tag=keyring.cpr_tag(cpr), sealed=keyring.seal({"id": person, "sample": name, "cpr": cpr}),
                )
            )  # fmt: skip
        release = Release(dataset_name="d", name="r1", state="published", manifest=json.loads(json.dumps(manifest)))
        db.add(release)
        db.flush()
        for project in ("one", "two"):
            db.add(
                Approval(project_name=project, release_id=release.id, approved_by="sofie", valid_until=date(2100, 1, 1))
            )
    return Store(settings, database, log, release)
