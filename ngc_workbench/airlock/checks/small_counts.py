"""Counts of few people: 1 up to the threshold, in columns that count people, alleles or carriers, and in cross tables.

The default threshold, 5, is Genomics England's and FinnGen's. A zero may stand. Cases and controls of association tables are
held to the same number, there with the zero included: a test on nobody is no result (FinnGen's rule of 5 cases and 5 controls).
A table of at most 500 rows whose columns but the first are all whole numbers reads as a cross table: which of its numbers count
people can't be told from names like "male", so a small one goes to a person.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from ngc_workbench.airlock.checks import columns
from ngc_workbench.airlock.checks.finding import Finding, Place, Severity, Text, at_places
from ngc_workbench.airlock.checks.subject import Context, Subject
from ngc_workbench.airlock.checks.tables import Table

_CROSS_ROWS = 500
_IN_TEXT = re.compile(
    r"\b(?:n|cases?|controls?|count|antal|patients?|people|persons?|carriers?)\s*[=:]\s*(\d+)(?![\d.,]*\d)",
    re.IGNORECASE,
)
_LIST = re.compile(r"-?\d+(?:\.\d+)?")

_REMEDY = Text(
    "Leave the row out, merge groups, or write “<5”.", "Udelad rækken, slå grupper sammen, eller skriv “<5”."
)


def numbers(cell: str) -> list[float]:
    """The numbers in a cell: `3`, `3.0` and Hail's `[3, 120]`; empty for anything else."""
    text = cell.strip()
    parts = _LIST.findall(text) if text.startswith("[") and text.endswith("]") else [text]
    try:
        return [float(part) for part in parts]
    except ValueError:
        return []


def whole_numbers(cell: str) -> list[int]:
    """The whole numbers among the cell's numbers; `3.0` is one."""
    return [int(value) for value in numbers(cell) if value.is_integer()]


def check(subject: Subject, context: Context) -> Iterator[Finding]:
    """count.people, count.alleles, count.cases, count.cross_table, count.in_text."""
    table = subject.table
    if table is None or table.delimiter == "":
        # Two lines of prose with as many words each read as a table of blanks.
        yield from _in_text(subject, context)
    if table is None:
        return
    limit = context.small_count
    variants = any(columns.is_variant(name) for name in table.header)

    def small(value: float) -> bool:
        return 0 < value < limit and value.is_integer()

    def rare(value: float) -> bool:
        # Imputed dosages sum to numbers that aren't whole.
        return 0 < value < limit

    def few(value: float) -> bool:
        return 0 <= value < limit

    groups: dict[str, tuple[list[int], Callable[[float], bool], Text]] = {
        "count.cases": (
            [],
            few,
            Text(f"Fewer than {limit} cases or controls.", f"Færre end {limit} syge eller kontroller."),
        ),
        "count.alleles": (
            [],
            rare,
            Text(
                f"An allele or genotype counted in fewer than {limit}.",
                f"En allel eller genotype talt færre end {limit} gange.",
            ),
        ),
        "count.people": (
            [],
            small,
            Text(f"A count of 1 to {limit - 1} people.", f"Et antal på 1 til {limit - 1} personer."),
        ),
    }
    for index, name in enumerate(table.header):
        if rule := _rule(name, variants):
            groups[rule][0].append(index)
    told = False
    for rule, (indices, is_small, text) in groups.items():
        if indices:
            told = True
            yield from _places(rule, "block", text, table, indices, is_small)
    if not told and not variants and (indices := _cross_table(table)):
        text = Text(
            f"A number of 1 to {limit - 1} in a cross table: it may count people.",
            f"Et tal på 1 til {limit - 1} i en krydstabel: det kan være et antal personer.",
        )
        yield from _places("count.cross_table", "warn", text, table, indices, small)


def _rule(name: str, variants: bool) -> str:
    """The rule for a column of that name; empty when it counts nothing that we know of."""
    if variants and columns.case_or_control(name):
        return "count.cases"
    if columns.is_allele_count(name):
        return "count.alleles"
    return "count.people" if columns.is_people_count(name) else ""


def _places(
    rule: str, severity: Severity, text: Text, table: Table, indices: list[int], is_small: Callable[[float], bool]
) -> Iterator[Finding]:
    found = (
        Place(line, table.header[index])
        for line, cells in table.rows()
        for index in indices
        if index < len(cells) and any(is_small(value) for value in numbers(cells[index]))
    )
    yield from at_places(rule, severity, text, _REMEDY, found)


def _cross_table(table: Table) -> list[int]:
    """Indices of the number columns when the table is a cross table, else none."""
    if any(columns.is_person(name) for name in table.header):
        return []  # `people_rows` speaks about such a table
    indices = list(range(1, len(table.header)))
    for count, (_, cells) in enumerate(table.rows()):
        if count >= _CROSS_ROWS:
            return []
        if any(cell.strip() and not whole_numbers(cell) for cell in cells[1:]):
            return []
    return indices


def _in_text(subject: Subject, context: Context) -> Iterator[Finding]:
    if subject.text is None or subject.kind.family == "closed":
        return
    found = (
        subject.place(*match.span())
        for match in _IN_TEXT.finditer(subject.text)
        if 0 < int(match.group(1)[:9]) < context.small_count
    )
    text = Text(
        f"The text gives a count of 1 to {context.small_count - 1}.",
        f"Teksten nævner et antal på 1 til {context.small_count - 1}.",
    )
    yield from at_places("count.in_text", "warn", text, _REMEDY, found)
