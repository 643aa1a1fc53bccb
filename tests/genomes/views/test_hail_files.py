"""Hail's own files: what a view writes is read back, by a decoder of its own and by Hail (tests of views)."""

from __future__ import annotations

import gzip
import json
import shutil
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngc_workbench.errors import IntegrityError
from ngc_workbench.genomes import hail_files

VALUES = {
    "int32": st.integers(-(2**31), 2**31 - 1),
    "int64": st.integers(-(2**63), 2**63 - 1),
    "float64": st.floats(allow_nan=False),
    "bool": st.booleans(),
    "str": st.text(st.characters(exclude_categories=["Cs"]), max_size=300),
}
MOTHER = {
    "file_version": hail_files.FILE_VERSION,
    "hail_version": "0.2.139-x",
    "references_rel_path": "references",
    "matrix_type": "Matrix{global:Struct{},col_key:[s],col:Struct{s:String},row_key:[[locus,alleles]],"
    "row:Struct{locus:Locus(GRCh38),alleles:Array[String]},entry:Struct{GT:Call}}",
    "components": {"partition_counts": {"name": "PartitionCountsComponentSpec", "counts": [3, 4]}},
    "name": "MatrixTableSpec",
}


@st.composite
def tables(draw):
    """Fields and rows of a phenotype table."""
    kinds = draw(st.lists(st.sampled_from(sorted(VALUES)), max_size=12))
    fields = [(f"f{at}", kind) for at, kind in enumerate(kinds)]
    row = st.tuples(st.text(max_size=20), st.tuples(*(st.none() | VALUES[kind] for kind in kinds)))
    return fields, draw(st.lists(row, max_size=30))


@given(tables())
def test_columns_are_read_back_as_they_were_written(tmp_path_factory, table):
    fields, rows = table
    folder = tmp_path_factory.mktemp("cols") / "cols"
    hail_files.write_columns(folder, [row[0] for row in rows], fields, [row[1] for row in rows], "0.2.139-x")
    assert hail_files.read_columns(folder) == rows


def test_ids_alone_and_many_blocks(tmp_path):
    """60,000 people are more than a block holds."""
    ids = [f"person-{number:05d}" for number in range(60_000)]
    hail_files.write_columns(tmp_path / "cols", ids, None, [], "0.2.139-x")
    assert [row[0] for row in hail_files.read_columns(tmp_path / "cols")] == ids
    assert (tmp_path / "cols" / "rows" / "parts" / "part-0").stat().st_size > 2 << 16


@pytest.mark.parametrize("length", [7, 70_000])
def test_no_decimal_lies_in_two_blocks(tmp_path, length):
    """Hail fails at one that does, as real columns of 2,503 people showed. Rows longer than a block are cut in texts."""
    fields = [("text", "str"), ("weight", "float64")]
    values = [["x" * length, number + 0.1] for number in range(6_000 if length < 100 else 5)]
    ids = [f"person-{number:05d}" for number in range(len(values))]
    hail_files.write_columns(tmp_path / "cols", ids, fields, values, "0.2.139-x")
    assert [row[1] for row in hail_files.read_columns(tmp_path / "cols")] == [tuple(row) for row in values]
    raw, at, blocks = part(tmp_path / "cols").read_bytes(), 0, []
    while at < len(raw):
        size = shift = 0
        while True:
            byte = raw[at]
            at, size, shift = at + 1, size | (byte & 127) << shift, shift + 7
            if byte < 128:
                break
        blocks.append(raw[at : at + size])
        at += size
    assert len(blocks) > 2
    assert all(len(block) <= 1 << 16 for block in blocks)
    decimals = [struct.pack("<d", row[1]) for row in values]
    assert sum(block.count(one) for block in blocks for one in decimals) >= len(values)


def test_values_beyond_their_type_are_refused(tmp_path):
    with pytest.raises(IntegrityError, match="range"):
        hail_files.write_columns(tmp_path / "cols", ["a"], [("n", "int32")], [[2**31]], "0.2.139-x")


def test_top_metadata_changes_the_columns_alone():
    made = hail_files.top_metadata(MOTHER, [("age", "int32"), ("sex", "str")])
    assert "col:Struct{s:String,pheno:Struct{age:Int32,sex:String}},row_key" in made["matrix_type"]
    assert {**made, "matrix_type": MOTHER["matrix_type"]} == MOTHER
    assert hail_files.top_metadata(MOTHER, None) == MOTHER


@pytest.mark.parametrize(
    "change",
    [
        {"file_version": 67840},
        {"name": "TableSpec"},
        {"matrix_type": MOTHER["matrix_type"].replace("col:Struct{s:String}", "col:Struct{s:String,cpr:String}")},
        {"matrix_type": MOTHER["matrix_type"].replace("col_key:[s]", "col_key:[]")},
    ],
)
def test_a_mother_that_is_not_as_expected_is_refused(change):
    """Another version of Hail, or columns that hold more than ids."""
    with pytest.raises(IntegrityError):
        hail_files.top_metadata({**MOTHER, **change}, [])


@pytest.fixture
def columns(tmp_path):
    folder = tmp_path / "cols"
    hail_files.write_columns(folder, ["a", "b", "c"], [("n", "int32")], [[1], [None], [3]], "0.2.139-x")
    return folder


def part(folder):
    return folder / "rows" / "parts" / "part-0"


def cut_short(folder):
    part(folder).write_bytes(part(folder).read_bytes()[:-6])


def lengthened(folder):
    part(folder).write_bytes(part(folder).read_bytes() + b"\x01\x00")


def missing(folder):
    part(folder).unlink()


def other_count(folder):
    content = hail_files.read_metadata(folder)
    content["components"]["partition_counts"]["counts"] = [4]
    hail_files.write_metadata(folder, content)


def other_type(folder):
    content = hail_files.read_metadata(folder / "rows")
    content["_codecSpec"]["_eType"] = content["_codecSpec"]["_eType"].replace("EVarint", "EFloat64")
    hail_files.write_metadata(folder / "rows", content)


def unreadable(folder):
    (folder / "rows" / "metadata.json.gz").write_bytes(b"\x1f\x8b nothing")


@pytest.mark.parametrize("damage", [cut_short, lengthened, missing, other_count, other_type, unreadable])
def test_damaged_columns_are_noticed(columns, damage):
    damage(columns)
    with pytest.raises(IntegrityError):
        hail_files.read_columns(columns)


def test_metadata_is_the_same_whenever_it_is_written(tmp_path):
    """No time of writing stands in it: equal views are equal files."""
    hail_files.write_metadata(tmp_path, MOTHER)
    first = (tmp_path / "metadata.json.gz").read_bytes()
    assert first[4:8] == b"\0\0\0\0"
    assert json.loads(gzip.decompress(first)) == MOTHER
    shutil.rmtree(tmp_path)
