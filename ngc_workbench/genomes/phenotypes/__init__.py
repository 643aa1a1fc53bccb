"""Phenotypes and registers: tables held against a schema, what views show of them, and filters over them.

A table has a row a person. What could name one is refused, not passed on: CPR numbers, sample names, internal ids; and
without a schema also dates, free text, and columns with another value in each row.
"""

from ngc_workbench.genomes.phenotypes.dates import shift_days
from ngc_workbench.genomes.phenotypes.filters import Filter
from ngc_workbench.genomes.phenotypes.for_views import ViewColumns, for_view
from ngc_workbench.genomes.phenotypes.schema import Schema
from ngc_workbench.genomes.phenotypes.tables import Row, Table, read_table
from ngc_workbench.genomes.phenotypes.values import (
    MISSING,
    Column,
    Value,
    columns_from,
    convert,
    read_values,
    write_values,
)

__all__ = [
    "MISSING",
    "Column",
    "Filter",
    "Row",
    "Schema",
    "Table",
    "Value",
    "ViewColumns",
    "columns_from",
    "convert",
    "for_view",
    "read_table",
    "read_values",
    "shift_days",
    "write_values",
]
