"""The outbox of one person in one project, and the installation's store."""

from __future__ import annotations

from ngc_workbench.airlock.store import OutboxFile, Store
from ngc_workbench.projects import folders
from ngc_workbench.settings import Settings


def store(settings: Settings) -> Store:
    """The store of this installation. Raises Unavailable when its folder can't be made."""
    return Store(settings.airlock_dir, max_bytes=settings.export_max_file_mb << 20, max_files=settings.export_max_files)


def outbox(settings: Settings, project: str, person: str) -> list[OutboxFile]:
    """What lies in the person's outbox of the project, by name. Raises InputError when a name is not a slug."""
    return store(settings).listing(folders(settings, project, person).outbox)
