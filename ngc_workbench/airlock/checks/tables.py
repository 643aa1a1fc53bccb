"""Reads delimited text: comma, semicolon, tab or runs of blanks; with or without a header.

The text is held once; rows are read through again for each check rather than kept, since a table of a million rows as
Python lists takes ten times the memory of its file.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

_DELIMITERS = ("\t", ",", ";", "")
_SAMPLE = 100
# As long a cell as the longest file: a hostile cell must not stop the reader.
csv.field_size_limit(1 << 30)


@dataclass(frozen=True)
class Table:
    """A table. `delimiter` "" stands for runs of blanks; `skipped` lines precede the header (comments).

    `header` has a name for each column; columns without one are called `column 1`, `column 2` …
    """

    header: tuple[str, ...]
    delimiter: str
    text: str
    skipped: int
    has_header: bool

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """(line in the file, cells) of each row below the header; empty lines are passed over."""
        for line, cells in _read(self.text, self.delimiter, self.skipped):
            if cells and not (self.has_header and line <= self.skipped + 1):
                yield line, cells

    def column_at(self, line: str, offset: int) -> str:
        """Name of the column in which character `offset` of that line lies."""
        before = line[:offset]
        if self.delimiter:
            read = next(csv.reader([before], delimiter=self.delimiter), [""])
            index = max(0, len(read) - 1)
        else:
            index = len(before.split()) if not before or before[-1].isspace() else len(before.split()) - 1
        return self.header[index] if index < len(self.header) else f"column {index + 1}"


def _read(text: str, delimiter: str, skipped: int) -> Iterator[tuple[int, list[str]]]:
    lines = io.StringIO(text, newline="")
    for _ in range(skipped):
        lines.readline()
    if delimiter:
        reader = csv.reader(lines, delimiter=delimiter)
        for cells in reader:
            yield skipped + reader.line_num, cells
    else:
        for number, line in enumerate(lines, start=skipped + 1):
            yield number, line.split()


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def read(text: str) -> Table | None:
    """The text as a table; None when it is not one (fewer than two lines, or lines of different shapes)."""
    skipped = 0
    lines = text[:200_000].splitlines()
    while skipped < len(lines) and lines[skipped].startswith("##"):
        skipped += 1
    body = lines[skipped : skipped + _SAMPLE]
    if len([line for line in body if line.strip()]) < 2:
        return None
    for delimiter in _DELIMITERS:
        sample = [cells for _, cells in _read("\n".join(lines[: skipped + _SAMPLE]), delimiter, skipped) if cells]
        if not sample:
            continue
        width = len(sample[0])
        # PLINK and R leave the first header cell out; so one more is allowed below the header.
        alike = sum(len(cells) in (width, width + 1) for cells in sample[1:])
        if delimiter == "" and len({len(cells) for cells in sample[1:]}) > 1:
            continue  # lines of prose have different numbers of words
        single = width == 1 and delimiter == "" and all(len(cells) == 1 for cells in sample)
        if (width >= 2 and alike >= 0.9 * (len(sample) - 1)) or single:
            names = sample[0]
            has_header = not any(_is_number(cell) for cell in names) and any(cell.strip() for cell in names)
            most = max(len(cells) for cells in sample)
            if has_header and most == width + 1 and all(len(cells) == most for cells in sample[1:]):
                names = ["", *names]
            header = tuple(
                (name.strip() if has_header else "") or f"column {index + 1}" for index, name in enumerate(names)
            )
            return Table(header, delimiter, text, skipped, has_header)
    return None
