"""Counting bytes on disk: what is shared counts once."""

from __future__ import annotations

import os

from tests.benchmarks.cohort import disk, files


def test_hard_links_count_once(tmp_path):
    """A view's links to a release's files take the space of folders alone."""
    release, view = tmp_path / "release", tmp_path / "view"
    release.mkdir()
    view.mkdir()
    (release / "part").write_bytes(os.urandom(100_000))
    os.link(release / "part", view / "part")
    alone = disk([release])
    assert alone >= 100_000
    assert disk([release, view]) - alone < 10_000
    assert len(files(tmp_path)) == 1


def test_what_is_written_is_told_from_what_is_linked(tmp_path):
    """After a refresh a link to an old file is no new file; one written over in place is."""
    (tmp_path / "old").write_bytes(b"1")
    (tmp_path / "changed").write_bytes(b"1")
    before = files(tmp_path)
    os.link(tmp_path / "old", tmp_path / "link")
    (tmp_path / "new").write_bytes(b"2")
    (tmp_path / "changed").write_bytes(b"2")
    os.utime(tmp_path / "changed", ns=(1, 1))
    assert len([one for one in files(tmp_path) if one not in before]) == 2
