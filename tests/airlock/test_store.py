"""The store: what an outbox can't do to it."""

from __future__ import annotations

import errno
import hashlib
import os
import socket
from pathlib import Path

import pytest

from ngc_workbench.airlock import Store
from ngc_workbench.errors import Conflict, InputError, IntegrityError, NotFound, Unavailable, WorkbenchError


@pytest.fixture
def outbox(tmp_path: Path) -> Path:
    folder = tmp_path / "outbox"
    folder.mkdir()
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "airlock", max_bytes=1000, max_files=3)


def take(store: Store, outbox: Path, *names: str) -> list[str]:
    with store.taking(outbox, names) as (taken, keep):
        keep()
    return [item.sha256 for item in taken]


def everything(store: Store) -> list[Path]:
    return [path for path in store._objects.parent.rglob("*") if path.is_file()]


def test_a_copy_is_kept_under_its_hash(store: Store, outbox: Path) -> None:
    """What was taken can be read back under the SHA-256 of its content, whatever becomes of the outbox."""
    (outbox / "a.csv").write_text("one")
    (sha256,) = take(store, outbox, "a.csv")
    (outbox / "a.csv").write_text("two")
    assert sha256 == hashlib.sha256(b"one").hexdigest()
    assert store.verified(sha256).read_text() == "one"
    assert store.verified(sha256).stat().st_mode & 0o777 == 0o400


def test_two_files_of_one_content_are_one_copy(store: Store, outbox: Path) -> None:
    """The same content twice is kept once, in one request or in two."""
    (outbox / "a").write_text("same")
    (outbox / "b").write_text("same")
    assert len(set(take(store, outbox, "a", "b") + take(store, outbox, "a"))) == 1
    assert len(everything(store)) == 1


ATTACKS = [
    "../secret",
    "/etc/passwd",
    "sub/file",
    "..",
    ".",
    "",
    ".hidden",
    "-rf",
    "a\nb",
    "a\x00b",
    "a\u202egnp.exe",
    "x" * 101,
    "a..b",
    "a/../b",
    "~root",
    "$(id)",
    "<b>",
    "ends.",
    "ends ",
]


@pytest.mark.parametrize("name", ATTACKS)
def test_a_name_that_is_no_plain_file_name_is_refused(store: Store, outbox: Path, tmp_path: Path, name: str) -> None:
    """No name reaches outside the outbox, or a shell, a header or a page later on."""
    (tmp_path / "secret").write_text("secret")
    with pytest.raises(InputError):
        take(store, outbox, name)
    assert everything(store) == []


def _make(kind: str, path: Path, secret: Path) -> None:
    if kind == "link":
        path.symlink_to(secret)
    elif kind == "dangling link":
        path.symlink_to("/nowhere")
    elif kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(path))
    elif kind == "too large":
        path.write_bytes(b"x" * 1001)


@pytest.mark.parametrize("kind", ["link", "dangling link", "folder", "pipe", "socket", "too large"])
def test_only_a_regular_file_of_bounded_size_is_taken(store: Store, outbox: Path, tmp_path: Path, kind: str) -> None:
    """A link is not followed, a pipe doesn't make us wait; the listing says why it can't be handed in."""
    secret = tmp_path / "secret"
    secret.write_text("secret")
    _make(kind, outbox / "thing", secret)
    with pytest.raises(WorkbenchError):
        take(store, outbox, "thing")
    assert everything(store) == []
    (entry,) = store.listing(outbox)
    assert entry.problem


def test_an_outbox_that_is_a_link_is_not_opened(store: Store, outbox: Path, tmp_path: Path) -> None:
    """The outbox itself must be a folder: a link put in its place is refused."""
    (outbox / "a").write_text("secret")
    (tmp_path / "link").symlink_to(outbox)
    with pytest.raises(WorkbenchError):
        take(store, tmp_path / "link", "a")


def test_a_missing_file_a_missing_outbox_and_no_file_are_told_apart(store: Store, outbox: Path) -> None:
    """Each has its own plain message; an outbox that doesn't exist lists nothing."""
    with pytest.raises(NotFound, match=r"no file a\.csv"):
        take(store, outbox, "a.csv")
    with pytest.raises(NotFound, match="no outbox"):
        take(store, outbox / "none", "a.csv")
    with pytest.raises(InputError, match="No file was chosen"):
        take(store, outbox)
    assert store.listing(outbox / "none") == []


def test_counts_are_bounded(store: Store, outbox: Path) -> None:
    """More files than one request may have, or one named twice, are refused before anything is copied."""
    for name in "abcd":
        (outbox / name).write_text(name)
    with pytest.raises(InputError, match="more than the 3"):
        take(store, outbox, *"abcd")
    with pytest.raises(InputError, match="twice"):
        take(store, outbox, "a", "a")


def test_a_file_that_changes_while_it_is_copied_is_refused(
    store: Store, outbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No half-written file is submitted."""
    (outbox / "a").write_text("first")
    read = os.read

    def reading(handle: int, count: int) -> bytes:
        chunk = read(handle, count)
        if chunk:
            (outbox / "a").write_text("grown while it was read")
        return chunk

    monkeypatch.setattr(os, "read", reading)
    with pytest.raises(Conflict, match="changed while it was copied"):
        take(store, outbox, "a")
    assert everything(store) == []


def test_a_full_disk_leaves_nothing_half_made(store: Store, outbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk fills up at the second file, neither is kept, and the message says what happened."""
    (outbox / "a").write_text("a")
    (outbox / "b").write_text("b")
    calls = iter([None, OSError(errno.ENOSPC, "No space left on device")])

    def fsync(_handle: int) -> None:
        if (error := next(calls)) is not None:
            raise error

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(Unavailable, match="disk is full"):
        take(store, outbox, "a", "b")
    assert everything(store) == []
    assert list(store._incoming.iterdir()) == []


def test_without_the_callers_word_nothing_is_kept(store: Store, outbox: Path) -> None:
    """A submission that ends before its record is made leaves no copy."""
    (outbox / "a").write_text("a")
    with store.taking(outbox, ["a"]):
        pass
    assert everything(store) == []


def test_a_changed_or_missing_copy_is_noticed(store: Store, outbox: Path) -> None:
    """One byte changed in the store, or the copy gone, raises IntegrityError."""
    (outbox / "a").write_text("reviewed")
    (sha256,) = take(store, outbox, "a")
    path = store.verified(sha256)
    path.chmod(0o600)
    path.write_text("reviewee")
    with pytest.raises(IntegrityError, match="not what was submitted"):
        store.verified(sha256)
    path.unlink()
    with pytest.raises(IntegrityError, match="gone"):
        store.verified(sha256)


def test_a_hash_is_never_a_path(store: Store) -> None:
    """Only 64 hexadecimal digits name a copy."""
    for name in ("../../etc/passwd", "", "g" * 64, "A" * 64):
        with pytest.raises(InputError):
            store.verified(name)


def test_a_sweep_removes_old_orphans_alone(store: Store, outbox: Path) -> None:
    """Copies with a record and young copies stay; an old one that nothing refers to goes."""
    (outbox / "a").write_text("kept")
    (outbox / "b").write_text("orphan")
    kept, orphan = take(store, outbox, "a", "b")
    assert store.sweep({kept}) == 0
    assert store.sweep({kept}, age=-1) == 1
    assert store.verified(kept)
    with pytest.raises(IntegrityError):
        store.verified(orphan)
