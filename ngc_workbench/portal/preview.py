"""A stored file as a checker wants to see it: a page of its rows or lines, with the flagged places marked."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

from ngc_workbench.airlock.checks import Subject

ROWS = 100
"""Rows or lines on a page."""
_CELL = 300
_COLUMNS = 100
_LINE = 2000
_GRAVE = {"info": 0, "warn": 1, "block": 2}


@dataclass(frozen=True)
class Cell:
    """One cell; `flag` is the gravest severity of the findings on it ("" for none), `why` their texts."""

    text: str
    flag: str = ""
    why: str = ""


@dataclass(frozen=True)
class Row:
    """One line of the file: its number (from 1) and its cells (a single one in a text)."""

    number: int
    cells: tuple[Cell, ...]
    flag: str = ""


@dataclass(frozen=True)
class Preview:
    """One page. `start` is the index of its first row (from 0), `total` how many rows the file has."""

    kind: Literal["table", "text", "image", "none"]
    header: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    start: int = 0
    total: int = 0
    hidden_columns: int = 0
    before: int | None = None
    after: int | None = None
    flagged: tuple[int, ...] = field(default=())
    """Indices of the pages' first rows for pages that have a flagged row: where a checker wants to go."""


def preview(name: str, content: bytes, findings: Iterable[dict[str, Any]], start: int, language: str) -> Preview:
    """The page of a file that begins with row `start` (from 0)."""
    subject = Subject(name, content)
    if subject.kind.family == "image":
        return Preview("image")
    if subject.text is None or subject.kind.family == "closed":
        return Preview("none")
    marks = _marks(findings, language)
    if subject.table is None or subject.table.skipped:
        # Lines before a table's header are part of the file too, and a checker must see all of it.
        lines = subject.text.splitlines()
        rows = [
            Row(number, (_cell(line, marks, number, None),))
            for number, line in islice(enumerate(lines, 1), start, start + ROWS)
        ]
        return _page(
            "text", (), rows, start, len(lines), marks, {number: number - 1 for number in range(1, len(lines) + 1)}
        )
    header = subject.table.header
    rows = []
    total = 0
    indices: dict[int, int] = {}
    try:
        for line, cells in subject.table.rows():
            if line in marks:
                indices[line] = total
            if start <= total < start + ROWS:
                named = zip(cells[:_COLUMNS], [*header, *([""] * len(cells))], strict=False)
                rows.append(
                    Row(line, tuple(_cell(cell, marks, line, column) for cell, column in named), _row_flag(marks, line))
                )
            total += 1
    except csv.Error:
        pass  # what could be read is shown; the checks have blocked such a file
    page = _page("table", header[:_COLUMNS], rows, start, total, marks, indices)
    return page if len(header) <= _COLUMNS else Preview(**{**vars(page), "hidden_columns": len(header) - _COLUMNS})


_Marks = dict[int, list[tuple[str, str, str]]]


def _marks(findings: Iterable[dict[str, Any]], language: str) -> _Marks:
    """Line to (column, severity, text) of the findings there."""
    marks: _Marks = {}
    for finding in findings:
        if finding.get("row"):
            marks.setdefault(int(finding["row"]), []).append(
                (finding["column"], finding["severity"], finding["text"][language])
            )
    return marks


def _cell(text: str, marks: _Marks, line: int, column: str | None) -> Cell:
    longest = _LINE if column is None else _CELL
    shown = text if len(text) <= longest else f"{text[:longest]} … (+{len(text) - longest})"
    here = [mark for mark in marks.get(line, []) if column is None or mark[0] == column]
    if not here:
        return Cell(shown)
    gravest = max(here, key=lambda mark: _GRAVE[mark[1]])[1]
    return Cell(shown, gravest, " ".join(mark[2] for mark in here))


def _row_flag(marks: _Marks, line: int) -> str:
    here = marks.get(line, [])
    return max(here, key=lambda mark: _GRAVE[mark[1]])[1] if here else ""


def _page(
    kind: Literal["table", "text"],
    header: tuple[str, ...],
    rows: list[Row],
    start: int,
    total: int,
    marks: _Marks,
    indices: dict[int, int],
) -> Preview:
    pages = sorted({indices[line] // ROWS * ROWS for line in marks if line in indices})
    return Preview(
        kind, header, tuple(rows), start, total,
        before=max(0, start - ROWS) if start > 0 else None,
        after=start + ROWS if start + ROWS < total else None,
        flagged=tuple(pages),
    )  # fmt: skip
