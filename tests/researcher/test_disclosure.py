"""How exact published numbers are."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngc_workbench.researcher import disclosure

people = st.integers(min_value=50, max_value=1_000_000)


@st.composite
def studied(draw):
    """A number of people, and an allele count with at least LEAST_ALLELES of both alleles."""
    n = draw(people)
    return n, draw(st.integers(disclosure.LEAST_ALLELES, 2 * n - disclosure.LEAST_ALLELES))


@given(people)
def test_one_step_of_a_frequency_is_worth_ten_alleles(n):
    """A published frequency never tells an allele count from its neighbours: a step is 10 to 25 alleles wide."""
    assert 2 * disclosure.SMALL - 1e-6 <= float(disclosure.step(n)) * 2 * n <= 5 * disclosure.SMALL + 1e-6


@given(studied())
def test_most_counts_share_their_frequency_with_four_others(case):
    """Every published frequency stands for at least five allele counts."""
    n, count = case
    shown = disclosure.frequency(count / (2 * n), n)
    nearby = range(max(disclosure.LEAST_ALLELES, count - 30), min(2 * n - disclosure.LEAST_ALLELES, count + 30) + 1)
    assert sum(disclosure.frequency(other / (2 * n), n) == shown for other in nearby) >= disclosure.SMALL


@given(studied())
def test_rounding_makes_no_variant_look_rarer_than_the_floor(case):
    """Whoever multiplies a published frequency with the people finds no count below the floor, at either end."""
    n, count = case
    shown = disclosure.frequency(count / (2 * n), n)
    assert disclosure.LEAST_ALLELES <= shown * 2 * n <= 2 * n - disclosure.LEAST_ALLELES


@given(studied())
def test_a_published_frequency_is_near_the_true_one(case):
    """Rounding moves a frequency by at most one step."""
    n, count = case
    exact = count / (2 * n)
    assert abs(float(disclosure.frequency(exact, n)) - exact) <= float(disclosure.step(n)) * (1 + 1e-9)


@pytest.mark.parametrize(("n", "shown"), [(0, 0), (4, 0), (5, 5), (2504, 2500), (60_000, 60_000)])
def test_numbers_of_people_are_rounded_down(n, shown):
    """Numbers of people are multiples of five, never more than there are."""
    assert disclosure.people(n) == shown


def test_the_step_is_a_round_number():
    """A frequency of 2,504 people has steps of 0.002."""
    assert disclosure.step(2504) == Decimal("0.002")


def test_nobody_has_no_frequency():
    """Without people there is no step."""
    with pytest.raises(ValueError, match="people"):
        disclosure.step(0)
