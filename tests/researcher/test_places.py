"""What is mounted, read without Hail."""

from __future__ import annotations

import gzip
import json

import pytest

from ngc_workbench.researcher import places
from ngc_workbench.researcher.data import pfile
from ngc_workbench.researcher.errors import NgcError


def mount(root, dataset, release, *, people=(3, 2), variants=(10, 20), genome="GRCh38"):
    """A folder with as much of a view as is read without Hail."""
    matrix = root / dataset / release / "genotypes.mt"
    (matrix / "cols").mkdir(parents=True)
    kind = f"Matrix{{row_key:[[locus,alleles]],row:Struct{{locus:Locus({genome}),alleles:Array[String]}}}}"
    for folder, counts in ((matrix, variants), (matrix / "cols", people)):
        text = json.dumps({"matrix_type": kind, "components": {"partition_counts": {"counts": counts}}})
        (folder / "metadata.json.gz").write_bytes(gzip.compress(text.encode()))
    (matrix.parent / "phenotypes.tsv").write_text("id\tage\ttrait\nNGC-1\t50\t0.1\n", encoding="utf-8")


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("NGC_DATA", str(tmp_path))
    return tmp_path


def test_people_variants_and_genome_come_from_the_metadata(data):
    """Counts are sums over the matrix's parts; the genome is its positions'."""
    mount(data, "cohort", "r1", genome="GRCh37")
    view = places.find("cohort")
    assert (view.people, view.variants, view.genome) == (5, 30, "GRCh37")
    assert view.fields == ("age", "trait")


def test_genomes_that_came_as_gvcfs_are_found_too(data):
    """A VariantDataset: counts and genome are those of its variants."""
    mount(data, "cohort", "r1")
    folder = data / "cohort" / "r1"
    (folder / "genotypes.vds").mkdir()
    (folder / "genotypes.mt").rename(folder / "genotypes.vds" / "variant_data")
    view = places.find("cohort")
    assert view.kind == "vds"
    assert view.genotypes == folder / "genotypes.vds"
    assert (view.people, view.variants, view.genome) == (5, 30, "GRCh38")
    assert view.plink is None
    with pytest.raises(NgcError, match="no PGEN"):
        pfile("cohort")


def test_the_pgen_is_named_as_plink2_takes_it(data):
    """The only dataset needs no name."""
    mount(data, "cohort", "r1")
    folder = data / "cohort" / "r1" / "plink"
    folder.mkdir()
    (folder / "genotypes.pgen").touch()
    assert places.find("cohort").kind == "matrix"
    assert pfile() == str(folder / "genotypes")


def test_the_latest_release_is_taken(data):
    """r10 is later than r9."""
    for release in ("r10", "r9"):
        mount(data, "cohort", release)
    assert places.find("cohort").release == "r10"
    assert places.find("cohort", "r9").release == "r9"


def test_an_unknown_dataset_names_what_is_there(data):
    """The error lists what is mounted."""
    mount(data, "cohort", "r1")
    with pytest.raises(NgcError, match=r"Mounted: cohort \(r1\)"):
        places.find("kohort")


def test_an_empty_session_says_whom_to_ask(data):
    """Without any data the error says what to do."""
    with pytest.raises(NgcError, match="ask the project's lead"):
        places.find("cohort")


def test_a_damaged_view_is_named(data):
    """Cut metadata gives one line, not a stack trace."""
    mount(data, "cohort", "r1")
    at = data / "cohort" / "r1" / "genotypes.mt" / "metadata.json.gz"
    at.write_bytes(at.read_bytes()[:20])
    with pytest.raises(NgcError, match="cohort/r1 can't be read"):
        _ = places.find("cohort").variants
    assert len(NgcError("What.", "Do.")._render_traceback_()) == 2
