"""Several processes, and processes that die."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select

from ngc_workbench.audit import AuditEvent, AuditLog, verify_live
from ngc_workbench.database import Database
from ngc_workbench.model import Base

fork = multiprocessing.get_context("fork")


def new_database(folder: Path) -> str:
    url = f"sqlite:///{folder / 'control' / 'workbench.sqlite'}"
    database = Database(url)
    Base.metadata.create_all(database.engine)
    database.close()
    return url


def write_some(url: str, folder: Path, name: str, count: int) -> None:
    """A process of its own: makes the keys if it is the first, appends, signs now and then."""
    database, log = Database(url), AuditLog(folder)
    for number in range(count):
        with database.writing() as db:
            log.append(db, "session.cell", actor=name, details={"cell": number})
        if number % 7 == 0:
            log.sign_head(database)
    database.close()


def test_four_processes_at_once_write_one_whole_log(tmp_path: Path) -> None:
    """Nothing is lost or doubled, the keys are made once, and the log verifies."""
    url = new_database(tmp_path)
    writers = [fork.Process(target=write_some, args=(url, tmp_path / "audit", f"person{n}", 30)) for n in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0] * 4
    database, log = Database(url), AuditLog(tmp_path / "audit")
    report = verify_live(database, log)
    assert report.ok, report.lines
    assert report.proven == 120
    assert sorted(path.name for path in log.directory.iterdir()) == [
        "heads.jsonl",
        "public.key",
        "signing.key",
        "tagging.key",
    ]
    with database.reading() as db:
        cells = [(event.actor, event.details["cell"]) for event in log.read(db, limit=1000)]
    assert sorted(cells) == sorted((f"person{n}", cell) for n in range(4) for cell in range(30))
    database.close()


def write_until_killed(url: str, folder: Path, told: int) -> None:
    """Appends and signs without end; says each number after its commit."""
    database, log = Database(url), AuditLog(folder)
    while True:
        with database.writing() as db:
            event = log.append(db, "session.cell", actor="bo", details={"text": "x" * random.randint(0, 900)})
        os.write(told, b"%d\n" % event.seq)
        log.sign_head_if_stale(database, timedelta(0))


def test_a_killed_writer_leaves_a_log_that_verifies(tmp_path: Path) -> None:
    """Killed at any moment, ten times over: the log verifies, goes on, and holds every event that was said to be stored."""
    url = new_database(tmp_path)
    rng = random.Random(7)
    stored = 0
    for _ in range(10):
        heard, told = os.pipe()
        writers = [fork.Process(target=write_until_killed, args=(url, tmp_path / "audit", told)) for _ in range(2)]
        for writer in writers:
            writer.start()
        os.close(told)
        first = os.read(heard, 64)  # at least one event stands
        time.sleep(rng.uniform(0.0, 0.15))
        for writer in writers:
            os.kill(writer.pid, signal.SIGKILL)
        for writer in writers:
            writer.join(30)
        said = first
        while more := os.read(heard, 65536):
            said += more
        os.close(heard)
        stored = max([stored, *map(int, said.split(b"\n")[:-1])])
        database, log = Database(url), AuditLog(tmp_path / "audit")
        report = verify_live(database, log)
        assert report.ok, report.lines
        with database.reading() as db:
            assert db.scalar(select(func.count()).select_from(AuditEvent)) >= stored
        database.close()
    assert stored > 10
