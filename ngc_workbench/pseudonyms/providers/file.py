"""Master keys in a file that its owner alone may read: `custody/master.key`.

The first form was one line, the key in hexadecimal; it is version 1 and stays readable. Whatever is written now is the
JSON form (`MasterKeys.to_json`), through a draft that is synced and then renamed: a kill leaves the old file or the new
one. A lock beside it lets one writer at a time compare and set.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ngc_workbench.errors import ConfigurationError, Conflict
from ngc_workbench.pseudonyms.keys import MasterKeys

_MOST_BYTES = 1 << 20


class FileProvider:
    """Keys in the file `master.key` of `custody_dir`."""

    where = "custody/master.key"

    def __init__(self, custody_dir: Path) -> None:
        self._path = custody_dir / "master.key"

    def read(self) -> MasterKeys | None:
        """As `KeyProvider.read`. Raises ConfigurationError when others may read the file, or it is damaged."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigurationError(
                f"The master key can't be read: {error.strerror}.", "Check the rights of custody/master.key."
            ) from error
        with os.fdopen(descriptor, "rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise ConfigurationError(
                    f"Others than its owner may read the master key (mode {mode:04o}).",
                    "Run `chmod 600` on custody/master.key.",
                )
            content = file.read(_MOST_BYTES)
        keys = _parse(content)
        if keys is None:
            raise ConfigurationError("The master key's file is damaged.", "Restore custody/master.key from its backup.")
        return keys

    def add(self, new: bytes, over: MasterKeys | None) -> MasterKeys:
        """As `KeyProvider.add`."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._locked():
            if self.read() != over:
                raise Conflict("The master keys were changed meanwhile.", "Run the command again.")
            keys = MasterKeys.first(new) if over is None else over.followed_by(new)
            self._write(keys, fresh=over is None)
        return keys

    @contextmanager
    def _locked(self) -> Iterator[None]:
        lock = self._path.with_name(f".{self._path.name}.lock")
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _write(self, keys: MasterKeys, *, fresh: bool) -> None:
        for left in self._path.parent.glob(f".{self._path.name}.draft-*"):
            left.unlink()  # of a killed run: it holds keys that nothing hangs on
        draft = self._path.with_name(f".{self._path.name}.draft-{secrets.token_hex(4)}")
        try:
            with os.fdopen(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "w+b") as file:
                file.write(json.dumps(keys.to_json(), indent=1).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
                file.seek(0)
                if _parse(file.read()) != keys:
                    raise ConfigurationError(
                        "The master keys did not reach the disk as they were written; the old ones stay.",
                        "Check the disk before anything else.",
                    )
            if fresh:
                os.link(draft, self._path)  # never over a file that came from elsewhere
            else:
                draft.replace(self._path)
            folder = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except FileExistsError:
            raise Conflict("The master keys were changed meanwhile.", "Run the command again.") from None
        except OSError as error:
            raise ConfigurationError(
                f"The master keys can't be written: {error.strerror}.", "Mend the disk; the old ones stay."
            ) from error
        finally:
            draft.unlink(missing_ok=True)


def _parse(content: bytes) -> MasterKeys | None:
    """Either form; None for anything else. Raises ConfigurationError for keys that aren't whole."""
    try:
        text = content.decode("ascii").strip()
        if text.startswith("{"):
            return MasterKeys.from_json(json.loads(text))
        key = bytes.fromhex(text)
    # What the parsers raise holds the text that they read: nothing is chained to it.
    except ValueError:
        return None
    return MasterKeys({1: key}, {1: None}) if len(key) == 32 else None
