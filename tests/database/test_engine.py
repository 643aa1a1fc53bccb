"""Transactions: one writer at a time, all or nothing, plain errors."""

from __future__ import annotations

import multiprocessing
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import event, select

from ngc_workbench.database import Database
from ngc_workbench.errors import Unavailable
from ngc_workbench.model import Base, Dataset, Project


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'control' / 'workbench.sqlite'}"


@pytest.fixture
def database(url: str):
    database = Database(url)
    Base.metadata.create_all(database.engine)
    yield database
    database.close()


def add(database: Database, name: str) -> None:
    with database.writing() as db:
        db.add(Dataset(name=name))


def names(database: Database) -> list[str]:
    with database.reading() as db:
        return sorted(db.scalars(select(Dataset.name)))


def count_up(database: Database, times: int) -> None:
    """Reads, waits, writes what it read plus one: two that overlap would lose a step."""
    for _ in range(times):
        with database.writing() as db:
            dataset = db.get_one(Dataset, "counter")
            seen = int(dataset.title or 0)
            time.sleep(0.002)
            dataset.title = str(seen + 1)


def count_up_alone(url: str, times: int) -> None:
    database = Database(url)
    count_up(database, times)
    database.close()


def test_a_block_that_ends_is_stored(database: Database) -> None:
    """What a writing block did is there for others after it."""
    add(database, "heart")
    assert names(database) == ["heart"]


def test_a_block_that_raises_changes_nothing(database: Database) -> None:
    """Everything that the block did is undone, also what was flushed."""
    with pytest.raises(KeyError), database.writing() as db:  # noqa: PT012 - the block is what rolls back
        db.add(Dataset(name="heart"))
        db.flush()
        raise KeyError("on purpose")
    assert names(database) == []


def test_a_reading_block_changes_nothing(database: Database) -> None:
    """What is changed in a reading block is thrown away; what was read stays usable after it."""
    add(database, "heart")
    with database.reading() as db:
        db.add(Dataset(name="lung"))
        db.flush()
        heart = db.get_one(Dataset, "heart")
    assert names(database) == ["heart"]
    assert heart.created.tzinfo is not None


def test_threads_write_one_after_the_other(database: Database) -> None:
    """A writing block holds the write lock from its first read on: no step of two counters is lost."""
    add(database, "counter")
    threads = [threading.Thread(target=count_up, args=(database, 15)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as db:
        assert db.get_one(Dataset, "counter").title == "45"


def test_processes_write_one_after_the_other(database: Database, url: str) -> None:
    """The same holds between processes."""
    add(database, "counter")
    database.close()
    fork = multiprocessing.get_context("fork")
    others = [fork.Process(target=count_up_alone, args=(url, 15)) for _ in range(2)]
    for other in others:
        other.start()
    count_up(database, 15)
    for other in others:
        other.join(60)
    assert [other.exitcode for other in others] == [0, 0]
    with database.reading() as db:
        assert db.get_one(Dataset, "counter").title == "45"


def test_a_reader_does_not_wait_for_a_writer(database: Database) -> None:
    """While a writer holds the lock, readers see the last committed state at once."""
    add(database, "heart")
    with database.writing() as db:
        db.add(Dataset(name="lung"))
        db.flush()
        assert names(database) == ["heart"]
    assert names(database) == ["heart", "lung"]


def test_a_commit_waits_for_the_disk(database: Database) -> None:
    """SQLite runs with a write-ahead log, full synchronisation and foreign keys."""
    with database.reading() as db:
        values = [
            db.connection().exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert values == ["wal", 2, 1]


def test_a_locked_database_is_unavailable(database: Database, url: str) -> None:
    """A lock that isn't freed in time is said in one line, as Unavailable."""
    impatient = Database(url)
    event.listen(impatient.engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout=20"))
    with database.writing() as db:
        db.add(Dataset(name="heart"))
        db.flush()
        with pytest.raises(Unavailable, match="locked"):
            add(impatient, "lung")
    impatient.close()
    assert names(database) == ["heart"]


def test_a_full_disk_is_unavailable(url: str, database: Database) -> None:
    """A full disk is said in one line with what to do, and nothing of the block is stored; with space again it goes on."""
    small = Database(url)
    event.listen(small.engine, "connect", lambda connection, _: connection.execute("PRAGMA max_page_count=1"))
    with pytest.raises(Unavailable, match="disk of the database is full"), small.writing() as db:  # noqa: PT012
        db.add(Dataset(name="heart"))
        db.flush()
        db.add(Project(name="p", title="x" * 400_000, purpose="", ethics_approval=""))
    small.close()
    assert names(database) == []
    add(database, "heart")
    assert names(database) == ["heart"]


def test_a_database_without_tables_says_what_to_run(tmp_path: Path) -> None:
    """Before the first upgrade the message names the command."""
    empty = Database(f"sqlite:///{tmp_path / 'new.sqlite'}")
    with pytest.raises(Unavailable, match="database upgrade"):
        names(empty)
    empty.close()


def test_an_unreachable_file_is_unavailable(tmp_path: Path) -> None:
    """A path that can't be opened is no stack trace."""
    (tmp_path / "folder.sqlite").mkdir()
    broken = Database(f"sqlite:///{tmp_path / 'folder.sqlite'}")
    with pytest.raises(Unavailable, match="does not answer"):
        names(broken)
    broken.close()


def test_times_keep_their_zone(database: Database) -> None:
    """Times come back in UTC; one without a zone is refused."""
    with database.writing() as db:
        db.add(Dataset(name="heart", created=datetime(2026, 5, 1, 12, tzinfo=UTC)))
    with database.reading() as db:
        assert db.get_one(Dataset, "heart").created == datetime(2026, 5, 1, 12, tzinfo=UTC)
    naive = datetime(2026, 5, 1, 12)  # noqa: DTZ001 - the point of the test
    with pytest.raises(Exception, match="without a zone"), database.writing() as db:
        db.add(Dataset(name="lung", created=naive))
