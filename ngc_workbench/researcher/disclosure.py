"""How exact a published number may be, so that it tells nothing about one person.

A table of summary statistics gives for each variant an allele frequency and the number of people. With an
exact frequency f and n people the allele count is 2·n·f, to the last allele: whoever holds two tables of
nearly the same people subtracts them and sees one person's genotype; and whoever holds a person's genome can
test whether that person was in the study (Homer et al., PLoS Genet 4:e1000167, 2008). So variants carried by
few are left out, frequencies are rounded so that at least `2·SMALL` neighbouring counts look the same, and
numbers of people are rounded down to a multiple of `SMALL`.

This helps an honest researcher to pass the review. The review itself stands outside the session and trusts
nothing from here.
"""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, Decimal

SMALL = 5
"""Counts of 1 to 4 may not leave; the workbench's default threshold."""
LEAST_ALLELES = 20
"""Least minor allele count of a variant whose statistics may leave."""


def people(n: int) -> int:
    """`n` people, rounded down to a multiple of SMALL."""
    return n - n % SMALL


def step(n: int) -> Decimal:
    """Width of the grid on which the frequencies of `n` diploid people are given: 1, 2 or 5 in a decimal place.

    One step is worth at least 2·SMALL alleles. `n` must be positive.
    """
    if n <= 0:
        raise ValueError("there must be people")
    least = 2 * SMALL / (2 * n)
    place = Decimal(1).scaleb(math.floor(math.log10(least)))
    return next(place * times for times in (1, 2, 5, 10) if float(place * times) >= least * (1 - 1e-12))


def frequency(value: float, n: int) -> Decimal:
    """An allele frequency of `n` people on the grid of `step(n)`.

    Both alleles of a variant that has LEAST_ALLELES of the rarer one still seem to have as many afterwards.
    """
    grid = step(n)
    on_grid = (Decimal(repr(value)) / grid).to_integral_value() * grid
    least = (Decimal(LEAST_ALLELES) / (2 * n) / grid).to_integral_value(ROUND_CEILING) * grid
    return min(max(on_grid, least), 1 - least) if 2 * least <= 1 else Decimal("0.5")
