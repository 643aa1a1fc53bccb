"""Tables under a schema: what fits, and every fault by row and column."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngc_workbench.errors import InputError
from ngc_workbench.genomes.phenotypes import faults as module
from ngc_workbench.genomes.phenotypes.codes import SYSTEMS
from ngc_workbench.genomes.phenotypes.faults import Faults
from ngc_workbench.genomes.phenotypes.identifying import Names
from ngc_workbench.genomes.phenotypes.sources import Source

INTEGER = '[columns.n]\ntype = "integer"\nmin = -5\nmax = 120\n'
WIDE = '[columns.n]\ntype = "integer"\n'
DECIMAL = '[columns.n]\ntype = "decimal"\nmin = 0.5\nmax = 400\n'
YES_NO = '[columns.n]\ntype = "yes_no"\n'
CATEGORY = '[columns.n]\ntype = "category"\nvalues = ["female", "male"]\n'
ICD = '[columns.n]\ntype = "code"\nsystem = "ICD-10"\n'
SKS = '[columns.n]\ntype = "code"\nsystem = "SKS"\n'
LISTED = '[columns.n]\ntype = "code"\nsystem = "ICD-10"\ncodes = ["E10", "E11.9"]\n'
SHIFT = '[columns.n]\ntype = "date"\nas = "shift"\nearliest = 1977-01-01\nlatest = 2024-12-31\n'
DANISH = '[columns.n]\ntype = "date"\nas = "shift"\nformat = "DD.MM.YYYY"\n'
TEXT = '[columns.n]\ntype = "text"\nmax_length = 30\n'

FITS = [
    (INTEGER, "int32", {"0": 0, "-5": -5, "120": 120, "54.0": 54, "007": 7, "NA": None, " 3 ": 3}),
    (WIDE, "int64", {"999999999999999999": 999999999999999999}),
    (DECIMAL, "float64", {"0.5": 0.5, "400": 400.0, "1e2": 100.0, ".": None}),
    (YES_NO, "bool", {"Ja": True, "yes": True, "1": True, "TRUE": True, "nej": False, "no": False, "0": False}),
    (CATEGORY, "str", {"male": "male", "": None}),
    (ICD, "str", {"E10": "E10", "E11.9": "E119", "Q878C": "Q878C", "B2A": "B2A"}),
    (SKS, "str", {"DE112": "DE112", "KJAH01": "KJAH01", "BWHA": "BWHA", "ZZ0150A": "ZZ0150A", "ALCA00": "ALCA00"}),
    (LISTED, "str", {"E10": "E10", "E119": "E119", "E11.9": "E119"}),
    (SHIFT, "date", {"1977-01-01": "1977-01-01", "2024-12-31": "2024-12-31", "null": None}),
    (DANISH, "date", {"29.02.2000": "2000-02-29", "2000-02-29": "2000-02-29"}),
    (TEXT, "str", {"seen 3 times, 4 weeks": "seen 3 times, 4 weeks"}),
]


@pytest.mark.parametrize(("schema", "kind", "cells"), FITS)
def test_what_fits_is_stored_in_one_form(read, schema, kind, cells):
    """Numbers as numbers, codes without a point, dates in ISO; missing values as None."""
    for text, value in cells.items():
        table = read(schema, f"sample\tn\nA\t{text}\n")
        assert [column.type for column in table.columns] == [kind]
        assert table.rows[0].values == (value,)
        assert type(table.rows[0].values[0]) is type(value)


BAD = [
    (INTEGER, "-6", "less than -5"),
    (INTEGER, "121", "more than 120"),
    (INTEGER, "3.5", "not a whole number"),
    (INTEGER, "1e1", "not a whole number"),
    (INTEGER, "٣", "not a whole number"),
    (WIDE, "1000000000000000000", "not a whole number"),
    (WIDE, "6102701234", "it holds a CPR number"),
    (WIDE, "6102701234.0", "it holds a CPR number"),
    (DECIMAL, "0.49", "less than 0.5"),
    (DECIMAL, "400.1", "more than 400"),
    (DECIMAL, "70,5", "a decimal comma?"),
    (DECIMAL, "inf", "not a decimal number"),
    (DECIMAL, "1e999", "too large"),
    (DECIMAL, "1_0", "not a decimal number"),
    (YES_NO, "maybe", "neither yes nor no"),
    (CATEGORY, "Female", "not one of the listed values"),
    (ICD, "e10", "not written as a code of ICD-10"),
    (ICD, "E1", "not written as a code of ICD-10"),
    (ICD, "DE10", "not written as a code of ICD-10"),
    (ICD, "E10.", "not written as a code of ICD-10"),
    (ICD, "E10.12345", "not written as a code of ICD-10"),
    (ICD, "E10 E11", "not written as a code of ICD-10"),
    (SKS, "DE1", "not written as a code of SKS"),
    (SKS, "DEE1", "not written as a code of SKS"),
    (SKS, "DE11.2", "not written as a code of SKS"),
    (SKS, "K12", "not written as a code of SKS"),
    (SKS, "de112", "not written as a code of SKS"),
    (SKS, "DÆ10", "not written as a code of SKS"),
    (SKS, "DE112345678", "not written as a code of SKS"),
    (SKS, "ANNA1", "it names a sample"),
    (LISTED, "E11", "not in the list of codes"),
    (SHIFT, "1976-12-31", "before 1977-01-01"),
    (SHIFT, "2025-01-01", "after 2024-12-31"),
    (SHIFT, "9999-12-31", "after 2024-12-31"),
    (SHIFT, "2023-02-29", "not a date (YYYY-MM-DD)"),
    (SHIFT, "01-02-2020", "not a date (YYYY-MM-DD)"),
    (SHIFT, "2020-1-2", "not a date"),
    (SHIFT, "2020-01-02 10:00", "a date with a time of day"),
    (DANISH, "01-02-2020", "not a date (DD.MM.YYYY)"),
    (DANISH, "01.01.1849", "before 1850-01-01"),
    (DANISH, "01.01.2101", "after 2100-12-31"),
    (TEXT, "x" * 31, "longer than 30 characters"),
    (TEXT, "mother: 610270-1234", "it holds a CPR number"),
    (TEXT, "mother is anna1.", "it names a sample"),
    (TEXT, "ANNA1/BERTA2", "it names a sample"),
    (TEXT, "see ngci0123456789abcdef01234567", "it holds an internal id"),
    (TEXT, "a\x07b", "a control character"),
    (TEXT, "a\u202eb", "a control character"),
]


@pytest.mark.parametrize(("schema", "cell", "what"), BAD)
def test_what_does_not_fit_is_told_by_row_and_column(read, schema, cell, what):
    """Never with the value."""
    with pytest.raises(InputError) as caught:
        read(schema, f"sample\tn\nA\t\nB\t{cell}\n")
    assert caught.value.what.startswith("pheno.tsv, line 3, column n: ")
    assert what in caught.value.what
    assert cell not in str(caught.value) or cell in ("E1", "DE1")  # parts of the examples E11.9 and DE112
    assert caught.value.remedy


def test_a_pseudonym_in_a_text_is_refused(read, settings, database):
    """It would link a project's results to the release."""
    from ngc_workbench.pseudonyms import Keyring

    pseudonym = Keyring.of(settings).pseudonymiser("one").of("ngci0123456789abcdef01234567")
    with pytest.raises(InputError, match="it holds a pseudonym"):
        read(TEXT, f"sample\tn\nA\tsee {pseudonym}\n")


def test_all_faults_are_listed_in_the_order_of_rows(read):
    """Of the header first, then by row, then by column."""
    schema = INTEGER + '[columns.c]\ntype = "yes_no"\nrequired = true\n[columns.gone]\ntype = "yes_no"\n'
    with pytest.raises(InputError) as caught:
        read(schema, "sample\tc\textra\tn\nA\t\t1\tx\nB\tyes\t1\t3\nA\tmaybe\t1\t500\n")
    assert caught.value.what.splitlines() == [
        "pheno.tsv has 7 faults:",
        "  column extra: it is not declared in the schema",
        "  column gone: it is declared, but the table doesn't have it",
        "  line 2, column c: missing, but required",
        "  line 2, column n: not a whole number",
        "  line 4, column sample: lines 2 and 4 are about the same sample: keep one row a person",
        "  line 4, column c: neither yes nor no (yes, no, ja, nej, true, false, 1, 0)",
        "  line 4, column n: more than 120",
    ]


def test_of_many_faults_the_first_are_listed(read):
    """Twenty, and the number of the others."""
    with pytest.raises(InputError) as caught:
        read(YES_NO, "sample\tn\n" + "".join(f"W{number}\tx\n" for number in range(3000)))
    lines = caught.value.what.splitlines()
    assert lines[0] == "pheno.tsv has 3000 faults:"
    assert [line.split(",")[0] for line in lines[1:-1]] == [f"  line {number}" for number in range(2, 22)]
    assert lines[-1] == "  and 2980 more"


@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 5)), min_size=2, max_size=2500, unique=True))
def test_the_first_faults_are_the_first_in_whatever_order_they_are_found(places):
    """Though not all are kept."""
    gathered = Faults(Source("t", "row", (), (), ()))
    for number, at in places:
        gathered.add(number, at, str(at), "x")
    with pytest.raises(InputError) as caught:
        gathered.refuse()
    listed = caught.value.what.splitlines()[1 : 1 + module.MOST_SHOWN]
    expected = sorted(places)[: module.MOST_SHOWN]
    assert listed == [f"  row {number}, column {at}: x" if number else f"  column {at}: x" for number, at in expected]


def test_a_header_that_is_a_value_is_not_shown(read):
    """Where a table has no header, its first row stands there."""
    with pytest.raises(InputError) as caught:
        read(YES_NO, "sample\tn\t610270-1234\tAnna Hansen\nA\tyes\t\t\n")
    assert "column number 3: it is not declared" in caught.value.what
    assert "column number 4: it is not declared" in caught.value.what
    assert "610270" not in str(caught.value)
    assert "Anna" not in str(caught.value)


def test_a_column_twice_is_refused(read):
    """Which one would count?"""
    with pytest.raises(InputError, match="column n: it is there twice"):
        read(YES_NO, "sample\tn\tn\nA\tyes\tno\n")


def test_a_malformed_cpr_number_is_one_fault(read):
    """The row names somebody, though not readably; a row that names nobody is another fault."""
    with pytest.raises(InputError) as caught:
        read(YES_NO, "cpr\tn\n61027-1234\tyes\n\tyes\n101701234\tno\n")
    assert [line.split(": ")[0] for line in caught.value.what.splitlines()[1:]] == [
        "  line 2, column cpr", "  line 3, column cpr", "  line 4, column cpr",
    ]  # fmt: skip
    assert "the row names nobody" in caught.value.what.splitlines()[2]
    assert "61027" not in str(caught.value)


def test_columns_of_numbers_that_are_identifiers_are_refused(read):
    """Names of samples 1 to 30, and CPR numbers that lost their leading zero."""
    names = [str(number) for number in range(30)]
    with pytest.raises(InputError, match="column n: it holds names of samples"):
        read(WIDE, "sample\tn\n" + "".join(f"{name}\t{name}\n" for name in names), names)
    with pytest.raises(InputError, match="without their leading zero"):
        read(WIDE, "sample\tn\nA\t101701234\nB\t\n")


AGE = '[columns.n]\ntype = "date"\nas = "age"\n'


def test_ages_take_the_birth_date_of_the_cpr_number(read):
    """Completed years on the day; the date is gone."""
    table = read(AGE, "cpr\tn\n610270-1234\t2020-01-31\n620270-1236\t2020-02-02\n630270-1236\t\n")
    assert [(column.name, column.type, column.unit) for column in table.columns] == [("n", "int32", "years")]
    assert [row.values for row in table.rows] == [(49,), (50,), (None,)]


def test_ages_take_the_birth_date_of_a_column(read):
    """It is read for this alone: it is no column of the release."""
    table = read(AGE + 'birth = "born"\ndecimals = 1\n', "sample\tborn\tn\nA\t1970-02-01\t2020-08-01\n")
    assert [(column.name, column.type) for column in table.columns] == [("n", "float64")]
    assert table.rows[0].values == (50.4,)


AGES = {
    "no cpr": ("", "sample\tn\nA\t2020-01-01\n", "line 2, column n: no age without a CPR number"),
    "no day": ("", "cpr\tn\n313370-1234\t2020-01-01\n", "the CPR number is malformed"),
    "no such day": ("", "cpr\tn\n310270-1234\t2020-01-01\n", "line 2, column n: no age without a CPR number"),
    "before birth": ("", "cpr\tn\n610270-1234\t1970-01-31\n", "a date before birth"),
    "too old": ("", "cpr\tn\n610200-1234\t2032-01-01\n", "more than 130"),
    "over the maximum": ("max = 17\n", "cpr\tn\n610270-1234\t1988-02-01\n", "more than 17"),
    "column not there": ('birth = "b"\n', "sample\tn\nA\t2020-01-01\n", "column b: it is declared, but"),
    "birth missing": ('birth = "b"\n', "sample\tb\tn\nA\t\t2020-01-01\n", "no age without a date of birth"),
    "birth wrong": ('birth = "b"\n', "sample\tb\tn\nA\tx\t2020-01-01\n", "the date of birth beside it: not a date"),
}


@pytest.mark.parametrize("fault", AGES)
def test_an_age_that_can_not_be_told_is_a_fault(read, fault):
    """And says why."""
    keys, table, what = AGES[fault]
    with pytest.raises(InputError, match="column") as caught:
        read(AGE + keys, table)
    assert what in caught.value.what


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("3", True), ("3 times", False), ("HG00096", True), ("see hg00096.", True), ("(HG00096)", True),
        ("a/HG00096/b", True), ("HG000961", False), ("x-y", True), ("was x-y!", True), ("x-yz", False), ("", False),
        ("id 0012345", True),
    ],
)  # fmt: skip
def test_names_are_found_as_words(text, found):
    """Short numbers only when they are all that is there."""
    assert Names(["3", "HG00096", "x-y", "0012345"]).within(text) is found
    assert Names([]).within(text) is False


@given(st.sampled_from(sorted(SYSTEMS)), st.data())
def test_each_beginning_of_a_code_is_a_beginning(name, data):
    """Whatever is written as a code can be asked for by its first characters."""
    system = SYSTEMS[name]
    code = data.draw(st.from_regex(system.code, fullmatch=True))
    kept = system.normalise(code)
    length = data.draw(st.integers(1, len(code)))
    assert kept.startswith(system.normalise_beginning(code[:length]))
    assert system.normalise(kept) == kept
