"""The genome store: where releases, cuts and views lie, how they are written whole or not at all, and the lock.

    custody/releases/<dataset>/<release>/   matrix.mt  columns.tsv  phenotypes.tsv  manifest.json
    custody/cuts/<key>/                     matrix.mt  columns.tsv  manifest.json
    views/<project>/<view>/                 genotypes.mt  phenotypes.tsv  README.md

Whatever is written grows in a sibling folder `.building-…`, is synced, then renamed. One job of the custodian runs at a
time (a lock on the custody folder), so whoever holds the lock knows that what is half-made was left by a killed run.
Matrices are readable by all (0444): views are hard links to the same files, which a session's user must read. What
keeps others out is the folder above (0700).
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ngc_workbench.errors import Conflict, IntegrityError, Unavailable
from ngc_workbench.policy.names import slug
from ngc_workbench.settings import Settings

BUILDING = ".building-"
DRAFT = ".ingest-"
"""Begin of the name of an ingest's draft, which a killed run leaves for the next one."""
_DRAFT_DAYS = 7
"""Days that a draft waits for a run that goes on with it."""
_LOCK_PATIENCE = 900.0
"""Seconds to wait for another job of the custodian."""


def quiet(_text: str) -> None:
    """Progress that nobody reads."""


def release_folder(settings: Settings, dataset: str, release: str) -> Path:
    """Where a release lies. Raises InputError for a name that can't be one."""
    return settings.custody_dir / "releases" / slug(dataset, "dataset") / slug(release, "release")


def cut_folder(settings: Settings, key: str) -> Path:
    """Where the cut with that key (hex digits) lies."""
    return settings.custody_dir / "cuts" / key


@contextmanager
def locked(settings: Settings, progress: Callable[[str], None]) -> Iterator[None]:
    """Holds the custodian's lock. Raises Conflict when another job keeps it for 15 minutes."""
    settings.custody_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(settings.custody_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        end = time.monotonic() + _LOCK_PATIENCE
        told = False
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > end:
                    raise Conflict(
                        "Another job of the custodian is still running.", "Repeat when it has ended."
                    ) from error
                if not told:
                    progress("Waiting for another job of the custodian")
                    told = True
                time.sleep(0.2)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def building(target: Path, *, mode: int = 0o700, shared: Collection[str] = ()) -> Iterator[Path]:
    """A new folder beside `target` that becomes `target` at the end of the block, or vanishes when it raises.

    Files in folders named in `shared` are other folders' too (hard links), synced when they were written.

    Raises Unavailable when the disk is full, Conflict when `target` is there already.
    """
    if target.exists():
        raise Conflict(f"{target.name} is there already.", "Nothing that was written is written over.")
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = target.with_name(f"{BUILDING}{target.name}-{secrets.token_hex(4)}")
    try:
        with plain_disk_errors():
            draft.mkdir(mode=mode)
            draft.chmod(mode)
            yield draft
            sync_tree(draft, shared)
            draft.rename(target)
            sync(target.parent)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def plain_disk_errors() -> Iterator[None]:
    """Turns a full disk into one line."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full() from error
        raise


def disk_full() -> Unavailable:
    """The error for a full disk."""
    return Unavailable("The disk of the genome store is full; nothing half-made was kept.", "Free space, then repeat.")


def sync_tree(folder: Path, shared: Collection[str] = ()) -> None:
    """Makes every file and folder below `folder`, and itself, survive a power cut; not files in folders named `shared`."""
    for root, _, names in os.walk(folder):
        if not set(Path(root).relative_to(folder).parts) & set(shared):
            for name in names:
                sync(Path(root, name))
        sync(Path(root))


def sync(path: Path) -> None:
    """Makes one file or folder survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def readable_by_all(folder: Path) -> None:
    """Files 0444, folders 0755, as a session's user needs them."""
    for root, _, names in os.walk(folder):
        Path(root).chmod(0o755)
        for name in names:
            Path(root, name).chmod(0o444)


def file_hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of each file below `folder`, by its path relative to it, sorted."""
    return file_hashes_of(
        folder, sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    )


def file_hashes_of(folder: Path, names: list[str]) -> dict[str, str]:
    """SHA-256 of these files (paths relative to `folder`)."""
    found = {}
    for name in names:
        with (folder / name).open("rb") as file:
            found[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def digest_of(content: Any) -> str:
    """SHA-256 over the canonical JSON of `content` (sorted keys, no spaces)."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def write_json(path: Path, content: Any) -> None:
    """Writes JSON, readable by its owner alone."""
    path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    path.chmod(0o600)


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a release or cut. Raises IntegrityError when it is not there."""
    try:
        manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise IntegrityError(
            "A release's manifest is missing or damaged.", "Restore the genome store from its backup."
        ) from error
    return manifest


def write_columns(folder: Path, ids: Sequence[str]) -> None:
    """Writes columns.tsv: the internal id of each column, one a line, in stored order."""
    path = folder / "columns.tsv"
    path.write_text("".join(f"{internal_id}\n" for internal_id in ids), encoding="utf-8")
    path.chmod(0o600)


def read_columns(folder: Path) -> list[str]:
    """The internal ids of a matrix's columns in stored order."""
    return (folder / "columns.tsv").read_text(encoding="utf-8").splitlines()


def remove_leftovers(settings: Settings) -> None:
    """Removes what killed runs left half-made. Call it with the lock held."""
    for pattern, base in (
        (f"*/{BUILDING}*", settings.custody_dir / "releases"),
        (f"{BUILDING}*", settings.custody_dir / "cuts"),
        ("*", settings.custody_dir / "scratch"),
        (f"*/{BUILDING}*", settings.views_dir),
    ):
        if base.is_dir():
            for path in base.glob(pattern):
                remove_tree(path)
    for draft in settings.custody_dir.glob(f"releases/*/{DRAFT}*"):
        # A finished stage writes into it, so its time is that of the last one.
        if time.time() - draft.stat().st_mtime > _DRAFT_DAYS * 86400:
            remove_tree(draft)


def remove_tree(folder: Path) -> None:
    """Removes a folder that nobody needs any more; under another name first, so that it never stands half-removed."""
    if not folder.is_dir():
        return
    doomed = folder.with_name(f"{BUILDING}gone-{secrets.token_hex(4)}")
    with suppress(OSError):
        folder.rename(doomed)
        folder = doomed
    shutil.rmtree(folder, ignore_errors=True)
