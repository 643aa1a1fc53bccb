"""People of a store by CPR number, without genotypes, and extracts of the register."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from ngc_workbench.audit import tables
from ngc_workbench.genomes import individuals, store
from ngc_workbench.model import Dataset, Release, View
from ngc_workbench.pseudonyms import Keyring

ANNA, BERTA, CHILD = "6102701234", "6202711236", "7101154238"
"""Invented numbers; the child was born on 11 January 2015 (its seventh digit says 2000 to 2036)."""
MADE = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture
def bodies(database):
    """The audit events so far, as they are stored."""

    def read(*kinds):
        with database.reading() as db:
            found = db.scalars(select(tables.AuditEvent.body).order_by(tables.AuditEvent.seq)).all()
        return [event for event in map(json.loads, found) if not kinds or event["kind"] in kinds]

    return read


@pytest.fixture
def release(settings, database):
    """Stores a release `name` of a dataset, made at a moment, with people as (sample, cpr); gives row and internal ids."""

    def make(name="r1", dataset="cohort", created=MADE, people=(("ANNA1", ANNA), ("BERTA2", BERTA))):
        keyring = Keyring.of(settings)
        with database.writing() as db:
            if db.get(Dataset, dataset) is None:
                db.add(Dataset(name=dataset))
                db.flush()
            members = []
            known = {one.sample_tag: one for one in db.scalars(select(individuals.Individual))}
            for sample, cpr in people:
                before = known.get(keyring.sample_tag(dataset, sample))
                internal = before.internal_id if before else individuals.new_internal_id()
                members.append(individuals.Member(internal, sample, cpr, before is not None, ()))
            individuals.store(db, keyring, dataset, members)
            ids = [one.internal_id for one in members]
            manifest = {"kind": "matrix", "counts": {"samples": len(ids), "variants": 1}, "entry_fields": ["GT"]}
            row = Release(dataset_name=dataset, name=name, state="published", manifest=manifest, created=created)
            db.add(row)
        folder = store.release_folder(settings, dataset, name)
        folder.mkdir(parents=True)
        store.write_columns(folder, ids)
        return row, dict(zip((sample for sample, _ in people), ids, strict=True))

    return make


@pytest.fixture
def view(settings, database):
    """Stores a view in force of a release, of all its people or of a cut."""

    def make(release, project="one", folder=None, cut="", people=2):
        folder = folder or f"{release.dataset_name}-{release.name}-1"
        (settings.views_dir / project / folder).mkdir(parents=True)
        with database.writing() as db:
            row = View(
                project_name=project, release_id=release.id, folder=folder, people=people, variants=1, digest="d" * 64,
                cut=cut,
            )  # fmt: skip
            db.add(row)
        return row

    return make


@pytest.fixture
def extract(tmp_path):
    """Writes an extract: lines without the header, or whole bytes."""

    def write(*lines, header="cpr,status,date,by", name="extract.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes("".join(f"{line}\n" for line in (header, *lines)).encode(encoding))
        return path

    return write
