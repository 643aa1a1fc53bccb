"""Phenotype tables: read, joined to people, typed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ngc_workbench.errors import InputError
from ngc_workbench.genomes.phenotypes.checking import check
from ngc_workbench.genomes.phenotypes.faults import Faults
from ngc_workbench.genomes.phenotypes.guessing import guess
from ngc_workbench.genomes.phenotypes.names import find_ids
from ngc_workbench.genomes.phenotypes.schema import Schema
from ngc_workbench.genomes.phenotypes.sources import Source, read_source
from ngc_workbench.genomes.phenotypes.values import MISSING, Column, Value
from ngc_workbench.pseudonyms import normalise_cpr


@dataclass(frozen=True)
class Row:
    """One row of the table: its number in the file, whom it is about (at least one of the three) and the values."""

    line: int
    sample: str | None
    cpr: str | None
    values: tuple[Value, ...]
    internal_id: str | None = None


@dataclass(frozen=True)
class Table:
    """A phenotype table as read; each row has one value a column."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


def read_table(path: Path, samples: Iterable[str], schema: Schema | None = None) -> Table:
    """Reads a table (.csv, .tsv, .txt, .parquet) of one row a person. `samples` are the names in the genomes' files.

    A row says whom it is about in a column `sample` (or `sample_id`, `iid`), `cpr` or `internal_id`. With a schema each
    column must be declared and each cell fit; without one types are guessed, and dates and free text refused.

    Raises InputError with file, row, column and remedy, never with a value of the table.
    """
    source = read_source(path)
    taken = frozenset(samples)
    ids = find_ids(source)
    faults = Faults(source)
    people = _people(source, ids, faults)
    if schema is None:
        # Who the rows are about comes first: a fault there says that the table is not what it should be.
        faults.refuse()
        places = [at for at in range(len(source.header)) if at not in ids.values()]
        columns, values = guess(source, places, taken)
    else:
        columns, values = check(source, schema, ids, people["cpr"], taken, faults)
        faults.refuse()
    rows = (
        Row(
            line=number,
            sample=people["sample"][at],
            cpr=people["cpr"][at],
            internal_id=people["internal_id"][at],
            values=tuple(column[at] for column in values),
        )
        for at, number in enumerate(source.numbers)
    )
    return Table(tuple(columns), tuple(rows))


def _people(source: Source, ids: Mapping[str, int], faults: Faults) -> dict[str, Sequence[str | None]]:
    """Whom each row is about, by kind of id; None where a row doesn't say."""
    found: dict[str, Sequence[str | None]] = {}
    malformed: set[int] = set()
    for what in ("sample", "cpr", "internal_id"):
        at = ids.get(what)
        if at is None:
            found[what] = (None,) * len(source.numbers)
            continue
        people = [None if text in MISSING else text for text in source.columns[at]]
        if what == "cpr":
            people = _cprs(source, at, people, faults, malformed)
        found[what] = people
        seen: dict[str, int] = {}
        for number, person in zip(source.numbers, people, strict=True):
            if person is None:
                continue
            if person in seen:
                same = f"{source.word}s {seen[person]} and {number} are about the same {what}: keep one row a person"
                faults.add(number, at, what, same)
            seen.setdefault(person, number)
    for row, number in enumerate(source.numbers):
        if row not in malformed and all(people[row] is None for people in found.values()):
            faults.add(number, min(ids.values()), next(iter(ids)), "the row names nobody")
    return found


def _cprs(
    source: Source, at: int, people: Sequence[str | None], faults: Faults, malformed: set[int]
) -> list[str | None]:
    """The ten digits of each CPR number; a malformed one is a fault, and its row's index goes into `malformed`."""
    found: list[str | None] = []
    for row, text in enumerate(people):
        try:
            found.append(None if text is None else normalise_cpr(text))
        except InputError:
            number = source.numbers[row]
            faults.add(number, at, "cpr", "the CPR number is malformed (ten digits, as text: a leading 0 counts)")
            malformed.add(row)
            found.append(None)
    return found
