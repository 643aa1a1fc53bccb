"""The files of a view: what is shared, and the search for what must not be in them."""

from __future__ import annotations

import gzip
import socket

import pytest

from ngc_workbench.errors import IntegrityError
from ngc_workbench.genomes import view_files
from ngc_workbench.genomes.view_files import MATRIX, Forbidden, assemble, own_files, search, shared_files, verify_shared

INTERNAL = "ngci" + "0a" * 12


@pytest.fixture
def mother(tmp_path):
    """A folder laid out like a MatrixTable, with Hail's notes."""
    folder = tmp_path / "custody" / "matrix.mt"
    for name in (
        "rows/rows/parts/part-0", "rows/metadata.json.gz", "rows/README.txt", "entries/rows/parts/part-0",
        "index/part-0.idx", "globals/rows/parts/part-0", "cols/rows/parts/part-0", "README.txt", "metadata.json.gz", ".metadata.json.gz.crc",
    ):  # fmt: skip
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(b"{}") if name.endswith(".gz") else name.encode())
    (folder / "references").mkdir()
    return folder


@pytest.fixture
def view(tmp_path, mother):
    folder = tmp_path / "views" / "one"
    columns = folder / "columns.mt" / "cols"
    columns.mkdir(parents=True)
    (columns / "part-0").write_bytes(b"new columns")
    (columns / "README.txt").write_text("Created at")
    assemble(mother, folder, {"a": 1})
    (folder / "README.md").write_text("About")
    (folder / "phenotypes.tsv").write_text("id\tage\n7K3MQ-2PX9D-HT4VZ\t3\n")
    return folder


def test_a_view_shares_all_but_its_columns_and_texts(mother, view):
    """Row, entry, index and global files are the mother's own; columns, metadata and texts are the view's."""
    verify_shared(mother, view)
    assert {path.name for path in own_files(view)} == {
        "README.md",
        "phenotypes.tsv",
        "README.txt",
        "_SUCCESS",
        "metadata.json.gz",
        "part-0",
    }
    assert len(shared_files(view)) == 5
    assert (view / MATRIX / "cols" / "part-0").read_bytes() == b"new columns"
    assert not (view / MATRIX / "rows" / "README.txt").exists()
    assert not (view / MATRIX / ".metadata.json.gz.crc").exists()
    assert "Created at" not in (view / MATRIX / "README.txt").read_text()


@pytest.mark.parametrize("change", ["copied", "missing", "added"])
def test_a_shared_part_that_is_not_the_mother_s_very_file_is_noticed(mother, view, change):
    """A copy with the same bytes, a missing file, one too many."""
    path = view / MATRIX / "entries" / "rows" / "parts" / "part-0"
    content = path.read_bytes()
    if change == "added":
        path = path.with_name("part-1")
    else:
        path.unlink()
    if change != "missing":
        path.write_bytes(content)
    with pytest.raises(IntegrityError):
        verify_shared(mother, view)


FORBIDDEN = {
    "an internal id": INTERNAL,
    "the name of a sample": "HG00096",
    "a CPR number": "610270-1234",
    "a path or host name": None,
}


PLACES = ["README.md", "phenotypes.tsv", f"{MATRIX}/metadata.json.gz", f"{MATRIX}/rows/metadata.json.gz"]
# Hail's parts are compressed: a name there means nothing. What they hold is compared in Hail, and unpacked in test_hail_store.
CASES = [(what, where) for what in FORBIDDEN for where in PLACES]
CASES += [(what, f"{MATRIX}/cols/part-0") for what in FORBIDDEN if what != "the name of a sample"]


@pytest.mark.parametrize(("what", "where"), CASES)
def test_the_search_finds_what_must_not_be_there(mother, view, tmp_path, what, where):
    """In texts, packed metadata, the shared ones too, and binary columns; the answer does not repeat it."""
    custody = tmp_path / "custody"
    forbidden = Forbidden.of(["HG00096", "7"], custody)
    assert search(view, forbidden) == []
    thing = FORBIDDEN[what] or str(custody)
    path = view / where
    content = f'{{"x": "{thing}"}}'.encode()
    path.write_bytes(gzip.compress(content) if where.endswith(".gz") else content)
    found = search(view, forbidden)
    assert found
    assert all(what in line and thing not in line for line in found)


def test_names_of_files_and_this_machine_s_name_are_searched_too(view, tmp_path, monkeypatch):
    """A file called like a sample; a host name in metadata."""
    monkeypatch.setattr(socket, "gethostname", lambda: "genome-host")
    forbidden = Forbidden.of(["HG00096"], tmp_path / "custody")
    (view / MATRIX / "cols" / "HG00096").touch()
    assert search(view, forbidden) == ["the name of a file: the name of a sample"]
    (view / MATRIX / "cols" / "HG00096").unlink()
    (view / MATRIX / "metadata.json.gz").write_bytes(gzip.compress(b'"genome-host"'))
    assert "host name" in search(view, forbidden)[0]


def test_the_text_of_a_view_is_in_english_and_danish():
    """It names what the researcher needs, and no source."""
    text = view_files.describe(
        dataset="d", release="r", project="p", people=3, variants=4, genome="GRCh38", fields=["GT"], columns=["age"]
    )
    assert "3 people, 4 variants" in text
    assert "3 personer, 4 varianter" in text
    assert "`age`" in text
