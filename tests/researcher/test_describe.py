"""Which counts a summary hides."""

from __future__ import annotations

import pytest

from ngc_workbench.researcher.data import _hidden


@pytest.mark.parametrize(
    ("counts", "hidden"),
    [
        ({"a": 5, "b": 100}, set()),
        ({"a": 3, "b": 497}, {"a", "b"}),
        ({"a": 3, "b": 40, "c": 100}, {"a", "b"}),
        ({"a": 1, "b": 2, "c": 40, "d": 50}, {"a", "b", "c"}),
        ({"a": 3, "b": 4, "c": 40}, {"a", "b"}),
        ({"a": 2}, {"a"}),
    ],
)
def test_a_small_count_cannot_be_worked_out_from_the_others(counts, hidden):
    """Small categories are hidden, with a next one where a difference from all would show them."""
    assert _hidden(counts) == hidden
