"""Releases that were taken in as any other, and what was measured of them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ngc_workbench import genomes
from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database, upgrade
from ngc_workbench.genomes import quality, store
from ngc_workbench.genomes.worker import Mount, Worker
from ngc_workbench.model import Individual, Person
from ngc_workbench.pseudonyms import Keyring
from ngc_workbench.settings import Settings
from tests.conftest import FUTURE, SUBSTANTIAL
from tests.genomes.cohorts import DATA, GATK
from tests.genomes.quality import cohort

GVCFS = [DATA / "gvcf_hg38_chr22" / f"{name}.hg38.g.vcf.gz" for name in ("HG00313", "HG00187", "HG00190")]


@dataclass
class Measured:
    """A release, or a copy of it that was measured again. `names` are those of its people in stored order."""

    names: list[str]
    ids: list[str]
    folder: Path
    shown: dict[str, Any]

    def samples(self) -> dict[str, dict[str, str]]:
        """Rows of samples.tsv by name of sample."""
        header, *rows = [line.split("\t") for line in (self.folder / "samples.tsv").read_text().splitlines()]
        names = dict(zip(self.ids, self.names, strict=True))
        return {names[row[0]]: dict(zip(header, row, strict=True)) for row in rows}


@pytest.fixture(scope="session")
def store_of_releases(tmp_path_factory):
    """Settings, database and log of a store with a custodian."""
    folder = tmp_path_factory.mktemp("quality")
    settings = Settings(instance="test", demo=True, state_dir=folder / "state")
    database = Database(settings.database)
    upgrade(database)
    with database.writing() as db:
        db.add(
            Person(
                name="karen", full_name="Karen", roles=["custodian"], research_group="g", assurance=SUBSTANTIAL,
                methods=["mfa"], training_until=FUTURE,
            )
        )  # fmt: skip
    yield settings, database, AuditLog(settings.control_dir / "audit")
    database.close()


@pytest.fixture(scope="session")
def take_in(store_of_releases):
    """Takes files in as r1 of a dataset."""
    settings, database, log = store_of_releases

    def ingest(dataset, *files, **words) -> Measured:
        release = genomes.ingest(
            settings, database, log, dataset=dataset, release="r1", files=files, actor="karen", **words
        )
        folder = store.release_folder(settings, dataset, "r1")
        ids = store.read_columns(folder)
        keyring = Keyring.of(settings)
        with database.reading() as db:
            names = [keyring.unseal(db.get_one(Individual, one).sealed)["sample"] for one in ids]
        return Measured(names, ids, folder / "quality", release.manifest["quality"])

    return ingest


@pytest.fixture(scope="session")
def gatk(take_in):
    """GATK's file."""
    return take_in("gatk", GATK)


@pytest.fixture(scope="session")
def lenient(store_of_releases, gatk, tmp_path_factory):
    """GATK's release measured again without its matrix's reads: F from however few variants, next to each other or not."""
    copy = tmp_path_factory.mktemp("lenient") / "draft"
    shutil.copytree(gatk.folder.parent / "plink", copy / "plink")
    limits = quality.Thresholds(f_variants=1, spacing=0)
    with Worker(store_of_releases[0], "quality", [Mount(copy, "/out", writable=True)], store.quiet) as worker:
        shown = quality.measure(
            worker, copy, kind="matrix", internal_ids=gatk.ids, genome="GRCh37", progress=store.quiet, limits=limits
        )
    return Measured(gatk.names, gatk.ids, copy / "quality", shown)


@pytest.fixture(scope="session")
def known(take_in, tmp_path_factory):
    """The cohort whose truth is known, and declared by the phenotypes. Person 11 is declared a man, and is none."""
    folder = tmp_path_factory.mktemp("known")
    (folder / "known.vcf").write_text(cohort.vcf())
    declared = [*cohort.sexes()]
    declared[11] = "mand"
    rows = [f"S{number}\t{sex}\n" for number, sex in enumerate(declared)]
    (folder / "people.tsv").write_text("sample\tsex\n" + "".join(rows))
    return take_in("known", folder / "known.vcf", pheno=folder / "people.tsv")


@pytest.fixture(scope="session")
def blocks(take_in):
    """Three real gVCFs, as a VDS."""
    return take_in("blocks", *GVCFS)
