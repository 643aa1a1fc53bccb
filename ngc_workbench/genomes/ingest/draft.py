"""A release in the making, which a killed run leaves for the next one.

    custody/releases/<dataset>/.ingest-<release>/
        checkpoint      sealed: which command this is, who has which internal id, which stages are finished
        work/           copies of files, the combiner's state, plink2's import
        release/        what becomes the release's folder

A stage is finished when its files are synced and the checkpoint that says so is. What an unfinished stage left is wiped
and made again. Only the very same command (files by place, size, time and content; options; versions) goes on; another
one for the same release starts afresh. Names of samples stand in the checkpoint, so it is sealed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ngc_workbench.errors import InputError, IntegrityError, Refused
from ngc_workbench.genomes import store
from ngc_workbench.pseudonyms import Keyring

_CHECKPOINT = "checkpoint"


class Draft:
    """One draft. `results` holds what finished stages gave."""

    def __init__(self, target: Path, keyring: Keyring, command: dict[str, Any]) -> None:
        self.target = target
        self.folder = target.with_name(f"{store.DRAFT}{target.name}")
        self.release = self.folder / "release"
        self.work = self.folder / "work"
        self._keyring = keyring
        self._command = command
        self.results: dict[str, Any] = {}

    @property
    def resumed(self) -> bool:
        """Whether an earlier run finished a stage."""
        return bool(self.results)

    def open(self) -> None:
        """Takes up what an earlier run of the same command left, or starts afresh."""
        self.results = self._read()
        if not self.results:
            self.restart()

    def restart(self) -> None:
        """Throws away what is there."""
        self.results = {}
        store.remove_tree(self.folder)
        for folder in (self.folder, self.release, self.work):
            folder.mkdir(parents=True, mode=0o700)

    def _read(self) -> dict[str, Any]:
        try:
            content = self._keyring.unseal((self.folder / _CHECKPOINT).read_bytes())
        except (OSError, IntegrityError):
            return {}  # none, or one of another master key: nothing in it can be trusted
        results: dict[str, Any] = content["results"] if content["command"] == self._command else {}
        return results

    def forget(self, *names: str) -> None:
        """Has stages done again."""
        for name in names:
            self.results.pop(name, None)

    def discard(self) -> None:
        """Removes the draft: the release stands, or can't."""
        store.remove_tree(self.folder)

    def stage(
        self, name: str, outputs: Sequence[str], make: Callable[[], dict[str, Any]], progress: Callable[[str], None]
    ) -> dict[str, Any]:
        """Has `make` do the stage, unless an earlier run finished it; gives its result.

        `outputs` are the stage's files and folders, below the draft's folder.
        """
        if name not in self.results:
            self._wipe(outputs)
            made = make()
            for output in outputs:
                path = self.folder / output
                if path.is_dir():
                    store.sync_tree(path)
            self.results[name] = made
            self._write()
        else:
            progress(f"Already done by the run before: {name}")
        result: dict[str, Any] = self.results[name]
        return result

    def _wipe(self, outputs: Sequence[str]) -> None:
        for output in outputs:
            path = self.folder / output
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def _write(self) -> None:
        path = self.folder / _CHECKPOINT
        growing = path.with_suffix(".new")
        growing.unlink(missing_ok=True)
        descriptor = os.open(growing, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(self._keyring.seal({"command": self._command, "results": self.results}))
            file.flush()
            os.fsync(file.fileno())
        growing.rename(path)
        store.sync(self.folder)

    def become_release(self) -> None:
        """The release's folder gets its name, whole."""
        if self.release.is_dir():
            store.sync_tree(self.release)
            self.release.rename(self.target)
            store.sync(self.target.parent)
            store.sync(self.folder)


@contextmanager
def opened(draft: Draft) -> Iterator[Draft]:
    """Opens a draft. When the block raises, it stays for the next run if that can go on with it.

    It can't when the files, a check of what was written, or the person's rights are at fault.
    """
    with store.plain_disk_errors():
        try:
            draft.open()
            yield draft
        except (InputError, IntegrityError, Refused):
            store.remove_tree(draft.target)  # no row tells of it
            draft.discard()
            raise
        except BaseException:
            if not draft.resumed:
                draft.discard()
            raise
