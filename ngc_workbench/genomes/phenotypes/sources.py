"""Tables as they are delivered, CSV or Parquet, read into texts by column.

Parquet's values become the texts that CSV would have, so that one set of rules reads both. Everything is bounded: a
table that is larger than a register of people can be is refused before it fills the memory.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ngc_workbench.errors import InputError

MOST_ROWS = 1_000_000
MOST_COLUMNS = 1_000
MOST_CELLS = 50_000_000
MOST_CHARACTERS = 10_000
"""In one cell."""
_MOST_BYTES = 4 << 30
_MOST_METADATA = 100_000_000
_BATCH = 10_000


@dataclass(frozen=True)
class Source:
    """A table as delivered: its file's name, the names of its columns, and the stripped texts of each column.

    `numbers` says where each row stands in the file, counted in `word` ("line" for text, where the header is line 1;
    "row" for Parquet, where the first row of values is row 1).
    """

    name: str
    word: str
    header: tuple[str, ...]
    numbers: tuple[int, ...]
    columns: tuple[tuple[str, ...], ...]

    def place(self, number: int) -> str:
        """The table and one of its rows, as an error names them."""
        return f"{self.name}, {self.word} {number}"


def read_source(path: Path) -> Source:
    """Reads a table; .parquet as Parquet, .csv, .tsv and .txt as text parted by tabs, commas or semicolons.

    Raises InputError with the file's name, never with a value of the table.
    """
    readers: dict[str, Callable[[Path], Source]] = {
        ".parquet": _parquet, ".csv": _text, ".tsv": _text, ".txt": _text,
    }  # fmt: skip
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise InputError(
            f"{path.name} is no table that can be read.", "Give a .csv, .tsv, .txt or .parquet file, unpacked."
        )
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise _too_large(path)
        source = reader(path)
    except OSError as error:
        why = f": {error.strerror}" if error.strerror else ""
        raise InputError(f"{path.name} can't be read{why}.", "Check the file's name and rights.") from error
    if not source.numbers:
        raise InputError(f"{path.name} has a header, but no rows.", "Give a table with a row a person.")
    return source


def _too_large(path: Path) -> InputError:
    return InputError(
        f"{path.name} is too large: at most {MOST_ROWS} rows, {MOST_COLUMNS} columns and {MOST_CELLS} cells are read.",
        "Take the people and columns that belong to this dataset, one row a person.",
    )


def _bounded(path: Path, columns: int, rows: Iterator[tuple[int, list[str]]]) -> tuple[list[int], list[list[str]]]:
    """The numbers of the rows, and the cells by column."""
    numbers: list[int] = []
    cells: list[list[str]] = [[] for _ in range(columns)]
    for number, row in rows:
        if len(numbers) == MOST_ROWS or (len(numbers) + 1) * columns > MOST_CELLS:
            raise _too_large(path)
        numbers.append(number)
        for at, text in enumerate(row):
            if len(text) > MOST_CHARACTERS:
                raise InputError(
                    f"{path.name}, row {len(numbers)}, column {at + 1}: the cell is longer than {MOST_CHARACTERS} characters.",
                    "A phenotype is a short value; look for a quotation mark that is not closed.",
                )
            cells[at].append(text.strip())
    return numbers, cells


def _text(path: Path) -> Source:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline(MOST_COLUMNS * 100)
            if not first.strip():
                raise InputError(f"{path.name} is empty.", "Give a table with a header line.")
            delimiter = max("\t,;", key=first.count)
            file.seek(0)
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            header = [name.strip() for name in next(reader)]
            if len(header) > MOST_COLUMNS:
                raise _too_large(path)
            numbers, cells = _bounded(path, len(header), _lines(path, reader, len(header)))
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name} is not UTF-8 text.", "Save the table as CSV or TSV in UTF-8.") from error
    except csv.Error as error:
        raise InputError(
            f"{path.name} can't be read as a table.", "Check its quotation marks and separators."
        ) from error
    return Source(path.name, "line", tuple(header), tuple(numbers), tuple(map(tuple, cells)))


def _lines(path: Path, reader: Any, columns: int) -> Iterator[tuple[int, list[str]]]:
    for cells in reader:
        if not cells:
            continue
        if len(cells) != columns:
            raise InputError(
                f"{path.name}, line {reader.line_num}: {len(cells)} values for {columns} columns.",
                "Mend the line; a table is parted by tabs, commas or semicolons.",
            )
        yield reader.line_num, cells


def _parquet(path: Path) -> Source:
    try:
        with pq.ParquetFile(
            path, memory_map=False, pre_buffer=False, page_checksum_verification=True,
            thrift_string_size_limit=_MOST_METADATA, thrift_container_size_limit=1_000_000,
            arrow_extensions_enabled=False,
        ) as file:  # fmt: skip
            schema = file.schema_arrow
            count = file.metadata.num_rows
            if len(schema) > MOST_COLUMNS or count > MOST_ROWS or count * len(schema) > MOST_CELLS:
                raise _too_large(path)
            header = [str(name).strip() for name in schema.names]
            renderers = [_renderer(path, at, field) for at, field in enumerate(schema, start=1)]
            numbers, cells = _bounded(path, len(header), _batches(path, file, renderers))
    except (pa.ArrowException, ValueError, OverflowError, NotImplementedError, OSError) as error:
        if isinstance(error, OSError) and error.strerror:
            raise
        # Arrow's own text may quote a value.
        raise InputError(
            f"{path.name} can't be read as Parquet.", "It may be damaged, encrypted or half written: make it again."
        ) from error
    return Source(path.name, "row", tuple(header), tuple(numbers), tuple(map(tuple, cells)))


def _batches(
    path: Path, file: pq.ParquetFile, renderers: list[Callable[[Any], str]]
) -> Iterator[tuple[int, list[str]]]:
    number = 0
    for batch in file.iter_batches(batch_size=_BATCH, use_threads=False):
        columns = [_plain(array).to_pylist() for array in batch.columns]
        for row in zip(*columns, strict=True):
            number += 1
            try:
                texts = ["" if value is None else render(value) for render, value in zip(renderers, row, strict=True)]
            except _Unfit as error:
                raise InputError(
                    f"{path.name}, row {number}: {error}.", "Write a gap where there is no finite number."
                ) from error
            yield number, texts


class _Unfit(Exception):
    """A value that no table of text could hold."""


def _plain(array: pa.Array) -> pa.Array:
    """Without a dictionary, and times no finer than Python's own (raises ArrowInvalid when that would lose something)."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_timestamp(array.type):
        array = array.cast(pa.timestamp("us"))
    return array


def _renderer(path: Path, at: int, field: pa.Field) -> Callable[[Any], str]:
    """How values of a Parquet column become text. Raises InputError for types that no column of a table has."""
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    is_a = pa.types
    if is_a.is_timestamp(kind) and kind.tz is not None:
        raise InputError(
            f"{path.name}, column {at}: it holds times with a time zone.", "Turn them into local dates before."
        )
    rules: tuple[tuple[bool, Callable[[Any], str]], ...] = (
        (is_a.is_boolean(kind), lambda value: "true" if value else "false"),
        (is_a.is_integer(kind), str),
        (is_a.is_float32(kind) or is_a.is_float16(kind), lambda value: _number(float(str(np.float32(value))))),
        (is_a.is_float64(kind), _number),
        (is_a.is_decimal(kind), _decimal),
        (is_a.is_string(kind) or is_a.is_large_string(kind) or is_a.is_string_view(kind), str),
        (is_a.is_date(kind), date.isoformat),
        (is_a.is_timestamp(kind), _moment),
        (is_a.is_null(kind), str),
    )
    found = next((render for fits, render in rules if fits), None)
    if found is None:
        raise InputError(
            f"{path.name}, column {at}: it is nested, binary or of another type that is not taken.",
            "Give texts, numbers, yes/no values or dates, one value a cell.",
        )
    return found


def _number(value: float) -> str:
    if math.isinf(value):
        raise _Unfit("an infinite number")
    return "" if math.isnan(value) else repr(value)


def _decimal(value: Decimal) -> str:
    return format(value, "f")


def _moment(value: datetime) -> str:
    """A date when the time is midnight; else both, which the rules for dates then refuse."""
    return value.date().isoformat() if value.time() == value.min.time() else value.isoformat(sep=" ")
