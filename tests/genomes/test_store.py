"""The genome store: whole or not at all, and one job at a time."""

from __future__ import annotations

import errno
import threading

import pytest

from ngc_workbench.errors import Conflict, InputError, Unavailable
from ngc_workbench.genomes import store


def test_a_folder_appears_whole(tmp_path):
    """While it grows it has another name; at the end it has the right one and nothing is left beside it."""
    target = tmp_path / "deep" / "r1"
    with store.building(target) as draft:
        assert draft.parent == target.parent
        assert draft.name.startswith(".building-r1-")
        assert not target.exists()
        (draft / "x").write_text("x")
    assert (target / "x").read_text() == "x"
    assert [path.name for path in target.parent.iterdir()] == ["r1"]


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (KeyboardInterrupt(), KeyboardInterrupt),
        (OSError(errno.ENOSPC, "full"), Unavailable),
        (ValueError(), ValueError),
    ],
)
def test_a_folder_whose_making_fails_is_not_there_at_all(tmp_path, error, raised):
    """An interrupt, a full disk (told in one line), any error."""
    target = tmp_path / "r1"

    def make():
        with store.building(target) as draft:
            (draft / "x").write_text("x")
            raise error

    with pytest.raises(raised):
        make()
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_over(tmp_path):
    """A folder that is there stays as it is."""
    (tmp_path / "r1").mkdir()
    with pytest.raises(Conflict), store.building(tmp_path / "r1"):
        pass


def test_leftovers_of_killed_runs_are_removed_and_nothing_else(settings):
    """Half-made releases, cuts and views, and scratch folders."""
    gone = [
        settings.custody_dir / "releases" / "d" / ".building-r1-0",
        settings.custody_dir / "cuts" / ".building-x-0",
        settings.custody_dir / "scratch" / "job",
        settings.views_dir / "p" / ".building-v-0",
    ]
    stays = [
        settings.custody_dir / "releases" / "d" / "r1",
        settings.custody_dir / "cuts" / "x",
        settings.views_dir / "p" / "v",
    ]
    for folder in (*gone, *stays):
        folder.mkdir(parents=True)
        (folder / "file").touch()
    store.remove_leftovers(settings)
    assert not any(folder.exists() for folder in gone)
    assert all((folder / "file").exists() for folder in stays)


def test_one_job_at_a_time(settings, monkeypatch):
    """A second job waits and says so; it gives up with one line."""
    monkeypatch.setattr(store, "_LOCK_PATIENCE", 0.5)
    held, release = threading.Event(), threading.Event()

    def hold():
        with store.locked(settings, store.quiet):
            held.set()
            release.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(10)
    said = []
    with pytest.raises(Conflict, match="still running"), store.locked(settings, said.append):
        pass
    assert said == ["Waiting for another job of the custodian"]
    release.set()
    thread.join()
    with store.locked(settings, store.quiet):
        assert settings.custody_dir.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", ["..", "a/b", "", "A", ".building-x"])
def test_only_names_become_folders(settings, name):
    """Nothing that leads elsewhere, or looks half-made."""
    with pytest.raises(InputError):
        store.release_folder(settings, "d", name)
    with pytest.raises(InputError):
        store.release_folder(settings, name, "r1")


def test_hashes_tell_every_change(tmp_path):
    """Of content, and of names."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_text("1")
    first = store.digest_of(store.file_hashes(tmp_path))
    (tmp_path / "a" / "x").write_text("2")
    second = store.digest_of(store.file_hashes(tmp_path))
    (tmp_path / "a" / "x").rename(tmp_path / "a" / "y")
    third = store.digest_of(store.file_hashes(tmp_path))
    assert len({first, second, third}) == 3
