"""Files on their way into the outbox."""

from __future__ import annotations

import pytest

from ngc_workbench.researcher import outbox
from ngc_workbench.researcher.errors import NgcError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    at = tmp_path / "outbox"
    at.mkdir()
    monkeypatch.setenv("NGC_OUTBOX", str(at))
    return at


def test_a_file_is_copied(folder, tmp_path):
    """The copy has the same bytes, under another name when asked."""
    mine = tmp_path / "table.csv"
    mine.write_text("a,b\n")
    assert outbox.to_outbox(mine, "result.csv").read_text() == "a,b\n"
    assert (folder / "result.csv").exists()


def test_a_file_that_is_there_already_stays(folder):
    """Naming a file of the outbox itself is harmless."""
    (folder / "table.csv").write_text("a,b\n")
    assert outbox.to_outbox(folder / "table.csv").read_text() == "a,b\n"


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "two words", "/etc/passwd", "é.tsv", "x" * 101])
def test_names_that_are_none_are_refused(folder, name):
    """No folder, nothing hidden, nothing outside."""
    with pytest.raises(NgcError, match="not a good file name"):
        outbox._into_outbox(name)


def test_a_missing_file_is_named(folder, tmp_path):
    """What isn't there is said, and a folder isn't a file."""
    with pytest.raises(NgcError, match="no file"):
        outbox.to_outbox(tmp_path / "nothing.csv")
    with pytest.raises(NgcError, match="is a folder"):
        outbox.to_outbox(tmp_path)


def test_outside_a_session_it_says_so(tmp_path, monkeypatch):
    """Without an outbox the reader learns where it works."""
    monkeypatch.setenv("NGC_OUTBOX", str(tmp_path / "none"))
    with pytest.raises(NgcError, match="inside a session"):
        outbox._into_outbox("a.tsv")
