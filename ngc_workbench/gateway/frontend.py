"""The gateway's own copy of JupyterLab's front end: what runs in a browser comes from here, never from a container.

Made from the image of sessions when that is built (images/researcher/frontend), read and compared with its manifest once at
the start, then held in memory: what was verified is what is served, whatever happens to the disk, and a copy is some 20 MB.
Reading from disk for each request would need the comparison for each request.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from ngc_workbench.errors import ConfigurationError
from ngc_workbench.settings import Settings

FORMAT = 1
LIMIT = 128 * 1024 * 1024
"""Largest copy that is held in memory, in bytes."""

GUARD = "-/guard.js"
"""Address, below a session's prefix, of our own script on JupyterLab's page."""

_GUARD_FILE = Path(__file__).parent / "static" / "guard.js"
_IMAGE = re.compile(r"(?:[^\s]*@)?sha256:([0-9a-f]{64})")
_REMEDY = "Run `make setup`; for an image that session_image names: images/researcher/frontend/copy.sh sha256:…"

TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".ttf": "font/ttf",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".gif": "image/gif",
    ".jpg": "image/jpeg",
    ".ico": "image/x-icon",
}
"""Media type by the ending of a name."""


@dataclass(frozen=True)
class File:
    """One file, as it is served. `digest` is the SHA-256 of `body`, in hexadecimal."""

    body: bytes = field(repr=False)
    kind: str
    digest: str


@dataclass(frozen=True)
class FrontEnd:
    """A verified copy: files by their address below a session's prefix, and what JupyterLab's page is written from."""

    image: str
    files: Mapping[str, File] = field(repr=False)
    page: Mapping[str, Any] = field(repr=False)


def load(settings: Settings) -> FrontEnd:
    """The copy that belongs to the image of sessions, each byte compared with the manifest.

    Raises ConfigurationError when there is none, or when a file is missing, differs, is not listed, or is a link.
    """
    image = settings.researcher_image
    named = _IMAGE.fullmatch(image)
    if named is None:
        raise ConfigurationError(
            "The image of sessions is not named by its digest.", "Set session_image to `sha256:…`."
        )
    folder = settings.frontend_copies / named[1][:12]
    try:
        found = dict(_bounded(folder))
        manifest = json.loads(found.pop("manifest.json"))
        expected = {f"files/{name}": entry["sha256"] for name, entry in manifest["files"].items()}
        expected["page.json"] = manifest["page"]
        known = (manifest["format"], manifest["image"]) == (FORMAT, image)
        page = json.loads(found["page.json"])
    except OSError as error:
        raise ConfigurationError(
            f"The front end of image {named[1][:12]} can't be read: {error.strerror}.", _REMEDY
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(f"The front end of image {named[1][:12]} has no manifest.", _REMEDY) from error
    if not known:
        raise ConfigurationError(f"The front end in {named[1][:12]} is another image's.", _REMEDY)
    digests = {name: hashlib.sha256(body).hexdigest() for name, body in found.items()}
    if wrong := sorted(name for name in {*expected, *digests} if expected.get(name) != digests.get(name)):
        raise ConfigurationError(
            f"The front end of image {named[1][:12]} differs from its manifest ({len(wrong)} files, first {wrong[0]}).",
            _REMEDY,
        )
    del found["page.json"]
    files = {name.removeprefix("files/"): _file(name, body) for name, body in found.items()}
    files[GUARD] = _file(GUARD, _GUARD_FILE.read_bytes())
    return FrontEnd(image, files, page)


def _file(name: str, body: bytes) -> File:
    kind = TYPES.get(PurePosixPath(name).suffix)
    if kind is None:
        raise ConfigurationError(f"The front end holds a file of a kind that isn't served: {name}.", _REMEDY)
    return File(body, kind, hashlib.sha256(body).hexdigest())


def _bounded(folder: Path) -> Iterator[tuple[str, bytes]]:
    total = 0
    for name, body in _regular(os.open(folder, _FOLDER), ""):
        total += len(body)
        if total > LIMIT:
            raise ConfigurationError(f"The front end is larger than {LIMIT // 1024**2} MB.", _REMEDY)
        yield name, body


_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


def _regular(folder: int, below: str) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file below an open folder, which is closed. Nothing but files and folders may be there.

    Each step is opened relative to the one before and without following links, so that what was looked at is what is read.
    """
    try:
        for name in sorted(os.listdir(folder)):
            mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
            if stat.S_ISDIR(mode):
                yield from _regular(os.open(name, _FOLDER, dir_fd=folder), f"{below}{name}/")
            elif stat.S_ISREG(mode):
                with os.fdopen(os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=folder), "rb") as handle:
                    yield below + name, handle.read(LIMIT + 1)
            else:
                raise ConfigurationError(f"The front end holds something that is no file: {below}{name}.", _REMEDY)
    finally:
        os.close(folder)
