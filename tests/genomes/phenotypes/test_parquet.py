"""Tables in Parquet."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngc_workbench.errors import InputError
from ngc_workbench.genomes.phenotypes import Schema, read_table, sources
from ngc_workbench.genomes.phenotypes.sources import read_source

SCHEMA = """
[columns.age]
type = "integer"
[columns.weight]
type = "decimal"
[columns.case]
type = "yes_no"
[columns.sex]
type = "category"
values = ["female", "male"]
[columns.seen]
type = "date"
as = "shift"
"""


@pytest.fixture
def write(tmp_path):
    """Writes columns as Parquet."""

    def write(options=None, **columns):
        path = tmp_path / "t.parquet"
        pq.write_table(pa.table(columns), path, **(options or {}))
        return path

    return write


MIDNIGHT = datetime.fromisoformat("2020-02-29")
KINDS = {
    "plain": (pa.int32(), pa.float64(), pa.bool_(), pa.string(), pa.date32()),
    "pandas": (pa.float64(), pa.float64(), pa.int8(), pa.large_string(), pa.timestamp("ns")),
    "tight": (
        pa.decimal128(5, 0), pa.decimal128(9, 2), pa.string(), pa.dictionary(pa.int8(), pa.string()), pa.timestamp("s"),
    ),
    "texts": (pa.string(), pa.string(), pa.string(), pa.string_view(), pa.string()),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_the_types_that_programs_write_are_read(write, write_schema, kind):
    """Integers, decimals, floats that stand in for integers with gaps, dictionaries, dates, times at midnight."""
    values = {
        "age": [54, None], "weight": [70.5, None], "case": [True, None], "sex": ["male", None],
        "seen": [date(2020, 2, 29), None],
    }  # fmt: skip
    if kind == "texts":
        values = {name: [str(value[0]), None] for name, value in values.items()}
    if kind == "tight":
        values |= {
            "seen": [MIDNIGHT, None],
            "age": [Decimal(54), None],
            "weight": [Decimal("70.50"), None],
            "case": ["ja", None],
        }
    if kind == "pandas":
        values |= {"seen": [MIDNIGHT, None], "age": [54.0, math.nan], "weight": [70.5, math.nan], "case": [1, None]}
    columns = {name: pa.array(values[name], kind) for name, kind in zip(values, KINDS[kind], strict=True)}
    table = read_table(write(sample=["A", "B"], **columns), (), Schema.read(write_schema(SCHEMA)))
    assert [row.values for row in table.rows] == [(54, 70.5, True, "male", "2020-02-29"), (None,) * 5]
    assert [(row.line, row.sample) for row in table.rows] == [(1, "A"), (2, "B")]


def test_without_a_schema_the_same_care_is_taken(write):
    """Types are guessed, dates refused."""
    table = read_table(write(sample=["A", "B"], age=[1, None], sex=["m", "f"], ok=[True, False]), ())
    assert [column.type for column in table.columns] == ["int32", "str", "bool"]
    with pytest.raises(InputError, match="'born' holds dates"):
        read_table(write(sample=["A"], born=[date(1970, 1, 1)]), ())
    with pytest.raises(InputError, match="'n' holds a CPR number"):
        read_table(write(sample=["A", "B"], n=[6102701234.0, math.nan]), ())


def test_short_floats_keep_their_digits(write):
    """70.1 in 32 bits is 70.1, not 70.0999984741211."""
    table = read_table(write(sample=["A"], weight=pa.array([70.1], pa.float32())), ())
    assert table.rows[0].values == (70.1,)


@given(
    st.lists(
        st.tuples(st.integers(-(2**40), 2**40), st.floats(allow_nan=False, allow_infinity=False), st.booleans()),
        min_size=1, max_size=30,
    )
)  # fmt: skip
def test_numbers_are_read_as_written(tmp_path_factory, rows):
    """To the last bit."""
    path = tmp_path_factory.mktemp("t") / "t.parquet"
    whole, decimals, flags = zip(*rows, strict=True)
    pq.write_table(pa.table({"sample": ["A"] * len(rows), "n": whole, "x": decimals, "b": flags}), path)
    source = read_source(path)
    assert source.numbers == tuple(range(1, len(rows) + 1))
    assert tuple(map(int, source.columns[1])) == whole
    assert tuple(map(float, source.columns[2])) == decimals
    assert tuple(text == "true" for text in source.columns[3]) == flags


def test_faults_are_told_by_row(write, write_schema):
    """A time of day is no date; rows count from 1."""
    schema = Schema.read(write_schema('[columns.seen]\ntype = "date"\nas = "shift"\n'))
    path = write(sample=["A", "B"], seen=pa.array([1577836800, 1577848020], pa.timestamp("s")))
    with pytest.raises(InputError) as caught:
        read_table(path, (), schema)
    assert caught.value.what == "t.parquet, row 2, column seen: a date with a time of day."


BAD = {
    "list": (pa.array([[1, 2]]), "nested, binary"),
    "struct": (pa.array([{"a": 1}]), "nested, binary"),
    "map": (pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int8())), "nested, binary"),
    "binary": (pa.array([b"a"]), "nested, binary"),
    "duration": (pa.array([3], pa.duration("s")), "nested, binary"),
    "time zone": (pa.array([datetime(2020, 1, 1, tzinfo=UTC)]), "times with a time zone"),
    "infinity": (pa.array([math.inf]), "row 1: an infinite number"),
    "nanoseconds": (pa.array([1], pa.timestamp("ns")), "can't be read as Parquet"),
    "year 300000": (pa.array([2**43], pa.timestamp("s")), "can't be read as Parquet"),
    "long text": (pa.array(["x" * 10_001]), "longer than 10000 characters"),
}


@pytest.mark.parametrize("fault", BAD)
def test_what_no_table_holds_is_refused(write, fault):
    """Nested and binary values, moments, infinity; in one line with a remedy."""
    column, what = BAD[fault]
    with pytest.raises(InputError) as caught:
        read_table(write(sample=["A"], x=column), ())
    assert what in caught.value.what
    assert caught.value.what.startswith("t.parquet")
    assert caught.value.remedy


def test_extension_types_are_not_built(write):
    """A file can't choose a class that is made when it is read: what is stored is looked at, and refused when odd."""
    column = pa.array([bytes(16)], pa.uuid())
    with pytest.raises(InputError, match="nested, binary"):
        read_table(write(sample=["A"], x=column), ())


@pytest.mark.parametrize("limit", ["MOST_ROWS", "MOST_COLUMNS", "MOST_CELLS", "_MOST_BYTES"])
def test_larger_tables_are_refused(write, monkeypatch, limit):
    """By what the file says of itself, before its values are read."""
    path = write(sample=["A", "B"], age=[1, 2])
    monkeypatch.setattr(sources, limit, 1)
    monkeypatch.setattr(sources, "_batches", None)
    with pytest.raises(InputError, match="too large"):
        read_source(path)


def test_damaged_files_are_refused_without_arrows_own_words(write):
    """Cut short, changed inside, or no Parquet at all."""
    path = write({"compression": "none", "write_page_checksum": True}, sample=["A"] * 50, sex=["WOMAN1"] * 50)
    whole = path.read_bytes()
    for content in (whole[:-10], whole[:20], b"", b"PAR1", whole.replace(b"WOMAN1", b"WOMAN2", 1)):
        path.write_bytes(content)
        with pytest.raises(InputError) as caught:
            read_source(path)
        assert caught.value.what == "t.parquet can't be read as Parquet."


def test_a_table_without_rows_is_refused(write):
    """As in text."""
    with pytest.raises(InputError, match="no rows"):
        read_source(write(sample=pa.array([], pa.string())))
