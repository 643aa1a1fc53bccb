"""Columns of a table without a schema: types are guessed, and what could name a person is refused."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from ngc_workbench.errors import InputError
from ngc_workbench.genomes.phenotypes import identifying
from ngc_workbench.genomes.phenotypes.names import is_column_name, shown
from ngc_workbench.genomes.phenotypes.sources import Source
from ngc_workbench.genomes.phenotypes.values import MISSING, Column, Value, convert

_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[T ].*)?|[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{4}")
_MOST_CATEGORIES = 100
# A leading zero or plus makes a code, not a number: it would be lost.
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")


def guess(source: Source, places: Sequence[int], samples: frozenset[str]) -> tuple[list[Column], list[list[Value]]]:
    """The columns at `places` and their values by column.

    Raises InputError for the first column that could name a person, or whose name can't be used.
    """
    _check_names(source, places)
    columns, values = [], []
    for at in places:
        texts = source.columns[at]
        column = _column(source, at, [text for text in texts if text not in MISSING], samples)
        columns.append(column)
        values.append([convert(text, column.type) for text in texts])
    return columns, values


def _check_names(source: Source, places: Sequence[int]) -> None:
    seen: set[str] = set()
    for at in places:
        name = source.header[at]
        if not is_column_name(name):
            raise InputError(
                f"{source.name}: the name of column {shown(source.header, at)} can't be used.",
                "Use letters, digits and underscores, a letter first; ids and words of filters are taken.",
            )
        if name in seen:
            raise InputError(f"{source.name}: column {name!r} is there twice.", "Give each column its own name.")
        seen.add(name)


def _column(source: Source, at: int, present: Sequence[str], samples: frozenset[str]) -> Column:
    kind = _type(present)
    fault = _fault(present, kind, samples)
    if fault is not None:
        raise InputError(f"{source.name}: column {source.header[at]!r} {fault[0]}.", fault[1])
    return Column(source.header[at], kind)


def _fault(present: Sequence[str], kind: str, samples: frozenset[str]) -> tuple[str, str] | None:
    """What makes a column one that could name a person, and the remedy; None when nothing does."""
    different = set(present)
    fault = next(filter(None, map(identifying.fault, sorted(different))), None)
    if fault is not None:
        return fault
    if kind == "str" and different & samples:
        return "holds names of samples", "Leave the column out; the column `sample` is for them."
    fault = identifying.numbers_fault(present, samples)
    if fault is not None:
        return fault
    if any(_DATE.fullmatch(text) for text in different):
        return "holds dates", "Declare it in a schema as ages or shifted dates: dates make people recognisable."
    many = len(different) == len(present) > identifying.FEW_ROWS
    if kind == "str" and (len(different) > _MOST_CATEGORIES or many):
        return (
            f"looks like free text or an identifier ({len(different)} different values)",
            "Leave it out, group its values into categories, or declare it in a schema.",
        )
    return None


def _type(present: Sequence[str]) -> str:
    """The narrowest type that takes all values."""
    if present and all(text.lower() in ("true", "false") for text in present):
        return "bool"
    if present and all(_WHOLE.fullmatch(text) for text in present):
        return "int32" if all(abs(int(text)) < 2**31 for text in present) else "int64"
    if present and all(_DECIMAL.fullmatch(text) and math.isfinite(float(text)) for text in present):
        return "float64"
    return "str"
