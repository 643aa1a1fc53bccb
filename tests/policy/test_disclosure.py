"""Published counts and figures tell nothing about one person."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngc_workbench.policy.disclosure import HIDDEN, SMALL, on_grid, rounded, summary, table

tables = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(0, 60), min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("count", "small", "shown"),
    [
        (0, 5, None),
        (4, 5, None),
        (5, 5, 5),
        (7, 5, 5),
        (8, 5, 10),
        (12, 5, 10),
        (13, 5, 15),
        (10, 10, 10),
        (15, 10, 20),
        (14, 10, 10),
        (9, 10, None),
    ],
)
def test_counts_are_multiples_of_the_threshold_or_hidden(count, small, shown):
    """Below the threshold nothing is shown, from there on the nearest multiple."""
    assert rounded(count, small) == shown


@given(tables, st.integers(2, 12))
def test_no_small_cell_is_shown_and_none_is_hidden_alone(counts, small):
    """With the total known, one hidden cell would be a sum away."""
    shown = table(counts, small)
    assert list(shown) == list(counts)
    for name, value in shown.items():
        if counts[name] < small:
            assert value == SMALL
        elif value != HIDDEN:
            assert value % small == 0
            assert abs(value - counts[name]) <= small / 2
    hidden = [name for name, value in shown.items() if value in (SMALL, HIDDEN)]
    assert len(hidden) != 1 or len(shown) == 1


def test_the_smallest_shown_cell_keeps_a_lone_small_one_company():
    """The least is lost."""
    assert table({"a": 3, "b": 50, "c": 20}, 5) == {"a": SMALL, "b": 50, "c": HIDDEN}
    assert table({"a": 3, "b": 2, "c": 20}, 5) == {"a": SMALL, "b": SMALL, "c": 20}
    assert table({"a": 3, "b": 20}, 5) == {"a": SMALL, "b": HIDDEN}


def test_figures_do_not_show_the_extremes():
    """One value far out changes nothing: neither mean, nor deviation, nor a quantile."""
    values = [float(at) for at in range(100)]
    assert summary([*values[:-1], 1e9], 5) == summary(values, 5)
    assert summary([*values[1:], -1e9], 5).quantiles == summary(values, 5).quantiles


def test_figures_lie_on_a_grid_of_a_tenth_of_the_deviation():
    """Of 1,000 values from 0 to 99.9: 49.95 and its like, to the nearest 5."""
    found = summary([at / 10 for at in range(1000)], 5)
    assert found.step == 5
    assert (found.mean, found.sd) == (50, 30)
    assert found.quantiles == ((0.1, 10), (0.25, 25), (0.5, 50), (0.75, 75), (0.9, 90))


@given(st.lists(st.floats(0, 100), min_size=20, max_size=60))
def test_one_person_moves_the_mean_by_a_tenth_of_a_step_at_most(values):
    """With few people the grid grows coarser."""
    found = summary(values, 5)
    if found is not None:
        ordered = sorted(values)
        assert found.step >= 10 * (ordered[-5] - ordered[4]) / len(values) * (1 - 1e-9)


def test_an_outer_quantile_needs_as_many_people_beyond_it_as_the_threshold():
    """Of 40 people four lie below the first tenth."""
    assert [share for share, _ in summary(range(40), 5).quantiles] == [0.25, 0.5, 0.75]
    assert [share for share, _ in summary(range(50), 5).quantiles] == [0.1, 0.25, 0.5, 0.75, 0.9]


@pytest.mark.parametrize(
    "values", [[], range(19), [3.0] * 50, [3.0] * 46 + [4.0] * 4, [float("nan")] * 50, [float("inf")] * 50]
)
def test_few_values_or_values_all_alike_have_no_figures(values):
    """Neither would hide anybody."""
    assert summary(values, 5) is None


@given(st.lists(st.floats(-1e6, 1e6), min_size=20, max_size=60), st.floats(-1e6, 1e6))
def test_whoever_is_outermost_is_not_in_the_figures(values, other):
    """Moving the greatest value further out changes no figure."""
    ordered = sorted(values)
    if other >= ordered[-1]:
        assert summary([*ordered[:-1], other], 5) == summary(ordered, 5)


@pytest.mark.parametrize(
    ("value", "step", "on"),
    [(0.123, 0.05, 0.1), (7.4, 5, 5), (1234, 100, 1200), (-0.31, 0.2, -0.4), (0.07, 0.02, 0.08)],
)
def test_values_on_a_grid_have_no_binary_noise(value, step, on):
    """What is printed is the multiple itself."""
    assert on_grid(value, step) == pytest.approx(on, abs=step / 1e9)
    assert len(repr(on_grid(value, step))) < 8
