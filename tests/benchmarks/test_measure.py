"""Taking turns, medians, and the file of results."""

from __future__ import annotations

import json

from tests.benchmarks.measure import Figure, Ratio, in_turn, table, write


async def test_sides_take_turns_and_the_first_pair_does_not_count():
    """Each side begins half of the pairs; the warm-up's seconds are in no result."""
    order = []

    async def ours():
        order.append("ours")
        return 2.0 if len(order) > 2 else 50.0

    async def theirs():
        order.append("peer")
        return 4.0 if len(order) > 2 else 50.0

    ratio = await in_turn("a", "b", "c", ours, theirs, runs=2, say=lambda _: None)
    assert order == ["peer", "ours", "ours", "peer", "peer", "ours"]
    assert (ratio.ours, ratio.theirs, ratio.value) == ((2.0, 2.0), (4.0, 4.0), 0.5)


def test_one_slow_run_does_not_decide():
    """The ratio is that of medians."""
    assert Ratio("a", "", "", (1.0, 1.0, 90.0), (2.0, 2.0, 2.0)).value == 0.5


def test_other_parts_results_stay(tmp_path):
    """Measuring one part keeps the others' figures."""
    path = tmp_path / "build" / "bench.json"
    write([Ratio("a", "x", "p", (1.0,), (2.0,))], path)
    write([Ratio("b", "x", "p", (1.0,), (1.0,))], path)
    found = json.loads(path.read_text())
    assert found["a"]["value"] == 0.5
    assert found["b"] == {"value": 1.0, "unit": "ratio", "peer": "p", "what": "x", "ours_s": [1.0], "peer_s": [1.0]}
    assert "0.50" in table([Ratio("a", "x", "p", (1.0,), (2.0,))])


def test_figures_of_other_kinds_stand_beside_ratios(tmp_path):
    """A share of bytes has its value, its peer and what was seen in the file, and a line in the table."""
    share = Figure("s", "bytes", "the cohort", 1.0449, "21 MB", "20 MB", {"bytes": 21})
    path = tmp_path / "bench.json"
    write([share, Ratio("a", "x", "p", (1.0,), (2.0,))], path)
    found = json.loads(path.read_text())["s"]
    assert found == {"value": 1.0449, "unit": "ratio", "peer": "the cohort", "what": "bytes", "bytes": 21}
    assert [line.split()[0] for line in table([share, Ratio("a", "x", "p", (1.0,), (2.0,))]).splitlines()] == [
        "measure", "s", "a",
    ]  # fmt: skip
