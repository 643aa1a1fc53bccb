"""Migrations with Alembic, run from code so that no second configuration file is needed."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config

from ngc_workbench.database.engine import Database


def alembic_config(database: Database) -> Config:
    """Alembic's configuration for this database."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["engine"] = database.engine
    return config


def upgrade(database: Database, revision: str = "head") -> None:
    """Brings the schema to `revision`; does nothing when it is there already."""
    command.upgrade(alembic_config(database), revision)
