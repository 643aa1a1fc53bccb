"""Drafts of releases, and what is measured of them."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ngc_workbench.genomes import quality, store
from ngc_workbench.genomes.worker import Mount, Worker
from ngc_workbench.settings import Settings
from tests.genomes.cohorts import GATK
from tests.genomes.quality import cohort

MAKE = Path(__file__).parent / "make_drafts.py"


@dataclass
class Measured:
    """A draft after `measure`."""

    names: list[str]
    ids: list[str]
    folder: Path
    shown: dict[str, Any]

    def samples(self) -> dict[str, dict[str, str]]:
        """Rows of samples.tsv by name of sample."""
        header, *rows = [line.split("\t") for line in (self.folder / "samples.tsv").read_text().splitlines()]
        names = dict(zip(self.ids, self.names, strict=True))
        return {names[row[0]]: dict(zip(header, row, strict=True)) for row in rows}


def _names(vcf: Path) -> list[str]:
    with vcf.open() as lines:
        return next(line for line in lines if line.startswith("#CHROM")).rstrip("\n").split("\t")[9:]


@pytest.fixture(scope="session")
def drafts(tmp_path_factory):
    """Settings, and drafts `gatk` and `known` with the names and ids of their people. Copied for each use."""
    folder = tmp_path_factory.mktemp("quality")
    settings = Settings(instance="test", demo=True, state_dir=folder / "state")
    settings.custody_dir.mkdir(parents=True)
    (folder / "known.vcf").write_text(cohort.vcf())
    shutil.copyfile(GATK, folder / "gatk.vcf")
    jobs, people = [], {}
    for name, genome, style in (("gatk", "GRCh37", "MT"), ("known", "GRCh38", "chrM")):
        names = _names(folder / f"{name}.vcf")
        ids = [f"ngci{secrets.token_hex(6)}" for _ in names]
        people[name] = names, ids
        (folder / name).mkdir()
        ids_by_name = dict(zip(names, ids, strict=True))
        jobs.append({"name": name, "genome": genome, "style": style, "vcf": f"/drafts/{name}.vcf", "ids": ids_by_name})
    command = [
        "docker", "run", "--rm", "-i", "--name", f"ngc-test-qua-{secrets.token_hex(4)}", "--network", "none", "--user",
        f"{os.getuid()}:{os.getgid()}", "--tmpfs", "/tmp:rw,exec", "--env", "HOME=/tmp", "--workdir", "/tmp",
        "--mount", f"type=bind,source={MAKE},target=/script.py,readonly", "--mount", f"type=bind,source={folder},target=/drafts",
        "--entrypoint", "/opt/workbench/bin/python", settings.researcher_image, "/script.py",
    ]  # fmt: skip
    done = subprocess.run(command, input=json.dumps(jobs), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return settings, folder, people


def measure(drafts, name, genome, **words) -> Measured:
    """Measures a draft."""
    settings, folder, people = drafts
    names, ids = people[name]
    with Worker(settings, "quality", [Mount(folder / name, "/out", writable=True)], store.quiet) as worker:
        shown = quality.measure(
            worker, folder / name, kind="matrix", internal_ids=ids, genome=genome, progress=store.quiet, **words
        )
    return Measured(names, ids, folder / name / "quality", shown)


@pytest.fixture(scope="session")
def gatk(drafts):
    """GATK's file, all its rows read for depths, and F whatever the number of variants."""
    return measure(drafts, "gatk", "GRCh37", limits=quality.Thresholds(depth_rows=10**6, f_variants=1, spacing=0))


@pytest.fixture(scope="session")
def known(drafts):
    """The cohort whose truth is known. Person 11 is declared a man, and is none."""
    declared = dict(zip(drafts[2]["known"][1], cohort.sexes(), strict=True))
    declared[drafts[2]["known"][1][11]] = "mand"
    return measure(drafts, "known", "GRCh38", declared_sex=declared)
