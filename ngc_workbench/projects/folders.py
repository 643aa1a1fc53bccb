"""A project's working folders on the host, and who owns them.

    projects/<project>/shared           mounted at /project by every member
    projects/<project>/homes/<person>   mounted at /home/researcher by that member
    projects/<project>/outbox/<person>  mounted at /outbox by that member

Names are slugs, checked before a path is built, so no path leaves `projects_dir`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ngc_workbench.errors import Unavailable
from ngc_workbench.policy.names import slug
from ngc_workbench.settings import Settings


@dataclass(frozen=True)
class Folders:
    """The three folders of one person in one project (absolute)."""

    shared: Path
    home: Path
    outbox: Path


def folders(settings: Settings, project: str, person: str) -> Folders:
    """Where the folders are. Raises InputError when a name is not a slug."""
    base = settings.projects_dir / slug(project, "project")
    name = slug(person, "person")
    return Folders(shared=base / "shared", home=base / "homes" / name, outbox=base / "outbox" / name)


def make_folders(settings: Settings, project: str, person: str) -> Folders:
    """Makes what is missing; the session's user owns the folders. Raises Unavailable when that fails."""
    made = folders(settings, project, person)
    try:
        settings.projects_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in (made.shared, made.home, made.outbox):
            folder.mkdir(parents=True, exist_ok=True)
            if folder.stat().st_uid != settings.session_uid:
                _give(folder, settings.session_uid)
    except OSError as error:
        raise Unavailable(
            f"The project's folders can't be made: {error.strerror}.", "Free space or mend the rights, then repeat."
        ) from error
    return made


def _give(folder: Path, uid: int) -> None:
    if os.geteuid() == 0:
        os.chown(folder, uid, uid)
        return
    # Not root (a demo on somebody's laptop): changing an owner is one of the things that need root.
    sudo = shutil.which("sudo")
    if sudo is None or subprocess.run([sudo, "-n", "chown", f"{uid}:{uid}", str(folder)], check=False).returncode != 0:
        raise Unavailable("The project's folders can't be handed to the session's user.", "Run as root, or allow sudo.")
