"""Phenotype tables without a schema."""

from __future__ import annotations

import json

import pytest

from ngc_workbench.errors import InputError
from ngc_workbench.genomes.individuals import new_internal_id
from ngc_workbench.genomes.phenotypes import (
    Column,
    columns_from,
    identifying,
    read_table,
    read_values,
    sources,
    write_values,
)
from tests.genomes.cohorts import GATK_PHENO, NAMES


def test_columns_are_typed(write_pheno):
    """Whole numbers, decimals, yes/no, categories; NA is missing; ids are apart from values."""
    table = read_table(write_pheno(), NAMES)
    assert [(column.name, column.type) for column in table.columns] == [
        ("age", "int32"), ("sex", "str"), ("weight", "float64"), ("case", "bool"),
    ]  # fmt: skip
    assert (table.rows[1].sample, table.rows[1].cpr) == ("BERTA2", "6202711236")
    assert table.rows[1].values == (53, "female", None, False)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_commas_semicolons_and_tabs_part_columns(write_pheno, delimiter):
    """With Windows line ends and a byte order mark, as spreadsheets write."""
    text = "\ufeff" + 'Sample,age\r\nANNA1,3\r\n"BERTA2",4\r\n'.replace(",", delimiter)
    table = read_table(write_pheno(text), NAMES)
    assert [row.values for row in table.rows] == [(3,), (4,)]


def test_codes_with_leading_zeros_and_huge_numbers_keep_their_form(write_pheno):
    """007 stays a category; a number beyond 2^31 is int64."""
    table = read_table(write_pheno("sample\tcode\tbig\nA\t007\t3000000000\nB\t010\t1\n"), ())
    assert [column.type for column in table.columns] == ["str", "int64"]


ID = "ngci0123456789abcdef01234567"
MANY = [f"W{number}" for number in range(30)]
BAD = {
    "empty": ("", "is empty"),
    "header alone": ("sample\tage\n", "no rows"),
    "no ids": ("name\tage\nx\t3\n", "no column `sample`"),
    "ragged": ("sample\tage\nA\t3\nB\n", "line 3: 1 values for 2 columns"),
    "not text": (b"sample\tage\nA\t\xff\xfe\n", "not UTF-8"),
    "quotation marks": ('sample\tage\nA\t"3\nB\t4', "quotation marks"),
    "same sample twice": ("sample\tage\nA\t3\nB\t4\nA\t5\n", "lines 2 and 4 are about the same sample"),
    "same cpr twice": ("cpr\tage\n610270-1234\t3\n6102701234\t4\n", "lines 2 and 3 are about the same cpr"),
    "malformed cpr": ("cpr\tage\n610270-12\t3\n", "line 2, column cpr: the CPR number is malformed"),
    "nobody": ("sample\tcpr\tage\nA\tNA\t3\nNA\tNA\t4\n", "line 3, column sample: the row names nobody"),
    "cpr among values": ("sample\tnote\nA\tx\nB\tsee 610270-1234\n", "'note' holds a CPR number"),
    "sample among values": ("sample\tmother\nA\tNA\nB\tANNA1\n", "'mother' holds names of samples"),
    "dates": ("sample\tborn\nA\t1970-02-01\n", "'born' holds dates"),
    "Danish dates": ("sample\tborn\nA\t1.2.1970\n", "'born' holds dates"),
    "free text": ("sample\tnote\n" + "".join(f"A{word}\t{word}\n" for word in MANY), "free text"),
    "column twice": ("sample\tage\tage\nA\t1\t2\n", "'age' is there twice"),
    "column name": ("sample\tage in years\nA\t1\n", "the name of column number 2 can't be used"),
    "column id": ("sample\tid\nA\t1\n", "the name of column id can't be used"),
    "word of filters": ("sample\tmissing\nA\t1\n", "the name of column missing can't be used"),
    "no header": ("sample\t610270-1234\nA\t1\n", "the name of column number 2 can't be used"),
    "two columns of ids": ("sample\tIID\tage\nA\tB\t1\n", "two columns of the kind `sample`"),
    "same internal id twice": (f"internal_id\tage\n{ID}\t3\n{ID}\t4\n", "lines 2 and 3 are about the same internal_id"),
    "internal id among values": (f"sample\tnote\nA\tx{ID}\n", "'note' holds an internal id"),
    "line break": ('sample\tnote\nA\t"x\ry"\n', "'note' holds a line break"),
    "cpr as decimals": ("sample\tn\nA\t6102701234.0\nB\t1.5\n", "'n' holds a CPR number"),
    "cpr in powers of ten": ("sample\tn\nA\t6.102701234e9\nB\t1.5\n", "'n' holds a CPR number"),
    "cpr without leading zero": ("sample\tn\nA\t101701234\nB\t201701234\n", "'n' holds CPR numbers without"),
    "long cell": (f"sample\tn\nA\t{'x' * 10_001}\n", "longer than 10000 characters"),
    "many columns": ("sample" + "\tx" * 1000 + "\nA" + "\t1" * 1000 + "\n", "too large"),
}


@pytest.mark.parametrize("fault", BAD)
def test_each_fault_is_one_clear_line(write_pheno, fault):
    """With the file's name and a remedy, never with a value of the table."""
    content, what = BAD[fault]
    path = write_pheno(content)
    with pytest.raises(InputError) as caught:
        read_table(path, NAMES)
    said = str(caught.value)
    assert what in said
    assert said.startswith("pheno.tsv")
    assert caught.value.remedy
    assert not any(value in said for value in ("610270", "ANNA1", "1970", "W17", ID, str(path.parent)))


def test_numbers_that_are_all_names_of_samples_are_an_identifier(write_pheno):
    """Where samples are called 1 to 30, an age of 17 is none, but a column that repeats them all is."""
    names = [str(number) for number in range(30)]
    rows = "".join(f"{name}\t{name}\t{int(name) % 7}\n" for name in names)
    with pytest.raises(InputError, match="'copy' holds names"):
        read_table(write_pheno("sample\tcopy\tage\n" + rows), names)
    read_table(write_pheno("sample\tcopy\tage\n" + "".join(f"{n}\t{int(n) % 9}\t{int(n) % 7}\n" for n in names)), names)


def test_what_is_written_is_read(tmp_path):
    """Each type, and missing values."""
    columns = [Column("a", "int32"), Column("b", "float64"), Column("c", "bool"), Column("d", "str")]
    rows = [("x", (1, 0.1, True, "p q")), ("y", (None, None, None, None)), ("z", (-5, 1e-300, False, '"\t'))]
    write_values(tmp_path / "t.tsv", columns, rows)
    assert list(read_values(tmp_path / "t.tsv", columns)) == rows


def test_the_real_table_is_read():
    """Hail's own test table: `Sample`, `Status`, `qPhen`."""
    table = read_table(GATK_PHENO, ())
    assert len(table.rows) == 100
    assert [(column.name, column.type) for column in table.columns] == [("Status", "str"), ("qPhen", "int32")]


def test_internal_ids_are_recognised_as_they_are_made():
    """The rule that keeps them out of values fits what `individuals` draws."""
    assert identifying.fault(f"see {new_internal_id()}")
    assert identifying.fault("ngci0123") is None


@pytest.mark.parametrize("name", ["table.xlsx", "table.csv.gz", "table", "table.parquet.exe"])
def test_other_kinds_of_files_are_refused(write_pheno, name):
    """By the name's ending, before anything is read."""
    with pytest.raises(InputError, match="no table that can be read"):
        read_table(write_pheno(name=name), NAMES)


@pytest.mark.parametrize(("limit", "value"), [("MOST_ROWS", 2), ("MOST_CELLS", 17), ("_MOST_BYTES", 100)])
def test_larger_tables_are_refused(write_pheno, monkeypatch, limit, value):
    """By rows, cells (three rows of six here) and bytes."""
    monkeypatch.setattr(sources, limit, value)
    with pytest.raises(InputError, match="too large"):
        read_table(write_pheno(), NAMES)
    monkeypatch.setattr(sources, limit, {"MOST_ROWS": 3, "MOST_CELLS": 18, "_MOST_BYTES": 1000}[limit])
    assert len(read_table(write_pheno(), NAMES).rows) == 3


def test_a_manifest_keeps_all_that_a_column_says():
    """And one of format 1, names and types alone, is read too."""
    column = Column(
        "d", "str", kind="code", description="x", description_da="y", system="SKS", values=("DE10", "DE11"),
        texts=(("DE10", "z"),), role="group", unit="kg",
    )  # fmt: skip
    assert columns_from(json.loads(json.dumps([column.manifest()]))) == (column,)
    assert Column("age", "int32").manifest() == {"name": "age", "type": "int32"}
    assert columns_from([{"name": "age", "type": "int32"}]) == (Column("age", "int32"),)
