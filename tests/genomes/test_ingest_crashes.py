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
from ngc_workbench.errors import IntegrityError, Unavailable
from ngc_workbench.genomes import store
from ngc_workbench.genomes.worker import Worker, store_label
from ngc_workbench.model import Dataset, Individual, Release
from tests.genomes.cohorts import HEADER, RECORDS

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("staff")]

KILLED = """
import os, signal, sys, threading, time
from pathlib import Path
from ngc_workbench import genomes
from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database
from ngc_workbench.genomes.ingest import run
from ngc_workbench.settings import Settings

where, wait, dataset, state, vcf = sys.argv[1:]
settings = Settings(instance="test", demo=True, state_dir=Path(state))
said = []

def die(text):
    print(text, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

def progress(text):
    said.append(text)
    if text.startswith(where) or where == str(len(said)):
        threading.Timer(float(wait), die, [text]).start() if float(wait) else die(text)

def watch(path):
    while not path.exists():
        time.sleep(0.02)
    die(where)

if where.startswith("file "):  # of the draft
    path = settings.custody_dir / "releases" / dataset / ".ingest-r1" / where.removeprefix("file ")
    threading.Thread(target=watch, args=[path], daemon=True).start()
# After the folder was renamed, before the rows are written: also where the other point is not reached.
run._record = lambda *_: die("record")
log = AuditLog(settings.control_dir / "audit")
genomes.ingest(settings, Database(settings.database), log, dataset=dataset, release="r1", files=[Path(vcf)], actor="karen",
               progress=progress)
"""
SEED = int(os.environ.get("NGC_CRASH_SEED", "20250703"))
STAGES = [("Storing", 0.0), ("Comparing what", 0.0), ("Hashing", 0.0), ("record", 0.0)]
"""Texts at which a run is killed, each further on than the one before."""


def by_chance():
    """Three points that chance gives: after a number of progress lines, and some seconds."""
    random = Random(SEED)
    return [(str(random.randint(1, 3)), round(random.uniform(0.01, 5), 2)) for _ in range(3)]


def killed(settings, where, wait, vcf, dataset):
    """Runs an ingest in a process that kills itself at a point; gives the last text that it said."""
    command = [sys.executable, "-c", KILLED, where, str(wait), dataset, str(settings.state_dir), str(vcf)]
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


def need_whole(settings, database, dataset, release):
    """The release is all that is there: its files are those of its manifest, its people those that were recorded."""
    folder = settings.custody_dir / "releases" / dataset / "r1"
    assert folders(folder.parent) == ["r1"]
    assert store.file_hashes(folder) == release.manifest["files"] | {
        "manifest.json": store.file_hashes_of(folder, ["manifest.json"])["manifest.json"]
    }
    with database.reading() as db:
        people = {one.internal_id for one in db.scalars(select(Individual).where(Individual.dataset_name == dataset))}
    assert set(store.read_columns(folder)) == people


def test_a_killed_run_is_finished_by_the_same_command(settings, database, log, write_vcf):
    """At each stage, and three times by chance; then the release is that of a run that nobody disturbed."""
    vcf = write_vcf(records=RECORDS)
    for dataset, points in (("d", STAGES), ("c", by_chance())):
        for where, wait in points:
            at = killed(settings, where, wait, vcf, dataset)
            print(f"seed {SEED}: killed at {where} + {wait} s, after {at!r}")  # noqa: T201  (shown when it fails)
            assert wait or at.startswith(where)
            assert ("r1" in folders(settings.custody_dir / "releases" / dataset)) is (at == "record") or wait
            with database.reading() as db:
                assert [db.scalars(select(table)).all() for table in (Release, Dataset, Individual)] == [[], [], []]
    said = []
    release = take_in(settings, database, log, vcf, progress=said.append)
    assert not any(text.startswith(("Storing", "Comparing what", "Starting")) for text in said)
    need_whole(settings, database, "d", release)
    by_chance_ended = take_in(settings, database, log, vcf, dataset="c")
    need_whole(settings, database, "c", by_chance_ended)
    undisturbed = take_in(settings, database, log, vcf, dataset="e")
    assert lasting(release) == lasting(by_chance_ended) == lasting(undisturbed)
    assert containers(settings) == []
    assert folders(settings.custody_dir / "scratch") == []
    genomes.publish(settings, database, log, dataset="d", release="r1", actor="karen")


def test_a_combiner_that_was_killed_is_finished_by_the_same_command(settings, database, log, write_vcf):
    """Once its plan is there, before it noted that its output is whole; and by chance. What is stored agrees with the gVCF."""
    header = HEADER + '##INFO=<ID=END,Number=1,Type=Integer,Description="x">\n'
    block = "chr1\t1000\t.\tA\t<NON_REF>\t.\t.\tEND=1009\tGT:DP:GQ\t0/0:9:90"
    variant = "chr1\t1010\t.\tA\tC,<NON_REF>\t.\t.\t.\tGT:DP:GQ\t0/1:9:90"
    vcf = write_vcf("a.g.vcf.gz", records=(block, variant), header=header, names=["ANNA1"])
    plan = "file work/combiner/plan.json"
    assert killed(settings, plan, 0, vcf, "d") == plan
    subprocess.run(["docker", "rm", "-f", *containers(settings)], check=True, capture_output=True)
    combiner = settings.custody_dir / "releases" / "d" / ".ingest-r1" / "work" / "combiner"
    assert json.loads((combiner / "plan.json").read_text())["gvcfs"], "there is nothing left to do"
    (combiner / "temp").mkdir(exist_ok=True)
    for half in ("reference_data", "variant_data"):
        (combiner / "combined.vds" / half).mkdir(parents=True, exist_ok=True)
        (combiner / "combined.vds" / half / "_SUCCESS").touch()
    wait = round(Random(SEED).uniform(4, 14), 2)
    at = killed(settings, "Combining", wait, vcf, "d")
    print(f"seed {SEED}: killed at Combining + {wait} s, after {at!r}")  # noqa: T201  (shown when it fails)
    release = take_in(settings, database, log, vcf)
    assert (release.manifest["kind"], release.manifest["counts"]["variants"]) == ("vds", 1)
    need_whole(settings, database, "d", release)


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


def test_java_that_was_killed_for_memory_is_told(settings, database, log, write_vcf):
    """Of a container's processes the kernel kills the largest, and Hail would wait for its answer for ever."""
    vcf = write_vcf(records=RECORDS)

    def kill(text):
        if text.startswith("Comparing what"):
            (container,) = containers(settings)
            subprocess.run(["docker", "exec", container, "pkill", "-KILL", "java"], check=True)

    with pytest.raises(Unavailable, match="ran out of its memory"):
        take_in(settings, database, log, vcf, progress=kill)
    assert containers(settings) == []
    need_whole(settings, database, "d", take_in(settings, database, log, vcf))
