"""The store of submitted files: each copied once out of the outbox, and kept under the SHA-256 of its content.

An outbox is hostile ground: the code in a session writes there while we read. So the folder is opened once, and each file
through that handle (`openat`) without following links; only a regular file is taken, its size is counted while copying
rather than believed, and a file that changes meanwhile is refused. What happens to the outbox afterwards does not matter: the copy is
what is checked, shown, voted on and released.

Copies are made in a folder of their own and synced, then renamed to their hash, so a name in `objects` is
always a whole file. A submission that fails or is killed leaves at most copies that nothing refers to; `sweep` removes them.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import shutil
import stat
import time
import unicodedata
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ngc_workbench.errors import Conflict, InputError, IntegrityError, NotFound, Unavailable

_CHUNK = 1 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}")
# A name is shown to people, stands in headers and on somebody's disk: letters of Danish and its neighbours, digits, a few signs.
_NAME = re.compile(
    r"[A-Za-z0-9ÆØÅæøåÄÖÜäöüéÉ](?:[A-Za-z0-9ÆØÅæøåÄÖÜäöüéÉ ._()+=@,-]{0,98}[A-Za-z0-9ÆØÅæøåÄÖÜäöüéÉ)_+-])?"
)
_ORPHAN_AGE = 3600.0  # seconds: no submission takes longer between its first copy and its commit


@dataclass(frozen=True)
class OutboxFile:
    """One entry of an outbox. `problem` says why it can't be handed in as it is; empty when it can. `modified` is UTC."""

    name: str
    size: int
    modified: datetime
    problem: str = ""


@dataclass(frozen=True)
class Taken:
    """A copy that was made: the file's name, the SHA-256 of its content (hex) and its size in bytes."""

    name: str
    sha256: str
    size: int


def safe_name(name: str) -> str:
    """The name in Unicode's composed form. Raises InputError when it isn't a plain file name of 1 to 100 characters."""
    composed = unicodedata.normalize("NFC", name)
    if not _NAME.fullmatch(composed) or ".." in composed:
        raise InputError(
            f"{composed[:60]!r} is not a plain file name.",
            "Rename the file: 1 to 100 letters, digits, spaces and . _ - ( ) + = @ , without a leading dot.",
        )
    return composed


class Store:
    """The content-addressed store below `root`. `max_bytes` bounds one file, `max_files` one submission."""

    def __init__(self, root: Path, *, max_bytes: int, max_files: int) -> None:
        self.max_bytes = max_bytes
        self.max_files = max_files
        self._objects = root / "objects"
        self._incoming = root / "incoming"
        with _plain_errors():
            for folder in (root, self._objects, self._incoming):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def listing(self, outbox: Path) -> list[OutboxFile]:
        """What lies in the outbox, by name; folders, links and the like with the reason why they can't be handed in.

        At most ten times `max_files` entries are looked at. An outbox that does not exist is empty.
        """
        entries: list[OutboxFile] = []
        try:
            folder = _open_folder(outbox)
        except NotFound:
            return []
        try:
            with os.scandir(folder) as found:
                for entry in found:
                    if len(entries) >= self.max_files * 10:
                        break
                    status = entry.stat(follow_symlinks=False)
                    entries.append(
                        OutboxFile(
                            name=entry.name.encode("utf-8", "replace").decode("utf-8", "replace"),
                            size=status.st_size,
                            modified=datetime.fromtimestamp(status.st_mtime, UTC),
                            problem=self._problem(entry.name, status),
                        )
                    )
        finally:
            os.close(folder)
        return sorted(entries, key=lambda entry: entry.name)

    def _problem(self, name: str, status: os.stat_result) -> str:
        if stat.S_ISDIR(status.st_mode):
            return "A folder can't be handed in: put the files themselves in the outbox."
        if not stat.S_ISREG(status.st_mode):
            return "Not a regular file (a link, a pipe or a device)."
        if status.st_size > self.max_bytes:
            return f"Larger than {self.max_bytes >> 20} MiB, the most that one file may have."
        try:
            safe_name(name)
        except InputError as error:
            return str(error)
        return ""

    @contextmanager
    def taking(self, outbox: Path, names: Sequence[str]) -> Iterator[tuple[list[Taken], Callable[[], None]]]:
        """Copies the named files; gives the copies' hashes, and a function that moves the copies into place.

        The caller calls that function in the transaction that records them, before it commits. Leaving the block
        removes whatever was not moved.

        Raises InputError (no or too many files, a name, a link, a size), NotFound, Conflict (changed while
        copying), Unavailable (disk full).
        """
        if not names:
            raise InputError("No file was chosen.", "Choose at least one file of the outbox.")
        if len(names) > self.max_files:
            raise InputError(
                f"{len(names)} files are more than the {self.max_files} that one request may have.",
                "Split the request.",
            )
        if len({safe_name(name) for name in names}) != len(names):
            raise InputError("A file was named twice.", "Name each file once.")
        staging = self._incoming / secrets.token_hex(16)
        folder = _open_folder(outbox)
        try:
            with _plain_errors():
                staging.mkdir(mode=0o700)
                taken = [self._copy(folder, name, staging) for name in names]

            def keep() -> None:
                with _plain_errors():
                    for item in taken:
                        self._place(staging / item.sha256, item.sha256)

            yield taken, keep
        finally:
            os.close(folder)
            shutil.rmtree(staging, ignore_errors=True)

    def _copy(self, folder: int, name: str, staging: Path) -> Taken:
        source = _open_regular(folder, name)
        try:
            before = os.fstat(source)
            partial = staging / "partial"
            content = hashlib.sha256()
            size = 0
            with partial.open("wb") as target:
                while chunk := os.read(source, _CHUNK):
                    size += len(chunk)
                    if size > self.max_bytes:
                        raise InputError(
                            f"{name} is larger than {self.max_bytes >> 20} MiB, the most that one file may have.",
                            "Hand in a summary instead.",
                        )
                    content.update(chunk)
                    target.write(chunk)
                target.flush()
                os.fsync(target.fileno())
            after = os.fstat(source)
        finally:
            os.close(source)
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or size != after.st_size:
            raise Conflict(f"{name} changed while it was copied.", "Wait until it is written, then ask again.")
        partial.chmod(0o400)
        partial.replace(staging / content.hexdigest())
        return Taken(safe_name(name), content.hexdigest(), size)

    def _place(self, copy: Path, sha256: str) -> None:
        target = self._path(sha256)
        target.parent.mkdir(exist_ok=True, mode=0o700)
        if copy.exists():  # two files of a submission may have the same content: the first placed it
            copy.replace(target)
        os.utime(target)  # a sweep leaves young objects alone: this one's record is about to be committed
        for folder in (target.parent, self._objects):
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)

    def _path(self, sha256: str) -> Path:
        if not _SHA256.fullmatch(sha256):
            raise InputError("That is not a SHA-256.")
        return self._objects / sha256[:2] / sha256

    def verified(self, sha256: str) -> Path:
        """The copy's path, after its content was hashed again. Raises IntegrityError when it isn't what was submitted."""
        path = self._path(sha256)
        content = hashlib.sha256()
        try:
            with path.open("rb") as stored:
                while chunk := stored.read(_CHUNK):
                    content.update(chunk)
        except FileNotFoundError:
            raise IntegrityError("The stored copy of a submitted file is gone.", "Call the security officer.") from None
        if content.hexdigest() != sha256:
            raise IntegrityError(
                "The stored copy of a submitted file is not what was submitted.", "Call the security officer."
            )
        return path

    def sweep(self, kept: Collection[str], *, age: float = _ORPHAN_AGE) -> int:
        """Removes copies that no request refers to and that are older than `age` seconds; returns how many."""
        limit = time.time() - age
        gone = 0
        for path in [*self._incoming.iterdir(), *self._objects.glob("??/*")]:
            if path.name in kept or path.stat().st_mtime > limit:
                continue
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
            gone += 1
        return gone


def _open_folder(outbox: Path) -> int:
    try:
        return os.open(outbox, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        raise NotFound("There is no outbox yet.", "Start a session in the project first.") from None
    except OSError as error:
        raise Unavailable(f"The outbox can't be read: {error.strerror}.", "Call the operator.") from error


def _open_regular(folder: int, name: str) -> int:
    """A handle on a regular file in `folder`; the name as given must be one path segment (`safe_name` allows no slash)."""
    safe_name(name)
    try:
        # O_NONBLOCK: opening a pipe must not wait for a writer that never comes.
        handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY, dir_fd=folder)
    except FileNotFoundError:
        raise NotFound(f"There is no file {name} in the outbox.", "Look at the outbox again.") from None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO, errno.EACCES):
            raise InputError(
                f"{name} is not a readable regular file.", "Put a copy of the file itself in the outbox."
            ) from error
        raise Unavailable(f"{name} can't be read: {error.strerror}.", "Try again; else call the operator.") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise InputError(f"{name} is not a regular file.", "Put the file itself in the outbox.")
    return handle


@contextmanager
def _plain_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Unavailable(
                "The airlock's disk is full; nothing was submitted.", "Call the operator, then ask again."
            ) from error
        raise Unavailable(
            f"The airlock's store does not answer: {error.strerror}.", "Call the operator, then ask again."
        ) from error
