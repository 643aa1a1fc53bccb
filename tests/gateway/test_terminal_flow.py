"""How much of a terminal's output is shown, and how many terminals there are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngc_workbench.errors import Refused
from ngc_workbench.gateway import terminal_flow
from ngc_workbench.gateway.terminal_flow import BURST, RATE, SOCKETS, TERMINALS, Bucket, Flow, Open

KB = 1024


def piece(size: int) -> str:
    return "x" * (size - 2) + "\r\n"


def test_a_burst_passes_as_it_is() -> None:
    """A listing of a megabyte shows whole, and so does what comes at the bucket's rate for as long as it likes."""
    flow = Flow(Bucket())
    for _ in range(BURST // (64 * KB)):
        assert flow.passes(piece(64 * KB), 64 * KB, 0.0) == piece(64 * KB)
    for second in range(1, 1000):
        assert flow.passes(piece(RATE), RATE, float(second)) == piece(RATE)
    assert flow.cut == 0
    assert flow.settles(2000.0) is None


def test_a_flood_is_cut_with_one_notice_and_its_end_says_how_much() -> None:
    """The first piece too many is answered by a notice, the rest by nothing; the end tells the amount and shows the last lines."""
    flow = Flow(Bucket())
    shown = [flow.passes(piece(4 * KB), 4 * KB, number / 1000) for number in range(2560)]
    full = [text for text in shown if text == piece(4 * KB)]
    assert BURST <= 4 * KB * len(full) <= BURST + 4 * RATE
    [notice] = [text for text in shown if text and text != piece(4 * KB)]
    assert "/outbox" in notice
    assert "release" in notice
    assert shown.index(notice) == len(full)
    assert flow.settles(2.56) is None
    assert flow.settles(2.56 + 0.4) is None
    settled = flow.settles(2.56 + 0.6)
    assert settled is not None
    text, count = settled
    assert count == 4 * KB * (2560 - len(full))
    assert f"{count / KB / KB:.1f} MB of output were cut" in text
    assert text.endswith(piece(4 * KB))
    assert len(text) < 10 * KB
    assert flow.settles(100.0) is None
    assert flow.passes("$ ", 2, 4.0) == "$ "


def test_a_prompt_after_a_flood_is_not_lost() -> None:
    """Small output during a flood does not make it last, and the last line shows when it is over."""
    flow = Flow(Bucket(level=0.0))
    assert "Output stops here" in flow.passes(piece(KB), KB, 0.0)
    for number in range(10):
        assert flow.passes("$ ", 2, number / 20) == ""
    settled = flow.settles(0.6)
    assert settled is not None
    assert settled[0].endswith("$ $ ")


def test_a_flood_that_goes_on_has_no_second_notice() -> None:
    """An hour of it says one thing, and counts all of it."""
    flow = Flow(Bucket())
    said = [flow.passes(piece(100 * KB), 100 * KB, float(second)) for second in range(3600)]
    assert sum("Output stops here" in text for text in said) == 1
    assert flow.settles(3599.0) is None
    assert flow.cut > 3500 * 100 * KB


def test_the_last_lines_begin_where_a_sequence_may_begin() -> None:
    """A cut never leaves half a sequence or half a line."""
    flow = Flow(Bucket(level=0.0))
    flow.passes("y" * 9000 + "\nlast line\r\n\x1b[31m$ ", 1, 0.0)
    settled = flow.settles(1.0)
    assert settled is not None
    assert settled[0].endswith("]\r\nlast line\r\n\x1b[31m$ ")
    flow = Flow(Bucket(level=0.0))
    flow.passes("\x1b[31m" + "y" * 8190, 1, 0.0)
    settled = flow.settles(1.0)
    assert settled is not None
    assert "1m" not in settled[0].partition("follow.]")[2]


def test_connections_to_one_terminal_share_its_bucket() -> None:
    """Opening it twice, or anew, gives no second megabyte."""
    terminals = Open()
    first = terminals.enter("s1", "1")
    first.fill(0.0)
    assert first.take(BURST)
    terminals.leave("s1", "1")
    again = terminals.enter("s1", "1")
    assert not again.take(1000)
    other = terminals.enter("s2", "1")
    assert other.take(BURST)


def test_terminals_of_a_session_are_bounded() -> None:
    """Five at once, each twice at most; one that closes makes room; another session has its own five."""
    terminals = Open()
    for number in range(TERMINALS):
        terminals.check("s1")
        terminals.enter("s1", str(number))
    for name in (None, "new"):
        with pytest.raises(Refused) as refused:
            terminals.check("s1", name)
        assert refused.value.reason == "terminal.too_many"
    terminals.check("s2")
    for _ in range(SOCKETS - 1):
        terminals.enter("s1", "0")
    with pytest.raises(Refused):
        terminals.enter("s1", "0")
    terminals.leave("s1", "1")
    terminals.enter("s1", "new")
    with pytest.raises(Refused):
        terminals.enter("s1", "1")


def test_buckets_that_are_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest is forgotten, not the one in use."""
    monkeypatch.setattr(terminal_flow, "_BUCKETS", 3)
    terminals = Open()
    kept = terminals.enter("s", "a")
    terminals.leave("s", "a")
    for number in range(10):
        terminals.enter("s", str(number))
        terminals.leave("s", str(number))
        assert terminals.enter("s", "a") is kept
        terminals.leave("s", "a")
    assert len(terminals._buckets) == 3
    assert terminals._sockets == {}


@given(st.lists(st.tuples(st.integers(1, 2 * BURST), st.floats(0, 5)), max_size=40))
def test_no_more_is_shown_than_the_bucket_held(pieces: list[tuple[int, float]]) -> None:
    """Whatever comes and when: at most the burst and the rate since, notices and last lines aside; and nothing is lost uncounted."""
    flow, now, shown, cut, total = Flow(Bucket()), 0.0, 0, 0, 0
    for size, pause in pieces:
        now += pause
        if settled := flow.settles(now):
            cut += settled[1]
        total += size
        if flow.passes("y", size, now) == "y":
            shown += size
    assert shown <= BURST + RATE * now
    assert shown + cut + flow.cut == total
