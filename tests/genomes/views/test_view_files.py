"""The files of a view: what is shared, and the search for what must not be in them."""

from __future__ import annotations

import gzip
import socket

import pytest

from ngc_workbench.errors import IntegrityError
from ngc_workbench.genomes import hail_files, view_files, view_text
from ngc_workbench.genomes.cuts import Mother
from ngc_workbench.genomes.view_files import MATRIX, Forbidden, own_files, search, shared_files, verify_shared
from tests.genomes.views.mothers import write_mother

INTERNAL = "ngci" + "0a" * 12
IDS = ["7K3MQ-2PX9D-HT4VZ", "8K3MQ-2PX9D-HT4VZ"]
FIELDS = [("age", "int32"), ("sex", "str"), ("case", "bool"), ("group", "str")]
VALUES = [[3, "female", True, "a b"], [None, "Mand", None, None]]


@pytest.fixture(params=["matrix", "vds"])
def mother(tmp_path, request):
    folder = tmp_path / "custody" / "r1"
    manifest = write_mother(folder, [INTERNAL, INTERNAL[:-1] + "b"], kind=request.param)
    return Mother(folder, "", manifest)


@pytest.fixture
def view(tmp_path, mother):
    folder = tmp_path / "views" / "one"
    folder.mkdir(parents=True)
    view_files.assemble(folder, mother, ids=IDS, fields=FIELDS, values=VALUES)
    (folder / "README.md").write_text("About")
    (folder / "phenotypes.tsv").write_text("id\tage\n7K3MQ-2PX9D-HT4VZ\t3\n")
    return folder


def main_matrix(view):
    """The matrix with the variants."""
    return view / MATRIX if (view / MATRIX).is_dir() else view / "genotypes.vds" / "variant_data"


def test_a_view_shares_all_but_its_columns_and_texts(mother, view):
    """Row, entry, index and global files, and the PGEN, are the mother's own; columns, metadata and texts the view's."""
    for half in mother.halves:
        verify_shared(mother.folder / half, view_files.in_view(view, half))
    texts = {"README.md", "phenotypes.tsv", "README.txt", "_SUCCESS", "metadata.json.gz", "part-0"}
    assert {path.name for path in own_files(view)} == texts | ({"genotypes.psam"} if mother.plink else set())
    for name, mothers in shared_files(view).items():
        assert (view / name).samefile(mother.folder / mothers)
    assert len(shared_files(view)) == (17 if mother.plink else 31)
    matrix = main_matrix(view)
    assert not (matrix / "rows" / "README.txt").exists()
    assert not (matrix / ".metadata.json.gz.crc").exists()
    assert "Created at" not in (matrix / "README.txt").read_text()


def test_both_halves_of_a_vds_get_the_same_ids(mother, view):
    """With one renamed alone, Hail reads on without a word. Phenotypes stand at the variants."""
    found = [hail_files.read_columns(view_files.in_view(view, half) / "cols") for half in mother.halves]
    assert all([row[0] for row in columns] == IDS for columns in found)
    assert [row[1] for row in found[0]] == [tuple(row) for row in VALUES]
    assert all(len(row) == 1 for columns in found[1:] for row in columns)


def test_the_psam_is_as_plink2_reads_it(mother, view):
    """Sex as its own column, yes as 2, no blanks in categories, missing as NA."""
    if not mother.plink:
        assert not (view / "plink").exists()
        return
    assert (view / "plink" / "genotypes.psam").read_text().splitlines() == [
        "#IID\tSEX\tage\tcase\tgroup",
        f"{IDS[0]}\t2\t3\t2\ta_b",
        f"{IDS[1]}\t1\tNA\tNA\tNA",
    ]


@pytest.mark.parametrize("change", ["copied", "missing", "added"])
def test_a_shared_part_that_is_not_the_mother_s_very_file_is_noticed(mother, view, change):
    """A copy with the same bytes, a missing file, one too many."""
    matrix = main_matrix(view)
    path = matrix / "entries" / "rows" / "parts" / "part-0-aa"
    content = path.read_bytes()
    if change == "added":
        path = path.with_name("part-9")
    else:
        path.unlink()
    if change != "missing":
        path.write_bytes(content)
    with pytest.raises(IntegrityError):
        verify_shared(mother.folder / mother.halves[0], matrix)


def test_the_digest_tells_views_apart_and_knows_the_mother_s_files(mother, view):
    """Other ids are another digest; a shared file that the mother's manifest does not know is refused."""
    first = view_files.digest(view, mother.manifest["files"])
    assert view_files.digest(view, mother.manifest["files"]) == first
    (view / "README.md").write_text("Other")
    assert view_files.digest(view, mother.manifest["files"]) != first
    known = dict(mother.manifest["files"])
    known.pop(f"{mother.halves[0]}/rows/rows/parts/part-0-aa")
    with pytest.raises(IntegrityError):
        view_files.digest(view, known)


FORBIDDEN = {
    "an internal id": INTERNAL,
    "the name of a sample": "HG00096",
    "a CPR number": "610270-1234",
    "a path or host name": None,
}


PLACES = ["README.md", "phenotypes.tsv", "MATRIX/metadata.json.gz", "MATRIX/rows/metadata.json.gz"]
# Hail's parts are compressed: a name there means nothing. What they hold is compared in Hail, and unpacked in test_hail_store.
CASES = [(what, where) for what in FORBIDDEN for where in PLACES]
CASES += [(what, "MATRIX/cols/rows/parts/part-0") for what in FORBIDDEN if what != "the name of a sample"]


@pytest.mark.parametrize(("what", "where"), CASES)
def test_the_search_finds_what_must_not_be_there(mother, view, tmp_path, what, where):
    """In texts, packed metadata, the shared ones too, and binary columns; the answer does not repeat it."""
    custody = tmp_path / "custody"
    forbidden = Forbidden.of(["HG00096", "7"], custody)
    assert search(view, forbidden) == []
    thing = FORBIDDEN[what] or str(custody)
    path = main_matrix(view) / where.removeprefix("MATRIX/") if where.startswith("MATRIX") else view / where
    content = f'{{"x": "{thing}"}}'.encode()
    path.write_bytes(gzip.compress(content) if where.endswith(".gz") else content)
    found = search(view, forbidden)
    assert found
    assert all(what in line and thing not in line for line in found)


def test_names_of_files_and_this_machine_s_name_are_searched_too(view, tmp_path, monkeypatch):
    """A file called like a sample; a host name in metadata."""
    monkeypatch.setattr(socket, "gethostname", lambda: "genome-host")
    forbidden = Forbidden.of(["HG00096"], tmp_path / "custody")
    (main_matrix(view) / "cols" / "HG00096").touch()
    assert search(view, forbidden) == ["the name of a file: the name of a sample"]
    (main_matrix(view) / "cols" / "HG00096").unlink()
    (main_matrix(view) / "metadata.json.gz").write_bytes(gzip.compress(b'"genome-host"'))
    assert "host name" in search(view, forbidden)[0]


def test_an_internal_id_in_any_file_of_the_view_s_own_is_found(mother, view, tmp_path):
    """Whatever the file: nothing but the shared parts is passed over."""
    forbidden = Forbidden.of([], tmp_path / "custody")
    for path in own_files(view):
        content = path.read_bytes()
        raw = gzip.decompress(content) if path.suffix == ".gz" else content
        changed = raw + INTERNAL.encode()
        path.write_bytes(gzip.compress(changed) if path.suffix == ".gz" else changed)
        assert any("an internal id" in line for line in search(view, forbidden)), path.name
        path.write_bytes(content)
    assert search(view, forbidden) == []


@pytest.mark.parametrize("kind", ["matrix", "vds"])
def test_the_text_of_a_view_is_in_english_and_danish(kind):
    """It names what the researcher needs, and no source."""
    text = view_text.describe(
        dataset="d", release="r", project="p", kind=kind, people=3, variants=4, genome="GRCh38", fields=["GT"],
        columns=["age"], plink=kind == "matrix", cohort="2 regions",
    )  # fmt: skip
    assert "3 people, 4 variants" in text
    assert "3 personer, 4 varianter" in text
    assert "`age`" in text
    assert text.count("2 regions") == 2
    assert text.count("plink2 --pfile") == (2 if kind == "matrix" else 0)
    assert text.count("read_vds") == (2 if kind == "vds" else 0)
