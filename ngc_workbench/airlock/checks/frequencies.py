"""Allele frequencies exact enough to give a count below the threshold.

A frequency f over N people is a count k = 2·N·f of alleles. Written with d decimals it stands for any number within half of its
last digit, so for the counts between 2·N·(f - h) and 2·N·(f + h), h = 0.5·10^-d. When all of them are
at least one and below the threshold, the reader learns a small count; when some are not, the rounding protects it. The same holds at the other
end, for the other allele. N is the row's own number (`n`, `n_cases` …), else the largest number of people in the
project's views: a smaller N would only make the count smaller.

A sex chromosome has fewer alleles than 2·N, so the count is smaller than computed here: a frequency just above the
threshold on X in men can slip by. A checker sees the chromosome.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from math import ceil, floor

from ngc_workbench.airlock.checks import columns
from ngc_workbench.airlock.checks.finding import Finding, Place, Text, at_places
from ngc_workbench.airlock.checks.small_counts import whole_numbers
from ngc_workbench.airlock.checks.subject import Context, Subject
from ngc_workbench.airlock.checks.tables import Table

_REMEDY = Text(
    "Leave rare variants out (a minor allele count floor), or round the frequency.",
    "Udelad sjældne varianter (sæt en grænse for det mindste allelantal), eller afrund frekvensen.",
)
_HAIR = 1e-9
_EXACT = {"n", "n_samples", "nobs", "n_obs", "obs", "sample_size", "n_total", "total_n", "n_called"}


def counts(written: str, people: int) -> tuple[float, float] | None:
    """Least and greatest count of the rarer allele that a written frequency may stand for; None when it is no frequency."""
    try:
        value = Decimal(written.strip())
    except InvalidOperation:
        return None
    if not value.is_finite() or not 0 <= value <= 1:
        return None
    exponent = value.as_tuple().exponent
    half = 0.5 * 10.0 ** int(exponent)
    rarer = min(float(value), 1 - float(value))
    return max(0.0, 2 * people * (rarer - half)), 2 * people * (rarer + half)


def check(subject: Subject, context: Context) -> Iterator[Finding]:
    """frequency.small_count."""
    table = subject.table
    if table is None:
        return
    found = _small(table, context)
    text = Text(
        f"With the number of people, this frequency gives an allele count below {context.small_count}.",
        f"Sammen med antallet af personer giver frekvensen et allelantal under {context.small_count}.",
    )
    yield from at_places("frequency.small_count", "block", text, _REMEDY, found)


def _small(table: Table, context: Context) -> Iterator[Place]:
    frequencies = {
        index: columns.split_group(name)[1] for index, name in enumerate(table.header) if columns.is_frequency(name)
    }
    if not frequencies:
        return
    sizes: dict[str, int] = {}
    for index, name in enumerate(table.header):
        group = columns.case_or_control(name) or ("" if columns.plain(name) in _EXACT else None)
        if group is not None:
            sizes.setdefault(group, index)
    default = max(context.people, default=0)
    for line, cells in table.rows():
        for index, group in frequencies.items():
            if index >= len(cells):
                continue
            people = _people(cells, sizes.get(group), default)
            span = counts(cells[index], people) if people else None
            # Counts are whole numbers: the least and the greatest one inside the span (a hair is for the arithmetic).
            if span is not None and ceil(span[0] - _HAIR) >= 1 and floor(span[1] + _HAIR) < context.small_count:
                yield Place(line, table.header[index])


def _people(cells: list[str], index: int | None, default: int) -> int:
    if index is not None and index < len(cells) and (values := whole_numbers(cells[index])):
        return values[0]
    return default
