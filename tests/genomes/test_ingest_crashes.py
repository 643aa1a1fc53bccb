"""An ingest that is killed, interrupted or refused leaves the old state usable; the same command finishes it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import select

from ngc_workbench import genomes
from ngc_workbench.errors import IntegrityError
from ngc_workbench.genomes import store
from ngc_workbench.genomes.worker import Worker, store_label
from ngc_workbench.model import Dataset, Individual, Release
from tests.genomes.cohorts import RECORDS

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("staff")]

KILLED = """
import os, signal, sys, threading
from pathlib import Path
from ngc_workbench import genomes
from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database
from ngc_workbench.genomes.ingest import run
from ngc_workbench.settings import Settings

where, wait, state, vcf = sys.argv[1:]
settings = Settings(instance="test", demo=True, state_dir=Path(state))
said = []

def die(text):
    print(text, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

def progress(text):
    said.append(text)
    if text.startswith(where) or where == str(len(said)):
        threading.Timer(float(wait), die, [text]).start() if float(wait) else die(text)

# After the folder was renamed, before the rows are written: also where the other point is not reached.
run._record = lambda *_: die("record")
log = AuditLog(settings.control_dir / "audit")
genomes.ingest(settings, Database(settings.database), log, dataset="d", release="r1", files=[Path(vcf)], actor="karen",
               progress=progress)
"""
SEED = int(os.environ.get("NGC_CRASH_SEED", "20250703"))


def points():
    """Where to kill: at texts, and between them after a number of progress lines and some seconds that chance gives."""
    random = Random(SEED)
    for text in ("Storing", "Comparing what", "Hashing"):
        yield str(random.randint(1, 8)), round(random.uniform(0.1, 2), 2)
        yield text, 0
    yield "record", 0


def killed(settings, where, wait, vcf):
    """Runs an ingest in a process that kills itself at a point; gives the last text that it said."""
    command = [sys.executable, "-c", KILLED, where, str(wait), str(settings.state_dir), str(vcf)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(genomes.__file__).parents[2], check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    return done.stdout.strip()


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
    """Seven times, three of them by chance; then the release is that of an undisturbed run, and nothing else is left."""
    vcf = write_vcf(records=RECORDS)
    releases = settings.custody_dir / "releases" / "d"
    for where, wait in points():
        at = killed(settings, where, wait, vcf)
        print(f"seed {SEED}: killed at {where} + {wait} s, which was {at}")  # noqa: T201  (shown when it fails)
        assert ("r1" in folders(releases)) is (at == "record") or wait
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
