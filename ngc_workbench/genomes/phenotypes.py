"""Phenotype tables: read, typed, and written again under other ids.

A table has a column `sample` (or `sample_id`, `iid`) and/or `cpr`, and any number of columns of whole numbers,
decimals, yes/no values or categories. What could name a person is refused, not passed on: dates, free text, columns
with another value in each row, CPR numbers, sample names.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ngc_workbench.errors import InputError
from ngc_workbench.pseudonyms import find_cpr, normalise_cpr

Value = int | float | bool | str | None

MISSING = frozenset({"", "NA", "N/A", "NaN", "nan", ".", "null"})
_SAMPLE_COLUMNS = frozenset({"sample", "sample_id", "iid"})
_RESERVED = frozenset({"id", "s"})
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}(?:[T ].*)?|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}")
_TYPES = ("int32", "int64", "float64", "bool", "str")
_MOST_CATEGORIES = 100
_FEW_ROWS = 20
"""Up to this many rows a column of categories may have another value in each."""


@dataclass(frozen=True)
class Column:
    """A phenotype column and its type: int32, int64, float64, bool or str (a category)."""

    name: str
    type: str


@dataclass(frozen=True)
class Row:
    """One line of the table: who it is about (at least one of the two is there) and the values, one a column."""

    line: int
    sample: str | None
    cpr: str | None
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Table:
    """A phenotype table as read."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


def read_table(path: Path, samples: Iterable[str]) -> Table:
    """Reads and types a table. `samples` are the names in the VCF: no value of a phenotype may be one of them.

    Raises InputError, one line with file, line and remedy, never a value of the table.
    """
    header, lines = _read_lines(path)
    names = [name.strip() for name in header]
    ids = {name.lower(): at for at, name in enumerate(names)}
    sample_at = next((at for name, at in ids.items() if name in _SAMPLE_COLUMNS), None)
    cpr_at = ids.get("cpr")
    if sample_at is None and cpr_at is None:
        raise InputError(f"{path.name}: there is no column `sample` and no column `cpr`.", "Name the column of ids so.")
    value_at = [at for at in range(len(names)) if at not in (sample_at, cpr_at)]
    _check_names(path, [names[at] for at in value_at])
    taken = frozenset(samples)
    columns, converted = [], []
    for at in value_at:
        texts = [cells[at].strip() for _, cells in lines]
        column = _column(path, names[at], texts, taken)
        columns.append(column)
        converted.append([convert(text, column.type) for text in texts])
    rows = [
        Row(
            line=number,
            sample=_identifier(cells, sample_at),
            cpr=_cpr(path, number, _identifier(cells, cpr_at)),
            values=tuple(values[at] for values in converted),
        )
        for at, (number, cells) in enumerate(lines)
    ]
    _check_ids(path, rows)
    return Table(tuple(columns), tuple(rows))


def _read_lines(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header, and each row with its line number."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            if not first.strip():
                raise InputError(f"{path.name} is empty.", "Give a table with a header line.")
            delimiter = max("\t,;", key=first.count)
            file.seek(0)
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            header = next(reader)
            lines = []
            for cells in reader:
                if not cells:
                    continue
                if len(cells) != len(header):
                    raise InputError(
                        f"{path.name}, line {reader.line_num}: {len(cells)} values for {len(header)} columns.",
                        "Mend the line; a table is parted by tabs, commas or semicolons.",
                    )
                lines.append((reader.line_num, cells))
    except OSError as error:
        raise InputError(
            f"{path.name} can't be read: {error.strerror}.", "Check the file's name and rights."
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name} is not UTF-8 text.", "Save the table as CSV or TSV in UTF-8.") from error
    except csv.Error as error:
        raise InputError(
            f"{path.name} can't be read as a table.", "Check its quotation marks and separators."
        ) from error
    if not lines:
        raise InputError(f"{path.name} has a header, but no rows.", "Give a table with a row a person.")
    return header, lines


def _check_names(path: Path, names: Sequence[str]) -> None:
    for at, name in enumerate(names):
        if not _NAME.fullmatch(name) or name.lower() in _RESERVED:
            raise InputError(
                f"{path.name}: {name[:40]!r} can't be the name of a column.",
                "Use letters, digits and underscores, a letter first; `id` and `s` are taken.",
            )
        if name in names[:at]:
            raise InputError(f"{path.name}: column {name!r} is there twice.", "Give each column its own name.")


def _column(path: Path, name: str, texts: Sequence[str], samples: frozenset[str]) -> Column:
    present = [text for text in texts if text not in MISSING]
    kind = _type(present)
    fault = _fault(present, kind, samples)
    if fault is not None:
        raise InputError(f"{path.name}: column {name!r} {fault[0]}.", fault[1])
    return Column(name, kind)


def _fault(present: Sequence[str], kind: str, samples: frozenset[str]) -> tuple[str, str] | None:
    """What makes a column one that could name a person, and the remedy; None when nothing does."""
    different = set(present)
    if any(find_cpr(text) for text in different):
        return "holds a CPR number", "Leave the column out; the column `cpr` is for them."
    # Where samples are called 1, 2, 3, any age would be one: numbers are compared as a whole column.
    many = len(different) == len(present) > _FEW_ROWS
    if (kind == "str" and different & samples) or (many and different <= samples):
        return "holds names of samples", "Leave the column out; the column `sample` is for them."
    if any(_DATE.fullmatch(text) for text in different):
        return "holds dates", "Give ages or durations: dates make people recognisable."
    if kind == "str" and (len(different) > _MOST_CATEGORIES or many):
        return (
            f"looks like free text or an identifier ({len(different)} different values)",
            "Leave it out, or group its values into categories.",
        )
    return None


def _type(present: Sequence[str]) -> str:
    """The narrowest type that takes all values."""
    if present and all(text.lower() in ("true", "false") for text in present):
        return "bool"
    # A leading zero or plus makes a code, not a number: it would be lost.
    if present and all(re.fullmatch(r"-?(?:0|[1-9]\d{0,17})", text) for text in present):
        return "int32" if all(abs(int(text)) < 2**31 for text in present) else "int64"
    decimal = re.compile(r"-?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")
    if present and all(decimal.fullmatch(text) and math.isfinite(float(text)) for text in present):
        return "float64"
    return "str"


def convert(text: str, kind: str) -> Value:
    """A cell's text as a value of a column's type; None when it is missing."""
    if text in MISSING:
        return None
    if kind in ("int32", "int64"):
        return int(text)
    if kind == "float64":
        return float(text)
    if kind == "bool":
        return text.lower() == "true"
    return text


def _identifier(cells: Sequence[str], at: int | None) -> str | None:
    if at is None:
        return None
    text = cells[at].strip()
    return None if text in MISSING else text


def _cpr(path: Path, line: int, text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return normalise_cpr(text)
    except InputError as error:
        raise InputError(f"{path.name}, line {line}: the CPR number is malformed.", error.remedy) from error


def _check_ids(path: Path, rows: Sequence[Row]) -> None:
    for what in ("sample", "cpr"):
        seen: dict[str, int] = {}
        for row in rows:
            value: str | None = getattr(row, what)
            if value is None:
                continue
            if value in seen:
                raise InputError(
                    f"{path.name}: lines {seen[value]} and {row.line} are about the same {what}.",
                    "Keep one row a person.",
                )
            seen[value] = row.line
    nameless = next((row.line for row in rows if row.sample is None and row.cpr is None), None)
    if nameless is not None:
        raise InputError(f"{path.name}, line {nameless}: the row names nobody.", "Fill in `sample` or `cpr`.")


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


def columns_from(manifest: Iterable[Mapping[str, str]]) -> tuple[Column, ...]:
    """The columns as a manifest lists them."""
    return tuple(Column(entry["name"], entry["type"]) for entry in manifest)
