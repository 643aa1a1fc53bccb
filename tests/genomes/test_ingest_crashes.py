"""An ingest that is killed, interrupted or refused leaves the old state usable; the same command finishes it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from ngc_workbench import genomes
from ngc_workbench.errors import InputError, IntegrityError
from ngc_workbench.genomes import store
from ngc_workbench.genomes.worker import Worker, store_label
from ngc_workbench.model import Dataset, Individual, Release
from tests.genomes.cohorts import PHENO, RECORDS

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("staff")]

KILLED = """
import os, signal, sys
from pathlib import Path
from ngc_workbench import genomes
from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database
from ngc_workbench.genomes.ingest import run
from ngc_workbench.settings import Settings

where, state, vcf = sys.argv[1:]
settings = Settings(instance="test", demo=True, state_dir=Path(state))
die = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
progress = lambda text: die() if text.startswith(where) else None
if where == "record":  # after the folder was renamed, before the rows are written
    run._record = die
log = AuditLog(settings.control_dir / "audit")
genomes.ingest(settings, Database(settings.database), log, dataset="d", release="r1", files=[Path(vcf)], actor="karen",
               progress=progress)
"""
POINTS = ("Starting", "Storing", "Comparing what", "Hashing", "record")


def killed(settings, where, vcf):
    """Runs an ingest in a process that kills itself at a point."""
    command = [sys.executable, "-c", KILLED, where, str(settings.state_dir), str(vcf)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(genomes.__file__).parents[2], check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


def containers(settings):
    command = ["docker", "ps", "-aq", "--filter", f"label=ngc-workbench.store={store_label(settings)}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def folders(path):
    return sorted(child.name for child in path.iterdir()) if path.is_dir() else []


def take_in(settings, database, log, vcf, *, dataset="d", progress=store.quiet, **words):
    return genomes.ingest(
        settings, database, log, dataset=dataset, release="r1", files=[vcf], actor="karen", progress=progress, **words
    )


def lasting(release):
    """What of a manifest does not depend on when, or under which random ids and names of parts, it was made."""
    manifest = release.manifest
    plink = {name: manifest["files"][name] for name in manifest["files"] if name.startswith("plink/")}
    same = ("kind", "genome", "counts", "contigs", "entry_fields", "phenotypes", "sources", "plink", "accepted")
    return plink, [manifest[key] for key in same], len(manifest["files"])


def test_a_run_killed_at_each_stage_is_finished_by_the_same_command(settings, database, log, write_vcf):
    """Five times, each further on; then the release is that of a run that nobody disturbed, and nothing else is left."""
    vcf = write_vcf(records=RECORDS)
    releases = settings.custody_dir / "releases" / "d"
    for where in POINTS:
        killed(settings, where, vcf)
        assert ("r1" in folders(releases)) is (where == "record")
        with database.reading() as db:
            assert [db.scalars(select(table)).all() for table in (Release, Dataset, Individual)] == [[], [], []]
    said = []
    release = take_in(settings, database, log, vcf, progress=said.append)
    assert not any(text.startswith(("Storing", "Comparing what", "Starting")) for text in said)
    assert folders(releases) == ["r1"]
    assert containers(settings) == []
    assert folders(settings.custody_dir / "scratch") == []
    other = take_in(settings, database, log, vcf, dataset="e")
    assert lasting(release) == lasting(other)
    folder = releases / "r1"
    assert store.file_hashes(folder) == release.manifest["files"] | {
        "manifest.json": store.file_hashes_of(folder, ["manifest.json"])["manifest.json"]
    }
    with database.reading() as db:
        people = {one.internal_id for one in db.scalars(select(Individual).where(Individual.dataset_name == "d"))}
    assert set(store.read_columns(folder)) == people
    genomes.publish(settings, database, log, dataset="d", release="r1", actor="karen")


def test_an_interrupted_run_is_replaced_by_another_command(settings, database, log, write_vcf):
    """Ctrl-C while Hail works removes the container; a changed file is not mixed with what the draft holds."""
    vcf = write_vcf(records=RECORDS)

    def interrupt(text):
        if text.startswith("Storing"):
            assert containers(settings)
            os.kill(os.getpid(), signal.SIGINT)

    # A shell's background jobs, and so some integration machines, start with the signal ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            take_in(settings, database, log, vcf, progress=interrupt)
    finally:
        signal.signal(signal.SIGINT, before)
    assert containers(settings) == []
    assert folders(settings.custody_dir / "scratch") == []
    assert folders(settings.custody_dir / "releases" / "d") == [f"{store.DRAFT}r1"]
    write_vcf(records=RECORDS[:2])
    release = take_in(settings, database, log, vcf)
    assert release.manifest["counts"]["variants"] == 2
    assert folders(settings.custody_dir / "releases" / "d") == ["r1"]


@pytest.mark.parametrize(
    ("verb", "change", "text"),
    [
        ("verify_matrix", lambda words: words["contigs"].update(chr1=1), "records to keep"),
        ("verify_matrix", lambda words: words["internal_ids"].reverse(), "in their order"),
        ("matrix", lambda words: words["internal_ids"].reverse(), "in their order"),
    ],
)
def test_what_was_stored_wrong_is_not_kept(settings, database, log, write_vcf, monkeypatch, verb, change, text):
    """A record too few, people in another order: nothing is left of it."""
    call = Worker.call

    def broken(self, name, **words):
        if name == verb:
            words = json.loads(json.dumps(words))
            change(words)
        return call(self, name, **words)

    monkeypatch.setattr(Worker, "call", broken)
    with pytest.raises(IntegrityError, match=text):
        take_in(settings, database, log, write_vcf())
    assert folders(settings.custody_dir / "releases" / "d") == []
    with database.reading() as db:
        assert db.scalars(select(Release)).all() == []


def test_unsound_files_and_tables_leave_nothing(settings, database, log, write_vcf, write_pheno):
    """Neither folder, nor row, nor container, nor log: though Hail was starting when it was found."""
    with pytest.raises(InputError, match=r"small\.vcf"):
        take_in(settings, database, log, write_vcf(content=""))
    pheno = write_pheno(PHENO.replace("ANNA1", "X1").replace("BERTA2", "X2").replace("CARLA3", "X3"))
    with pytest.raises(InputError, match="no row about anybody in the VCF"):
        take_in(settings, database, log, write_vcf(), pheno=pheno)
    for folder in ("releases/d", "scratch", "logs"):
        assert folders(settings.custody_dir / folder) == []
    assert containers(settings) == []
    with database.reading() as db:
        assert db.scalars(select(Dataset)).all() == []
