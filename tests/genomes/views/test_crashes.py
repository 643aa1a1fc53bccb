"""A view's building that is killed at any moment leaves the old view usable, and the next run finishes."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from ngc_workbench import genomes
from ngc_workbench.genomes import hail_files, store, views
from ngc_workbench.genomes.worker import store_label
from ngc_workbench.model import Approval, View
from tests.genomes.cohorts import GATK
from tests.genomes.views.conftest import PEOPLE

BUILD = """
import os, signal, sys
from pathlib import Path
from ngc_workbench import genomes
from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database
from ngc_workbench.settings import Settings

state, dataset, where = sys.argv[1:]
settings = Settings(instance="test", demo=True, state_dir=Path(state))
die = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
if where == "record":  # after the folder got its name, before its row
    sys.modules["ngc_workbench.genomes.views"]._publish = die
database, log = Database(settings.database), AuditLog(settings.control_dir / "audit")
print("ready", flush=True)
while True:
    genomes.build_view(settings, database, log, project="one", dataset=dataset, release="r1", actor="sofie",
                       progress=lambda text: die() if where and text.startswith(where) else None)
    if where:
        break
"""
SEED = random.Random().randrange(10**6)


def start(settings, dataset, where=""):
    """A process that builds views: over and over, or once until it kills itself at a point."""
    return subprocess.Popen(
        [sys.executable, "-c", BUILD, str(settings.state_dir), dataset, where],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=Path(genomes.__file__).parents[2],
    )  # fmt: skip


def folders(path):
    return sorted(child.name for child in path.iterdir()) if path.is_dir() else []


def ids(site, view):
    return [row[0] for row in hail_files.read_columns(site.view_folder(view) / "genotypes.mt" / "cols")]


def test_ten_kills_at_random_moments_leave_a_usable_view(site):
    """Views are built one after the other in a process that is killed somewhere in between, ten times."""
    site.build()
    expected = [site.pseudonym("one", person) for person in PEOPLE]
    moments = random.Random(SEED)
    for _ in range(10):
        process = start(site.settings, "d")
        assert process.stdout.readline() == "ready\n"
        time.sleep(moments.uniform(0, 0.5))
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        current = site.current()
        assert len(current) == 1, f"seed {SEED}"
        assert ids(site, current[0]) == expected, f"seed {SEED}"
    view = site.build()
    assert [one.id for one in site.current()] == [view.id]
    assert folders(site.settings.views_dir / "one") == [view.folder]
    site.log.sign_head_if_stale(site.database)


def test_a_kill_between_the_folder_and_its_row_leaves_nothing_that_counts(site):
    """The folder is there and belongs to nobody; the next run removes it."""
    process = start(site.settings, "d", "record")
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert folders(site.settings.views_dir / "one") == ["d-r1-1"]
    assert site.current() == []
    view = site.build()
    assert folders(site.settings.views_dir / "one") == [view.folder]


@pytest.mark.docker
def test_a_kill_while_a_cut_is_written_leaves_nothing_and_the_next_run_finishes(site, tmp_path):
    """The container goes on without us: the next run ends it and starts anew; the old view counts meanwhile."""
    release = genomes.ingest(
        site.settings, site.database, site.log, dataset="gatk", release="r1", files=[GATK], actor="karen"
    )
    genomes.publish(site.settings, site.database, site.log, dataset="gatk", release="r1", actor="karen")
    with site.database.writing() as db:
        old = db.scalars(select(Approval)).first()
        db.add(Approval(project_name="one", release_id=release.id, approved_by="sofie", valid_until=old.valid_until))

    def build():
        return genomes.build_view(
            site.settings, site.database, site.log, project="one", dataset="gatk", release="r1", actor="sofie"
        )

    first = build()
    genomes.record_opt_out(site.settings, site.database, site.log, actor="karen", dataset="gatk", sample="HG00100")
    process = start(site.settings, "gatk", "Writing the genotypes of a cut")
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    label = ["docker", "ps", "-aq", "--filter", f"label=ngc-workbench.store={store_label(site.settings)}"]
    assert subprocess.run(label, capture_output=True, text=True, check=True).stdout.split()
    with site.database.reading() as db:
        current = db.scalars(select(View).where(View.release_id == release.id, View.retired.is_(None))).all()
    assert [view.id for view in current] == [first.id]
    assert all(name.startswith(store.BUILDING) for name in folders(site.settings.custody_dir / "cuts"))
    view = build()
    assert view.people == 99
    assert folders(site.settings.custody_dir / "cuts") == [view.cut]
    assert subprocess.run(label, capture_output=True, text=True, check=True).stdout == ""
    assert folders(site.settings.custody_dir / "scratch") == []
    views.clean(site.settings, site.database)
    assert not os.path.lexists(site.settings.views_dir / "one" / first.folder)
