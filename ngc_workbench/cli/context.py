"""What a command works with: settings, database, audit log, and who runs it."""

from __future__ import annotations

import getpass
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import typer

from ngc_workbench import database as database_room
from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database
from ngc_workbench.errors import ConfigurationError
from ngc_workbench.settings import Settings, config_path, load


@dataclass(frozen=True)
class Workbench:
    """An opened installation. `config` is the configuration file that it was read from."""

    config: Path
    settings: Settings
    database: Database
    log: AuditLog
    actor: str


def open_workbench(config: Path | None = None, actor: str | None = None) -> Workbench:
    """Opens the installation that the configuration names; the database is brought to the current schema.

    `actor` is the person in whose name the command acts: given, else $NGC_ACTOR. Without either it is the system account,
    which holds no role: commands that need one then refuse.
    """
    path = config_path(config)
    settings = load(path)
    for folder in (settings.state_dir, settings.control_dir, settings.run_dir):
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise ConfigurationError(
                f"The state directory can't be made: {error.strerror}.", "Check state_dir and its rights."
            ) from error
    database = Database(settings.database)
    database_room.upgrade(database)
    return Workbench(
        config=path,
        settings=settings,
        database=database,
        log=AuditLog(settings.control_dir / "audit"),
        actor=actor or os.environ.get("NGC_ACTOR") or f"system-{getpass.getuser()}",
    )


def progress(text: str) -> None:
    """Says on standard error what is going on; on a terminal each line replaces the last."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[2K{text}")
    else:
        sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def progress_done() -> None:
    """Ends the progress line of a terminal."""
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[2K")
        sys.stderr.flush()


def opened(context: typer.Context) -> Workbench:
    """The installation that the command's own options name."""
    options = context.find_root().obj or {}
    return open_workbench(options.get("config"), options.get("actor"))


def group() -> None:
    """Callback of a group of commands: one with a single command stays a group only when it has one."""
