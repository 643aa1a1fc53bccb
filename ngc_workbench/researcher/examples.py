"""The example notebooks: read-only in the image, a copy of one's own at home."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from .errors import NgcError


def notebooks() -> list[Path]:
    """Copies the example notebooks to `~/examples` where they are missing; gives the paths of all.

    A copy that is there is one's own work by now, and stays as it is. Raises NgcError when the home folder
    can't be written.
    """
    source = Path(os.environ.get("NGC_EXAMPLES", "/opt/workbench/share/notebooks"))
    folder = Path.home() / "examples"
    found: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for notebook in sorted(source.glob("*.ipynb")):
            mine = folder / notebook.name
            if not mine.exists():
                # First under another name: a half-written copy would never be replaced.
                unfinished = mine.with_name(f".{mine.name}.part")
                shutil.copyfile(notebook, unfinished)
                unfinished.replace(mine)
            found.append(mine)
    except OSError as error:
        raise NgcError(f"The example notebooks can't be copied to {folder}: {error.strerror}.") from error
    return found
