"""Values, columns, and the table as the workbench keeps it: tab-separated, an id first."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Value = int | float | bool | str | None
"""A phenotype of one person; a date is its ISO text."""

TYPES = ("int32", "int64", "float64", "bool", "str", "date")
MISSING = frozenset({"", "NA", "N/A", "NaN", "nan", ".", "null"})


@dataclass(frozen=True)
class Column:
    """A phenotype column.

    `type` is one of TYPES, as the values are stored. `kind` is the schema's word for it (category, code, text …), empty
    when no schema was given. `values` are all that may occur, as far as the schema lists them; `texts` are pairs of a
    value and what it means. `role` is `group` for the column by which the catalogue counts people, else None.
    """

    name: str
    type: str
    kind: str = ""
    description: str = ""
    description_da: str = ""
    system: str | None = None
    values: tuple[str, ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    role: str | None = None
    unit: str | None = None

    def manifest(self) -> dict[str, Any]:
        """The column as a manifest holds it: JSON, without what is empty. `columns_from` reads it."""
        entry: dict[str, Any] = {"name": self.name, "type": self.type}
        for key in ("kind", "description", "description_da", "system", "role", "unit"):
            if getattr(self, key):
                entry[key] = getattr(self, key)
        if self.values:
            entry["values"] = list(self.values)
        if self.texts:
            entry["texts"] = dict(self.texts)
        return entry


def columns_from(manifest: Iterable[Mapping[str, Any]]) -> tuple[Column, ...]:
    """The columns as a manifest lists them; one of format 1 has names and types alone."""
    return tuple(
        Column(
            name=entry["name"],
            type=entry["type"],
            kind=entry.get("kind", ""),
            description=entry.get("description", ""),
            description_da=entry.get("description_da", ""),
            system=entry.get("system"),
            values=tuple(entry.get("values", ())),
            texts=tuple(entry.get("texts", {}).items()),
            role=entry.get("role"),
            unit=entry.get("unit"),
        )
        for entry in manifest
    )


def convert(text: str, kind: str) -> Value:
    """A cell's text as a value of a column's type (one of TYPES); None when it is missing."""
    if text in MISSING:
        return None
    if kind in ("int32", "int64"):
        return int(text)
    if kind == "float64":
        return float(text)
    if kind == "bool":
        return text.lower() == "true"
    return text


def write_values(path: Path, columns: Sequence[Column], rows: Iterable[tuple[str, Sequence[Value]]]) -> None:
    """Writes a table: tab-separated, `id` first, one row an (id, values) pair, missing values as NA."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(["id", *(column.name for column in columns)])
        for identifier, values in rows:
            writer.writerow([identifier, *(_text(value) for value in values)])


def _text(value: Value) -> str:
    if value is None:
        return "NA"
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)


def read_values(path: Path, columns: Sequence[Column]) -> Iterator[tuple[str, tuple[Value, ...]]]:
    """Yields the (id, values) pairs of a table that `write_values` wrote."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file, delimiter="\t", strict=True)
        next(reader)
        for identifier, *cells in reader:
            yield identifier, tuple(convert(text, column.type) for text, column in zip(cells, columns, strict=True))
