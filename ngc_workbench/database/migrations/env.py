"""Runs migrations on the engine that `ngc_workbench.database.migrate` hands over.

SQLite changes a table by writing it anew and dropping the old one, which its own foreign keys would forbid while other tables have
rows that point there. They are off meanwhile (only outside of a transaction can they be switched), and checked as a whole before the commit.
"""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, Engine

from ngc_workbench.errors import IntegrityError

engine: Engine = context.config.attributes["engine"]


def _foreign_keys(connection: Connection, word: str) -> None:
    if engine.dialect.name == "sqlite":
        cursor = connection.connection.cursor()
        cursor.execute(f"PRAGMA foreign_keys={word}")
        cursor.close()


with engine.execution_options(writing=True).connect() as connection:
    _foreign_keys(connection, "OFF")
    try:
        context.configure(connection=connection, render_as_batch=True, transactional_ddl=True)
        with context.begin_transaction():
            context.run_migrations()
            broken = engine.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first()
            if broken:
                raise IntegrityError(
                    "The database has rows that point at others which it lacks; nothing was changed.",
                    "Restore it from a backup, and call the security officer.",
                )
        connection.commit()
    finally:
        connection.rollback()
        _foreign_keys(connection, "ON")
