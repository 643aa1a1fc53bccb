"""Schemas and tables held against them."""

from __future__ import annotations

import pytest

from ngc_workbench.genomes.phenotypes import Schema, Table, read_table
from tests.genomes.cohorts import NAMES


@pytest.fixture
def write_schema(tmp_path):
    """Writes a schema."""

    def write(content: str):
        path = tmp_path / "schema.toml"
        path.write_text(content, encoding="utf-8")
        return path

    return write


@pytest.fixture
def read(write_schema, write_pheno):
    """Reads a table under a schema."""

    def read(schema: str, table: str, samples=NAMES) -> Table:
        return read_table(write_pheno(table), samples, Schema.read(write_schema(schema)))

    return read
