"""What the spawner and the warden work with, made once a process."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from docker import APIClient
from docker.errors import DockerException

from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database
from ngc_workbench.errors import Unavailable
from ngc_workbench.settings import Settings, load


@dataclass(frozen=True)
class Runtime:
    """An opened installation and its Docker Engine."""

    settings: Settings
    database: Database
    log: AuditLog
    docker: APIClient


def open_runtime(settings: Settings) -> Runtime:
    """Opens database, audit log and Engine. Raises Unavailable when the Engine does not answer."""
    try:
        client = APIClient(version="auto", timeout=60)
    except DockerException as error:
        raise Unavailable("Docker does not answer.", "`make setup` installs and starts it.") from error
    return Runtime(settings, Database(settings.database), AuditLog(settings.control_dir / "audit"), client)


@functools.cache
def runtime() -> Runtime:
    """This process's own, by the configuration that counts."""
    return open_runtime(load())
