"""A custodian's run that is killed or interrupted leaves the old state usable, and the next run finishes."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from ngc_workbench import genomes
from ngc_workbench.genomes.worker import store_label
from ngc_workbench.model import View
from tests.genomes.cohorts import RECORDS

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("staff")]

KILLED = """
import os, signal, sys
from pathlib import Path
from ngc_workbench import genomes
from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database
from ngc_workbench.settings import Settings

where, state = sys.argv[1:]
settings = Settings(instance="test", demo=True, state_dir=Path(state))
die = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
progress = lambda text: die() if text.startswith(where) else None
if where == "record":  # after the folder was renamed, before the rows are written
    sys.modules["ngc_workbench.genomes.views"]._publish = die
log = AuditLog(settings.control_dir / "audit")
genomes.build_view(settings, Database(settings.database), log, project="one", dataset="d", release="r1", actor="sofie",
                   progress=progress)
"""


def killed(settings, where):
    """Builds a view in a process that kills itself at a point."""
    command = [sys.executable, "-c", KILLED, where, str(settings.state_dir)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(genomes.__file__).parents[2], check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


def containers(settings):
    command = ["docker", "ps", "-aq", "--filter", f"label=ngc-workbench.store={store_label(settings)}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def folders(path):
    return sorted(child.name for child in path.iterdir()) if path.is_dir() else []


def test_a_killed_view_leaves_nothing_that_counts_and_the_next_run_finishes(
    settings, database, log, write_vcf, approve
):
    """Killed between the folder and its row."""
    vcf = write_vcf(records=RECORDS)
    release = genomes.ingest(settings, database, log, dataset="d", release="r1", files=[vcf], actor="karen")
    genomes.publish(settings, database, log, dataset="d", release="r1", actor="karen")
    approve(release.id, "one")
    killed(settings, "record")
    assert folders(settings.views_dir / "one") == ["d-r1-1"]
    with database.reading() as db:
        assert db.scalars(select(View)).all() == []
    view = genomes.build_view(settings, database, log, project="one", dataset="d", release="r1", actor="sofie")
    assert folders(settings.views_dir / "one") == [view.folder]
    assert view.people == 4
    assert containers(settings) == []
    assert folders(settings.custody_dir / "scratch") == []
