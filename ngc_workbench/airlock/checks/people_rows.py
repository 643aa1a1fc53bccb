"""One row (or one column) a person: what must never leave, whatever the ids look like."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ngc_workbench.airlock.checks import columns
from ngc_workbench.airlock.checks.finding import Finding, Place, Text
from ngc_workbench.airlock.checks.subject import Context, Subject
from ngc_workbench.airlock.checks.tables import Table

_SUMMARY = Text(
    "Export sums over people (counts, means, effect sizes), not rows of people.",
    "Eksportér tal for grupper (antal, gennemsnit, effekter), ikke rækker for personer.",
)
_GENOTYPE = re.compile(r"[0-9.][/|][0-9.]")
_FEW_ROWS = 20
_LOOKED_AT = 1000  # rows in which genotypes are looked for


@dataclass(frozen=True)
class _Shape:
    """What one pass over a table saw: rows, the column of ids (or None), and the first genotype's place (or None)."""

    rows: int
    ids: str | None
    variants: bool
    genotype: Place | None


def _look(table: Table) -> _Shape:
    rows = 0
    named = [index for index, name in enumerate(table.header) if columns.is_person(name)]
    distinct: dict[int, set[str]] = {index: set() for index in named}
    genotype: Place | None = None
    for line, cells in table.rows():
        rows += 1
        for index in named:
            if index < len(cells):
                distinct[index].add(cells[index])
        if genotype is None and rows <= _LOOKED_AT:
            hit = next((index for index, cell in enumerate(cells) if _GENOTYPE.match(cell)), None)
            if hit is not None:
                genotype = Place(line, table.header[hit] if hit < len(table.header) else "")
    ids = next((table.header[index] for index in named if rows > 1 and len(distinct[index]) >= 0.9 * rows), None)
    return _Shape(rows, ids, any(columns.is_variant(name) for name in table.header), genotype)


def check(subject: Subject, context: Context) -> Iterator[Finding]:
    """person.rows, person.maybe_rows, person.columns, person.genotypes."""
    table = subject.table
    if table is None:
        return
    shape = _look(table)
    yield from _rows(shape, context)
    width = len(table.header)
    if any(0 <= width - people <= 10 for people in context.people if people > _FEW_ROWS):
        yield Finding(
            "person.columns", "block",
            Text(f"The table has {width} columns, as many as there are people in the project.", f"Tabellen har {width} kolonner, lige så mange, som der er personer i projektet."),
            _SUMMARY,
        )  # fmt: skip
    if shape.genotype is not None:
        yield Finding(
            "person.genotypes", "block",
            Text("Genotypes of single people stand in the table.", "Tabellen indeholder enkelte personers genotyper."),
            _SUMMARY, shape.genotype.row, shape.genotype.column,
        )  # fmt: skip


def _rows(shape: _Shape, context: Context) -> Iterator[Finding]:
    rows = shape.rows
    as_many = rows in context.people
    if shape.variants:
        if as_many:
            yield Finding(
                "person.maybe_rows", "warn",
                Text(f"The table has {rows} rows of variants, exactly as many as there are people in the project.", f"Tabellen har {rows} rækker med varianter, nøjagtig lige så mange, som der er personer i projektet."),
                Text("The checker makes sure that the rows are variants.", "Kontrollanten sikrer sig, at rækkerne er varianter."),
            )  # fmt: skip
    elif as_many:
        yield Finding(
            "person.rows", "block",
            Text(f"The table has {rows} rows, exactly as many as there are people in the project.", f"Tabellen har {rows} rækker, nøjagtig lige så mange, som der er personer i projektet."),
            _SUMMARY, None, shape.ids or "",
        )  # fmt: skip
    elif shape.ids is not None and rows >= _FEW_ROWS:
        yield Finding(
            "person.rows", "block",
            Text(f"The table has {rows} rows and a different id in each: it reads as one row a person.", f"Tabellen har {rows} rækker og et nyt id i hver: den ligner en række for hver person."),
            Text("Export sums over people; if the rows aren't people, name the column for what it holds.", "Eksportér tal for grupper; er rækkerne ikke personer, så giv kolonnen et navn, der siger det."),
            None, shape.ids,
        )  # fmt: skip
