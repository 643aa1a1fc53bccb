"""A genome store with made-up releases of any size, laid out as ingest lays them out, and Hail in the image beside it.

A release of 500,000 variants does not go through a VCF here: its matrix and PGEN are written by one script in the image
(`inside_genomes`), its tables, manifest and rows by this module. All of it lies in one folder, which its maker removes.
"""

from __future__ import annotations

import json
import secrets
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from ngc_workbench import __version__
from ngc_workbench.cli.context import Workbench, open_workbench
from ngc_workbench.genomes import individuals, store
from ngc_workbench.genomes.individuals import Member
from ngc_workbench.genomes.phenotypes import columns_from, write_values
from ngc_workbench.genomes.worker import Mount, docker_command
from ngc_workbench.model import Approval, Dataset, Person, Project, Release, utcnow
from ngc_workbench.pseudonyms import Keyring
from tests.benchmarks.installation import CONFIG

CUSTODIAN, OFFICER = "karen", "sofie"
RELEASE = "r1"
FUTURE = date(2100, 1, 1)
PHENOTYPES = [{"name": "age", "type": "int32"}, {"name": "sex", "type": "str"}, {"name": "trait", "type": "float64"}]
_HERE = Path(__file__).parent.resolve()
_ROWS_A_PART = {1: 108_000, 3: 34_000}
"""By number of entry fields: as many parts as ingest makes, one in 64 MiB of VCF. A view's links grow with parts."""


@dataclass(frozen=True)
class Cohort:
    """A published release `dataset`/r1. `ids` are its internal ids in stored order, `samples` their names."""

    dataset: str
    release_id: int
    folder: Path
    ids: tuple[str, ...]
    samples: tuple[str, ...]


class Site:
    """An installation's store, with a custodian and a support officer, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        config = folder / "workbench.toml"
        config.write_text(CONFIG.format(state=folder / "state"), encoding="utf-8")
        self.workbench: Workbench = open_workbench(config, actor=CUSTODIAN)
        self.settings, self.database, self.log = (
            self.workbench.settings, self.workbench.database, self.workbench.log,
        )  # fmt: skip
        self.settings.custody_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self.database.writing() as db:
            for name, role in ((CUSTODIAN, "custodian"), (OFFICER, "support_officer")):
                db.add(
                    Person(
                        name=name, full_name=name.title(), roles=[role], assurance=self.settings.assurance_levels[0],
                        methods=["mfa"], training_until=FUTURE,
                    )
                )  # fmt: skip

    def close(self) -> None:
        """Closes the database."""
        self.database.close()

    def command(self, program: str, mounts: Sequence[Mount], *words_of_program: str) -> list[str]:
        """What runs one of the `inside_` programs as the custodian's own Hail runs: image, memory, no network."""
        owner = self.settings.custody_dir.stat()
        name = f"ngc-{self.settings.instance}-bench-{secrets.token_hex(4)}"
        every = [Mount(_HERE, "/bench"), *mounts]
        words = docker_command(self.settings, self.settings.researcher_image, name, every, (owner.st_uid, owner.st_gid))
        assert words[-2:] == ["-m", "hail_worker"]
        words[words.index("ngc-workbench.kind=job")] = "ngc-workbench.kind=bench"  # a job would remove its like
        words.insert(2, "--rm")
        return [*words[:-2], f"/bench/{program}.py", *words_of_program]

    @contextmanager
    def scratch(self) -> Iterator[Mount]:
        """A folder for what Hail writes meanwhile, outside of what the store cleans up."""
        folder = self.folder / f"scratch-{secrets.token_hex(4)}"
        folder.mkdir()
        try:
            yield Mount(folder, "/scratch", writable=True)
        finally:
            store.remove_tree(folder)

    def add_cohort(self, dataset: str, people: int, variants: int, fields: Sequence[str]) -> Cohort:
        """Writes a published release of simulated people, with three phenotypes and a PGEN of the same genotypes.

        `fields` are GT alone, or GT, DP and GQ.
        """
        keyring = Keyring.of(self.settings)
        samples = tuple(f"BENCH{number:05}" for number in range(people))
        ids = tuple(individuals.new_internal_id() for _ in samples)
        random = np.random.default_rng(11)
        values = [
            (int(random.integers(18, 90)), ("female", "male")[number % 2], round(float(random.normal()), 4))
            for number in range(people)
        ]
        target = store.release_folder(self.settings, dataset, RELEASE)
        with store.building(target) as draft, self.scratch() as scratch:
            with Hail(self, [Mount(draft, "/out", writable=True), scratch]) as hail:
                parts = max(4, variants // _ROWS_A_PART[len(fields)])
                rows = hail.ask("cohort", ids=ids, variants=variants, partitions=parts, fields=fields)["rows"]
            for part in ("matrix.mt", "plink"):
                store.readable_by_all(draft / part)
            write_values(draft / "phenotypes.tsv", columns_from(PHENOTYPES), zip(ids, values, strict=True))
            store.write_columns(draft, ids)
            manifest = {
                "format": 2, "dataset": dataset, "release": RELEASE, "kind": "matrix",
                "created": utcnow().isoformat(timespec="seconds"), "genome": "GRCh38", "genome_by": "simulation",
                "counts": {"samples": people, "variants": rows, "with_phenotypes": people}, "contigs": {"chr1": rows},
                "entry_fields": list(fields), "row_fields": ["locus", "alleles"], "phenotypes": PHENOTYPES, "accepted": [],
                "tools": {"workbench": __version__, "image": self.settings.researcher_image}, "sources": [],
                "plink": {"made": True, "why_not": ""}, "files": store.file_hashes(draft),
            }  # fmt: skip
            store.write_json(draft / "manifest.json", manifest)
        with self.database.writing() as db:
            db.add(Dataset(name=dataset))
            db.flush()
            members = [
                Member(internal_id=one, sample=sample, cpr=None, known=False, values=value)
                for one, sample, value in zip(ids, samples, values, strict=True)
            ]
            individuals.store(db, keyring, dataset, members)
            row = Release(
                dataset_name=dataset, name=RELEASE, state="published", manifest=manifest, published=utcnow()
            )  # fmt: skip
            db.add(row)
            db.flush()
            return Cohort(dataset, row.id, target, ids, samples)

    def add_projects(self, cohort: Cohort, count: int) -> list[str]:
        """Active projects that are approved for all of a release."""
        names = [f"{cohort.dataset}-{number:02}" for number in range(count)]
        with self.database.writing() as db:
            for name in names:
                db.add(Project(name=name, title="t", purpose="p", ethics_approval="e", state="active"))
                db.flush()
                db.add(
                    Approval(
                        project_name=name, release_id=cohort.release_id, approved_by=OFFICER, valid_until=FUTURE
                    )
                )  # fmt: skip
        return names


class Hail:
    """Hail in a container, kept warm between orders to `inside_genomes`. Use as a context manager."""

    def __init__(self, site: Site, mounts: Sequence[Mount]) -> None:
        self._command = site.command("inside_genomes", mounts)
        self._name = self._command[self._command.index("--name") + 1]
        self._log = site.folder / f"{self._name}.log"

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, start_new_session=True
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=20 if kind is None else 1)
        except subprocess.TimeoutExpired:
            subprocess.run(["docker", "rm", "-f", self._name], check=False, capture_output=True, timeout=60)
            self._process.wait(timeout=20)
        self._process.stdout.close()

    def ask(self, order: str, **words: Any) -> dict[str, Any]:
        """Has it do one thing; raises RuntimeError with its last words when it ends instead."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": order, **words}).encode() + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"Hail ended early: {self._log.read_text(errors='replace')[-2000:]}")
        answer: dict[str, Any] = json.loads(line)
        return answer


def run(command: Sequence[str]) -> None:
    """Runs a container to its end; raises RuntimeError with what it said when it fails."""
    done = subprocess.run(command, check=False, capture_output=True, timeout=1800)
    if done.returncode:
        raise RuntimeError(f"{command[command.index('-s') + 1]} failed: {done.stderr.decode(errors='replace')[-2000:]}")


def disk(folders: Sequence[Path]) -> int:
    """Bytes that these folders take on disk, folders and links included, each inode once."""
    blocks = {}
    for folder in folders:
        for path in (folder, *folder.rglob("*")):
            status = path.lstat()
            blocks[status.st_ino] = status.st_blocks
    return 512 * sum(blocks.values())


def files(folder: Path) -> dict[tuple[int, int], int]:
    """Bytes on disk of all files below a folder, by inode and time of writing: a freed inode may be used again."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file():
            status = path.stat()
            found[status.st_ino, status.st_mtime_ns] = 512 * status.st_blocks
    return found
