"""Schemas: what may be declared."""

from __future__ import annotations

import pytest

from ngc_workbench.errors import InputError
from ngc_workbench.genomes.phenotypes import Schema

BAD = {
    "no TOML": ("[columns.age\n", "is not TOML", "line 1"),
    "empty": ("", "declares no columns", ""),
    "other table": ("[tables]\n", "'tables' is no part of a schema", ""),
    "no table": ("[columns]\nage = 3\n", "column age: is no table", ""),
    "no type": ("[columns.age]\n", "column age: has no type", ""),
    "unknown type": ('[columns.age]\ntype = "int"\n', "has an unknown type", "integer"),
    "type of another type": ("[columns.age]\ntype = 3\n", "has an unknown type", ""),
    "unknown key": ('[columns.age]\ntype = "integer"\nminimum = 3\n', "'minimum' is no key of the type integer", "min"),
    "key of another type": ('[columns.c]\ntype = "yes_no"\nmin = 3\n', "'min' is no key of the type yes_no", ""),
    "name": ('[columns."a b"]\ntype = "yes_no"\n', "'a b' can't be the name", ""),
    "name of ids": ('[columns.CPR]\ntype = "yes_no"\n', "'CPR' can't be the name", ""),
    "name of filters": ('[columns.not]\ntype = "yes_no"\n', "'not' can't be the name", ""),
    "description": ('[columns.c]\ntype = "yes_no"\ndescription = 3\n', "`description` is no text", ""),
    "cpr": ('[columns.c]\ntype = "yes_no"\ndescription = "as 610270-1234"\n', "`description` holds a CPR number", ""),
    "flag": ('[columns.c]\ntype = "yes_no"\nrequired = 1\n', "`required` is neither true nor false", ""),
    "bounds": ('[columns.a]\ntype = "integer"\nmin = 5\nmax = 4\n', "`min` is more than `max`", ""),
    "bound is a text": ('[columns.a]\ntype = "integer"\nmin = "5"\n', "`min` is no whole number", ""),
    "bound is a decimal": ('[columns.a]\ntype = "integer"\nmin = 0.5\n', "`min` is no whole number", ""),
    "bound is yes": ('[columns.a]\ntype = "integer"\nmin = true\n', "`min` is no whole number", ""),
    "bound is infinite": ('[columns.a]\ntype = "decimal"\nmin = nan\n', "`min` is no number", ""),
    "no values": ('[columns.sex]\ntype = "category"\n', "`values` is no list of texts", ""),
    "empty values": ('[columns.sex]\ntype = "category"\nvalues = []\n', "`values` is no list of texts", ""),
    "values of numbers": ('[columns.sex]\ntype = "category"\nvalues = [1]\n', "`values` is no list of texts", ""),
    "value twice": ('[columns.sex]\ntype = "category"\nvalues = ["a", "a"]\n', "has a value twice", ""),
    "value missing": ('[columns.sex]\ntype = "category"\nvalues = ["NA"]\n', "a value that means missing", ""),
    "value with blanks": ('[columns.sex]\ntype = "category"\nvalues = ["a "]\n', "blanks around", ""),
    "value cpr": ('[columns.sex]\ntype = "category"\nvalues = ["610270-1234"]\n', "`values` holds a CPR number", ""),
    "value breaks": ('[columns.sex]\ntype = "category"\nvalues = ["a\\nb"]\n', "`values` holds a line break", ""),
    "texts": ('[columns.sex]\ntype = "category"\nvalues = ["a"]\ntexts = { b = "x" }\n', "not among `values`", ""),
    "texts of numbers": ('[columns.sex]\ntype = "category"\nvalues = ["a"]\ntexts = { a = 3 }\n', "no table of texts", ""),
    "role": ('[columns.sex]\ntype = "category"\nvalues = ["a"]\nrole = "ethnic"\n', "has an unknown role", "group"),
    "two groups": (
        "".join(f'[columns.{name}]\ntype = "category"\nvalues = ["a"]\nrole = "group"\n' for name in ("sex", "t")),
        "sex and t both have the role", "",
    ),
    "no system": ('[columns.d]\ntype = "code"\n', "has no known `system`", "ICD-10, SKS"),
    "other system": ('[columns.d]\ntype = "code"\nsystem = "ICD-9"\n', "has no known `system`", ""),
    "codes twice": ('[columns.d]\ntype = "code"\nsystem = "SKS"\ncodes = ["DE10"]\ncodes_file = "x"\n', "has both", ""),
    "codes of another system": ('[columns.d]\ntype = "code"\nsystem = "ICD-10"\ncodes = ["DE10"]\n', "no ICD-10 code", ""),
    "codes elsewhere": ('[columns.d]\ntype = "code"\nsystem = "SKS"\ncodes_file = "../x"\n', "no plain file name", ""),
    "codes nowhere": ('[columns.d]\ntype = "code"\nsystem = "SKS"\ncodes_file = "x"\n', "x can't be read", "beside"),
    "no as": ('[columns.d]\ntype = "date"\n', "a date needs `as`", "given to nobody"),
    "as it is": ('[columns.d]\ntype = "date"\nas = "date"\n', "a date needs `as`", ""),
    "format": ('[columns.d]\ntype = "date"\nas = "shift"\nformat = "%Y"\n', "unknown `format`", "DD-MM-YYYY"),
    "birth of shifts": ('[columns.d]\ntype = "date"\nas = "shift"\nbirth = "b"\n', "`birth` has no meaning", ""),
    "birth is itself": ('[columns.d]\ntype = "date"\nas = "age"\nbirth = "d"\n', "`birth` is no other column", ""),
    "decimals": ('[columns.d]\ntype = "date"\nas = "age"\ndecimals = 2\n', "`decimals` is neither 0 nor 1", ""),
    "earliest": ('[columns.d]\ntype = "date"\nas = "age"\nearliest = "1977-01-01"\n', "`earliest` is no date", ""),
    "latest far off": ('[columns.d]\ntype = "date"\nas = "age"\nlatest = 9999-12-31\n', "`latest` is no date", ""),
    "turned round": (
        '[columns.d]\ntype = "date"\nas = "age"\nearliest = 2000-01-01\nlatest = 1999-01-01\n', "is after `latest`", "",
    ),
    "text without length": ('[columns.n]\ntype = "text"\n', "needs a `max_length`", ""),
    "endless text": ('[columns.n]\ntype = "text"\nmax_length = 1000000\n', "needs a `max_length`", ""),
}  # fmt: skip


@pytest.mark.parametrize("fault", BAD)
def test_each_fault_is_told_with_its_place(write_schema, fault):
    """The file, the column, the key, and what to write."""
    content, what, remedy = BAD[fault]
    with pytest.raises(InputError) as caught:
        Schema.read(write_schema(content))
    assert what in caught.value.what
    assert "schema.toml" in str(caught.value) or fault == "codes nowhere"
    assert caught.value.remedy
    assert remedy in str(caught.value)
    assert "610270" not in str(caught.value)


def test_a_schema_that_is_not_there_is_told(tmp_path):
    """Also one that is no text, or too large."""
    with pytest.raises(InputError, match="can't be read"):
        Schema.read(tmp_path / "schema.toml")
    (tmp_path / "schema.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="can't be read"):
        Schema.read(tmp_path / "schema.toml")
    (tmp_path / "schema.toml").write_bytes(b"#" * 1_000_001)
    with pytest.raises(InputError, match="larger than 1 MB"):
        Schema.read(tmp_path / "schema.toml")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("E10\nE119\tx\nE11.9\ty\n", "line 3: the code is there twice"),
        ("E10\n\nE\n", "line 3: that is no ICD-10 code"),
        ("E10 x\n", "line 1: that is no ICD-10 code"),
        ("\n", "is empty"),
    ],
)
def test_a_list_of_codes_is_checked_by_line(tmp_path, write_schema, content, what):
    """A mistake in the list is not found by the data alone."""
    (tmp_path / "codes.txt").write_text(content)
    with pytest.raises(InputError, match=what):
        Schema.read(write_schema('[columns.d]\ntype = "code"\nsystem = "ICD-10"\ncodes_file = "codes.txt"\n'))
