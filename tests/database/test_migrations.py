"""The migrations give the schema that the code declares, and take it away again."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, select

import ngc_workbench.audit
from ngc_workbench.database import Database, upgrade
from ngc_workbench.database.migrate import alembic_config
from ngc_workbench.errors import IntegrityError
from ngc_workbench.model import Base, Project, Session, Traffic

assert ngc_workbench.audit.AuditEvent.__table__.metadata is Base.metadata


@pytest.fixture
def database(tmp_path: Path):
    database = Database(f"sqlite:///{tmp_path / 'control' / 'workbench.sqlite'}")
    yield database
    database.close()


def differences(database: Database) -> list[object]:
    """What the database lacks or has too much against the code's declarations."""
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, Base.metadata))


def test_migrated_schema_is_the_declared_one(database: Database) -> None:
    """After all migrations there is no difference between the database and the models."""
    upgrade(database)
    assert differences(database) == []


def test_each_declared_table_exists(database: Database) -> None:
    """Every table of the models is made by the migrations, and nothing else but Alembic's own."""
    upgrade(database)
    assert set(inspect(database.engine).get_table_names()) == {*Base.metadata.tables, "alembic_version"}


def test_a_missing_column_is_noticed(database: Database) -> None:
    """The comparison sees a column that the database lacks (so the test above means something)."""
    upgrade(database)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE people DROP COLUMN research_group")
    assert [difference[0] for difference in differences(database)] == ["add_column"]


def test_upgrade_twice_changes_nothing(database: Database) -> None:
    """A second upgrade does nothing."""
    upgrade(database)
    upgrade(database)
    assert differences(database) == []


def test_downgrade_leaves_no_table(database: Database) -> None:
    """Going back to the beginning leaves only Alembic's own, empty table; and the way forward works again."""
    upgrade(database)
    command.downgrade(alembic_config(database), "base")
    assert inspect(database.engine).get_table_names() == ["alembic_version"]
    upgrade(database)
    assert differences(database) == []


OLD = """
INSERT INTO people (name, full_name, research_group, roles, assurance, methods, disabled, created)
 VALUES ('alma', 'Alma', '', '[]', '', '[]', 0, '2026-11-01 00:00:00');
INSERT INTO projects (name, title, purpose, ethics_approval, state, region, created)
 VALUES ('heart', 't', 'p', 'e', 'active', '', '2026-11-01 00:00:00');
INSERT INTO sessions (id, person_name, project_name, state, prefix, network, subnet, address, port, container, mounts, bytes_out, started, stop_reason)
 VALUES ('s1', 'alma', 'heart', 'running', '/', 'n', 's', '', 0, '', '[]', 5000000000, '2026-11-20 13:45:10.5', '');
INSERT INTO sessions (id, person_name, project_name, state, prefix, network, subnet, address, port, container, mounts, bytes_out, started, stop_reason)
 VALUES ('s2', 'alma', 'heart', 'stopped', '/', 'n', 's', '', 0, '', '[]', 0, '2026-11-20 13:45:10.5', '');
"""


def fill(database: Database) -> None:
    """A database of the first version, with rows that point at each other."""
    upgrade(database, "0001")
    with database.engine.begin() as connection:
        for line in OLD.split(";\n"):
            if line.strip():
                connection.exec_driver_sql(line)


def test_bytes_that_were_counted_before_stand_in_traffic_and_count_for_nothing(database: Database) -> None:
    """After the meter came, a session's rows still sum up to what it showed, and no old one pauses anything."""
    fill(database)
    upgrade(database)
    with database.reading() as db:
        rows = [(row.session_id, row.hour, row.kind, row.bytes, row.released) for row in db.scalars(select(Traffic))]
        assert rows == [("s1", datetime(2026, 11, 20, 13, tzinfo=UTC), "other", 5_000_000_000, 5_000_000_000)]
        session, project = db.get_one(Session, "s1"), db.get_one(Project, "heart")
        assert (session.paused_at, session.pause_reason, session.pause_facts, session.frozen) == (None, "", {}, False)
        assert (session.bytes_out, project.limits) == (5_000_000_000, {})


def test_after_an_upgrade_foreign_keys_count_again(database: Database) -> None:
    """They are off while tables are written anew, and no longer; on every connection."""
    fill(database)
    upgrade(database)
    command.downgrade(alembic_config(database), "0002")
    upgrade(database)
    for _ in range(2):
        with database.engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_an_upgrade_that_would_leave_rows_pointing_nowhere_changes_nothing(database: Database) -> None:
    """What foreign keys would have seen is looked at as a whole before the commit."""
    fill(database)
    with database.engine.connect() as connection:
        cursor = connection.connection.cursor()
        cursor.execute("PRAGMA foreign_keys=OFF")
        cursor.execute("DELETE FROM people")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()
    with pytest.raises(IntegrityError):
        upgrade(database)
    assert "limits" not in {column["name"] for column in inspect(database.engine).get_columns("projects")}
    with database.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == "0001"
