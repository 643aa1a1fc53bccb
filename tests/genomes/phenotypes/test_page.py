"""docs/phenotypes.md: what it shows is what is read."""

from __future__ import annotations

import re

import pytest

from ngc_workbench.genomes.phenotypes import Filter, Schema, read_table
from ngc_workbench.genomes.phenotypes.dates import FORMS
from ngc_workbench.genomes.phenotypes.schema import KEYS
from ngc_workbench.settings import ROOT
from tests.genomes.cohorts import NAMES

PAGE = (ROOT / "docs" / "phenotypes.md").read_text(encoding="utf-8")


def block(language: str, which: int = 0) -> str:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)[which]


@pytest.fixture
def table(tmp_path):
    """The page's table, under the page's schema."""
    (tmp_path / "schema.toml").write_text(block("toml"), encoding="utf-8")
    (tmp_path / "diagnoses.txt").write_text(block("text"), encoding="utf-8")
    (tmp_path / "register.csv").write_text(block("csv"), encoding="utf-8")
    return read_table(tmp_path / "register.csv", NAMES, Schema.read(tmp_path / "schema.toml"))


def test_the_example_is_read(table):
    """Each type in its stored form; what is optional and absent is left out."""
    assert [(column.name, column.type) for column in table.columns] == [
        ("diagnosis", "str"), ("operation", "str"), ("smoking_years", "int32"), ("weight", "float64"), ("sex", "str"),
        ("population", "str"), ("case", "bool"), ("first_admission", "float64"), ("last_contact", "date"),
    ]  # fmt: skip
    assert [row.values for row in table.rows] == [
        ("DE109", "KJAH01", 0, 70.5, "female", "GBR", True, 20.0, "2020-12-24"),
        ("DE112", None, 12, None, "female", "CEU", False, 40.8, "2021-02-01"),
        (None, None, None, 61.25, "female", "other", False, None, None),
    ]
    assert (table.rows[0].line, table.rows[0].sample, table.rows[0].cpr) == (2, "ANNA1", "6102701234")
    assert "values" in table.columns[0].manifest()
    assert table.columns[0].texts[0] == ("DE101", "Type 1-diabetes med ketoacidose")
    assert [column.name for column in table.columns if column.role == "group"] == ["population"]


def test_the_example_of_a_filter_is_read(table):
    """Over the example's columns."""
    asked = Filter.parse(block("text", 1), table.columns)
    assert [asked.matches(row.values) for row in table.rows] == [True, False, False]


def test_each_type_and_key_is_explained():
    """No key of a schema is left out of the page, nor a form of dates."""
    for kind, keys in KEYS.items():
        assert f"| `{kind}` |" in PAGE
        assert all(f"`{key}" in PAGE for key in keys)
    assert all(f"`{form}`" in PAGE for form in FORMS)
