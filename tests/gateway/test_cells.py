"""How much one cell shows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngc_workbench.gateway import cells
from ngc_workbench.gateway.cells import CELL_LIMIT, PRINT_LIMIT, STRAY_RATE, TRICKLE, Kernel, Kernels

KB = 1024
MB = 1024 * KB


def running(*names: str) -> Kernel:
    kernel = Kernel()
    for name in names:
        kernel.run(name, 0.0)
    return kernel


def test_printed_text_is_cut_at_its_limit_and_stays_cut() -> None:
    """A megabyte passes; of the piece that crosses it what fits; then nothing printed, while figures go on."""
    kernel = running("a")
    for _ in range(15):
        assert kernel.judge("stream", "a", 64 * KB, 0.0).passes
    verdict = kernel.judge("stream", "a", 100 * KB, 0.0)
    assert (verdict.passes, verdict.limit, verdict.room) == (False, "printed", 64 * KB)
    again = kernel.judge("stream", "a", 10, 1000.0)
    assert (again.passes, again.room, again.cut) == (False, 0, verdict.cut)
    assert kernel.is_cut("stream", "a")
    assert not kernel.is_cut("display_data", "a")
    assert kernel.judge("display_data", "a", MB, 0.0).passes
    assert kernel.reports("a") == [("a", "printed", 36 * KB + 10)]
    assert kernel.reports("a") == []
    assert kernel.reports(None) == []


@pytest.mark.parametrize(
    "kind", ["display_data", "update_display_data", "execute_result", "execute_input", "clear_output"]
)
def test_all_outputs_are_cut_at_the_limit_of_a_cell(kind: str) -> None:
    """Loops that update a display or clear it count as well; after the cut nothing of any kind of output passes."""
    kernel = running("a")
    for _ in range(32):
        assert kernel.judge(kind, "a", MB, 0.0).passes
    verdict = kernel.judge(kind, "a", 1, 0.0)
    assert (verdict.passes, verdict.limit, verdict.room) == (False, "shown", 0)
    for output in ("stream", "display_data", "update_display_data", "execute_result", "execute_input", "clear_output"):
        assert kernel.is_cut(output, "a")
        assert kernel.judge(output, "a", 1, 10_000.0).limit == "shown"
    assert kernel.reports("a") == [("a", "shown", 7)]


def test_what_ends_a_cell_has_room_of_its_own_and_no_more() -> None:
    """State, reply and error pass after the cut, up to a megabyte."""
    kernel = running("a")
    assert kernel.judge("display_data", "a", CELL_LIMIT, 0.0).passes
    assert not kernel.judge("display_data", "a", 1, 0.0).passes
    for kind in ("status", "execute_reply", "error", "input_request"):
        assert not kernel.is_cut(kind, "a")
        assert kernel.judge(kind, "a", 256 * KB, 0.0).passes
    assert kernel.judge("status", "a", 1, 0.0).limit == "shown"


def test_printed_text_counts_towards_all_outputs() -> None:
    """What is shown of a cut piece counts too."""
    kernel = running("a")
    kernel.judge("display_data", "a", CELL_LIMIT - PRINT_LIMIT, 0.0)
    assert kernel.judge("stream", "a", PRINT_LIMIT + 1, 0.0).room == PRINT_LIMIT
    assert kernel.judge("display_data", "a", 1, 0.0).limit == "shown"


def test_notices_count_too() -> None:
    """What is said in place of a message takes room."""
    kernel = running("a")
    kernel.add("a", CELL_LIMIT)
    assert not kernel.judge("display_data", "a", 1, 0.0).passes


def test_a_progress_bar_may_run_for_hours() -> None:
    """Two kilobytes a second are never cut; ten times as many are, within minutes."""
    kernel = running("slow", "fast")
    for second in range(4 * 3600):
        assert kernel.judge("stream", "slow", TRICKLE, float(second)).passes
    assert not all(kernel.judge("stream", "fast", 10 * TRICKLE, float(second)).passes for second in range(120))


def test_each_cell_has_its_own_tally() -> None:
    """The next cell starts with nothing; an id that is used twice does not."""
    kernel = running("a")
    kernel.judge("stream", "a", 2 * PRINT_LIMIT, 0.0)
    kernel.run("b", 0.0)
    assert kernel.judge("stream", "b", PRINT_LIMIT, 0.0).passes
    kernel.run("a", 0.0)
    assert kernel.is_cut("stream", "a")


def test_made_up_ids_share_one_tally() -> None:
    """A kernel that writes a new id into each message gains nothing: what answers no cell that was run counts together."""
    kernel = running("a")
    passed = sum(kernel.judge("stream", f"made-up-{number}", 10 * KB, 0.0).passes for number in range(1000))
    assert passed == PRINT_LIMIT // (10 * KB)
    cuts = {kernel.judge("stream", f"other-{number}", 10 * KB, 0.0).cut for number in range(10)}
    assert len(cuts) == 1
    assert kernel.judge("stream", "a", 10 * KB, 0.0).passes
    kernel.run("b", 0.0)
    assert kernel.judge("stream", "made-up", 10 * KB, 0.0).passes
    assert [(name, limit) for name, limit, _ in kernel.reports("b")] == [("", "printed")]


def test_completions_without_a_cell_go_on_at_a_slow_rate() -> None:
    """An afternoon of typing with completions is not cut off for want of a cell that was run."""
    kernel = Kernel()
    for second in range(4 * 3600):
        assert kernel.judge("complete_reply", "c", STRAY_RATE - 1, float(second)).passes


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells and kernels beyond the last ones are forgotten, ids are cut; what was lost is still told."""
    kernel = running("first")
    kernel.judge("stream", "first", 2 * PRINT_LIMIT, 0.0)
    for number in range(1500):
        kernel.run(f"{number}" + "x" * 10_000, 0.0)
    assert len(kernel._running) == 1000
    assert max(map(len, kernel._running)) <= 128
    assert kernel.reports("none") == [("first", "printed", PRINT_LIMIT)]
    for number in range(1000, 1500):
        kernel.reports(f"{number}" + "x" * 10_000)
    assert (len(kernel._running), len(kernel._ended)) == (500, 32)
    for number in range(5000):
        kernel.judge("stream", f"{number}", 2 * PRINT_LIMIT, 0.0)
        kernel.run(f"b{number}", 0.0)
    assert len(kernel._told) <= 1000
    monkeypatch.setattr(cells, "_KERNELS", 2)
    kernels = Kernels()
    kept = kernels.of("s1", "a")
    for number in range(10):
        kernels.of("s1", f"k{number}")
        assert kernels.of("s1", "a") is kept
    assert len(kernels._kernels) == 2
    assert kernels.of("s2", "a") is not kept


def test_all_cells_of_a_notebook_may_be_sent_at_once() -> None:
    """Each has its own tally when its turn comes."""
    kernel = running(*(str(number) for number in range(500)))
    for number in range(500):
        assert kernel.judge("stream", str(number), PRINT_LIMIT, 0.0).passes
        kernel.reports(str(number))


def test_what_a_cell_started_is_counted_after_its_end() -> None:
    """A thread that prints on, or a display that is updated from the next cell, gains nothing by the cell's end."""
    kernel = running("a")
    kernel.judge("stream", "a", PRINT_LIMIT, 0.0)
    kernel.reports("a")
    assert not kernel.judge("stream", "a", 1, 0.0).passes
    kernel.run("b", 0.0)
    assert not kernel.judge("stream", "a", 1, 0.0).passes
    kernel.run("a", 0.0)
    assert not kernel.judge("stream", "a", 1, 0.0).passes
    assert kernel.reports("a") == [("a", "printed", 3)]


KINDS = st.sampled_from(["stream", "display_data", "clear_output", "status", "execute_reply", "error"])


@given(st.lists(st.tuples(KINDS, st.sampled_from("abx"), st.integers(1, 40 * MB)), max_size=60))
def test_no_cell_ever_shows_more_than_its_limit(said: list[tuple[str, str, int]]) -> None:
    """Whatever a kernel says in whatever order; and what did not pass is counted to the byte."""
    kernel = running("a", "b")
    shown: dict[tuple[str, str], int] = {}
    lost = total = 0
    for kind, name, size in said:
        verdict = kernel.judge(kind, name, size, 0.0)
        part = size if verdict.passes else verdict.room
        total, lost = total + size, lost + size - part
        for what in ("all", kind):
            shown[name, what] = shown.get((name, what), 0) + part
    for name in "abx":
        assert shown.get((name, "all"), 0) <= CELL_LIMIT + MB
        assert shown.get((name, "stream"), 0) <= PRINT_LIMIT
        assert sum(shown.get((name, kind), 0) for kind in ("stream", "display_data", "clear_output")) <= CELL_LIMIT
    assert sum(count for _, _, count in kernel.reports(None)) == lost
