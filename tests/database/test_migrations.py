"""The migrations give the schema that the code declares, and take it away again."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

import ngc_workbench.audit
from ngc_workbench.database import Database, upgrade
from ngc_workbench.database.migrate import alembic_config
from ngc_workbench.model import Base

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
