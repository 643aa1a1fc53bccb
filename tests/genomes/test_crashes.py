"""A custodian's run that is killed or interrupted leaves the old state usable, and the next run finishes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from ngc_workbench import genomes
from ngc_workbench.genomes.worker import store_label
from ngc_workbench.model import Dataset, Individual, Release, View
from tests.genomes.cohorts import RECORDS

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("staff")]

KILLED = """
import os, signal, sys
from pathlib import Path
from ngc_workbench import genomes
from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database
from ngc_workbench.settings import Settings

what, where, state, vcf = sys.argv[1:]
settings = Settings(instance="test", demo=True, state_dir=Path(state))
die = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
progress = lambda text: die() if text.startswith(where) else None
if where == "record":  # after the folder was renamed, before the rows are written
    sys.modules["ngc_workbench.genomes.ingest"]._record = die
    sys.modules["ngc_workbench.genomes.views"]._publish = die
words = {"dataset": "d", "release": "r1", "progress": progress}
words |= {"vcf": Path(vcf), "actor": "karen"} if what == "ingest" else {"project": "one", "actor": "sofie"}
getattr(genomes, what)(settings, Database(settings.database), AuditLog(settings.control_dir / "audit"), **words)
"""


def killed(settings, what, where, vcf):
    """Runs a function in a process that kills itself at a point."""
    command = [sys.executable, "-c", KILLED, what, where, str(settings.state_dir), str(vcf)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(genomes.__file__).parents[2], check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


def containers(settings):
    command = ["docker", "ps", "-aq", "--filter", f"label=ngc-workbench.store={store_label(settings)}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def folders(path):
    return sorted(child.name for child in path.iterdir()) if path.is_dir() else []


def test_killed_runs_leave_nothing_that_counts_and_the_next_one_finishes(settings, database, log, write_vcf, approve):
    """Killed while Hail works (its container goes on), and between the folder and its row; ingest and view alike."""
    vcf = write_vcf(records=RECORDS)
    releases = settings.custody_dir / "releases" / "d"
    killed(settings, "ingest", "Storing", vcf)
    assert containers(settings)
    assert "r1" not in folders(releases)
    killed(settings, "ingest", "record", vcf)
    assert folders(releases) == ["r1"]
    with database.reading() as db:
        assert [db.scalars(select(table)).all() for table in (Release, Dataset, Individual)] == [[], [], []]
    release = genomes.ingest(settings, database, log, dataset="d", release="r1", vcf=vcf, actor="karen")
    assert release.manifest["counts"]["variants"] == 3
    assert folders(releases) == ["r1"]
    genomes.publish(settings, database, log, dataset="d", release="r1", actor="karen")
    approve(release.id, "one")
    killed(settings, "build_view", "record", vcf)
    assert folders(settings.views_dir / "one") == ["d-r1-1"]
    with database.reading() as db:
        assert db.scalars(select(View)).all() == []
    view = genomes.build_view(settings, database, log, project="one", dataset="d", release="r1", actor="sofie")
    assert folders(settings.views_dir / "one") == [view.folder]
    assert view.people == 4
    assert containers(settings) == []
    assert folders(settings.custody_dir / "scratch") == []


def test_an_interrupt_removes_the_container_and_leaves_nothing(settings, database, log, write_vcf):
    """Ctrl-C while Hail works."""

    def interrupt(text):
        if text.startswith("Storing"):
            assert containers(settings)
            os.kill(os.getpid(), signal.SIGINT)

    # A shell's background jobs, and so some integration machines, start with the signal ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            genomes.ingest(
                settings, database, log, dataset="d", release="r1", vcf=write_vcf(), actor="karen", progress=interrupt
            )
    finally:
        signal.signal(signal.SIGINT, before)
    assert containers(settings) == []
    assert folders(settings.custody_dir / "releases" / "d") == []
    assert folders(settings.custody_dir / "scratch") == []
