"""Thresholds for bytes shown: what counts, which one was passed, and who may start or release."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngc_workbench.errors import InputError
from ngc_workbench.policy import meter
from ngc_workbench.policy.meter import BY_HAND, DAY, HOUR, MEGABYTE, Pause, Reading, Thresholds, Used

SMALL = Thresholds(hour=100, day=500, kinds={"terminal": 10})


@pytest.mark.parametrize(
    ("used", "reason", "kind"),
    [
        (Used(), "meter.within", None),
        (Used(day=100, kinds={"page": 60, "message": 40}), "meter.within", None),
        (Used(day=101, kinds={"page": 60, "message": 41}), HOUR, ""),
        (Used(day=10, kinds={"terminal": 10}), "meter.within", None),
        (Used(day=11, kinds={"terminal": 11}), HOUR, "terminal"),
        (Used(day=500, kinds={}), "meter.within", None),
        (Used(day=501, kinds={"page": 1}), DAY, ""),
        # Of several, the one that was passed furthest: 12 of 10 is more than 101 of 100.
        (Used(day=101, kinds={"terminal": 12, "page": 89}), HOUR, "terminal"),
        (Used(day=5000, kinds={"page": 101}), DAY, ""),
    ],
)
def test_the_threshold_that_was_passed_decides(used: Used, reason: str, kind: str | None) -> None:
    """Exactly a threshold still holds; one byte more does not."""
    decision, passed = meter.judge(used, SMALL), meter.over(used, SMALL)
    assert decision.reason == reason
    assert bool(decision) is (reason == "meter.within")
    assert (passed is None) is bool(decision)
    if passed is not None:
        assert (passed.reason, passed.kind) == (reason, kind)


@given(
    day=st.integers(0, 2000),
    kinds=st.dictionaries(st.sampled_from(["page", "terminal", "message"]), st.integers(0, 300)),
)
def test_no_usage_beyond_a_threshold_is_let_through(day: int, kinds: dict[str, int]) -> None:
    """Whatever the mixture: allowed exactly when the hour, the day and each bounded kind are within."""
    used = Used(day, kinds)
    within = sum(kinds.values()) <= 100 and day <= 500 and kinds.get("terminal", 0) <= 10
    assert bool(meter.judge(used, SMALL)) is within


def test_a_projects_own_thresholds_take_the_place_of_the_installations() -> None:
    """Those that it names; the others stay, kinds one by one."""
    default = Thresholds(1 * MEGABYTE, 2 * MEGABYTE, {"terminal": 3 * MEGABYTE})
    assert meter.thresholds(default, {}) == default
    own = meter.thresholds(default, meter.checked_limits(7, None, {"image/png": 4}))
    assert own == Thresholds(7 * MEGABYTE, 2 * MEGABYTE, {"terminal": 3 * MEGABYTE, "image/png": 4 * MEGABYTE})
    assert meter.thresholds(default, meter.checked_limits(None, 9, {"terminal": 1})) == Thresholds(
        1 * MEGABYTE, 9 * MEGABYTE, {"terminal": 1 * MEGABYTE}
    )


@pytest.mark.parametrize(
    ("hour", "day", "kinds"),
    [(0, None, {}), (-5, None, {}), (None, 0, {}), (None, None, {"terminal": 0}), (10**7, None, {}), (None, None, {"A b": 1})],
)  # fmt: skip
def test_a_threshold_that_is_none_is_refused(hour: int | None, day: int | None, kinds: dict[str, int]) -> None:
    """Zero, negative, absurd, or of a kind that can't be: nothing is stored."""
    with pytest.raises(InputError):
        meter.checked_limits(hour, day, kinds)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("terminal", "terminal"), ("text/plain", "text/plain"), ("image/svg+xml", "image/svg+xml"),
        ("application/vnd.bokehjs_exec.v0+json", "application/vnd.bokehjs_exec.v0+json"),
        ("a" * 40, "a" * 40), ("a" * 41, "other"), ("", "other"), ("Page", "other"), ("x y", "other"), ("a//b", "other"),
        ("x\n", "other"), ("<script>", "other"), ("1a", "other"), ("æble", "other"),
    ],
)  # fmt: skip
def test_kinds_are_short_words_and_media_types(text: str, kind: str) -> None:
    """Anything else is counted under `other`: a name from hostile ground becomes no row of its own."""
    assert meter.kind_of(text) == kind


def test_a_person_is_told_from_four_fifths_on() -> None:
    """Of the nearest threshold, and not before."""
    assert meter.near(Used(day=79, kinds={"page": 79}), SMALL) is None
    assert meter.near(Used(day=80, kinds={"page": 80}), SMALL) == Reading(HOUR, 80, 100)
    assert meter.near(Used(day=400, kinds={"page": 1}), SMALL) == Reading(DAY, 400, 500)
    assert meter.near(Used(day=8, kinds={"terminal": 8}), SMALL) == Reading(HOUR, 8, 10, "terminal")


def test_a_hold_and_a_used_up_allowance_keep_a_session_from_starting() -> None:
    """A pause that was not released counts whatever was shown."""
    assert meter.may_start(held=False, used=Used(), allowed=SMALL)
    assert meter.may_start(held=True, used=Used(), allowed=SMALL).reason == "session.held"
    assert meter.may_start(held=False, used=Used(day=501), allowed=SMALL).reason == DAY


def test_nobody_releases_their_own_session() -> None:
    """Also when they are a security officer."""
    assert meter.may_release("signe", "alma")
    assert meter.may_release("signe", "signe").reason == "session.own"


@pytest.mark.parametrize("text", ["", "ok", "  too  short", "\n\n\n\n\n\n\n\n\n\n\n\n"])
def test_a_reason_says_something(text: str) -> None:
    """Ten characters at least, not counting blanks at its ends."""
    with pytest.raises(InputError):
        meter.reason_given(text.replace("  ", " "))


def test_a_reason_is_one_line() -> None:
    """It is kept without line breaks, and not without end."""
    assert meter.reason_given(" a table\nfor the report ") == "a table for the report"
    assert len(meter.reason_given("word " * 1000)) == 1000


SINCE = datetime(2026, 11, 25, 13, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("pause", "english", "danish"),
    [
        (Pause(HOUR, SINCE, "", 213_400_000, 200_000_000), "in one hour than the project's threshold: 213.4 MB of 200 MB", "i løbet af en time, end projektets grænse tillader: 213,4 MB mod 200 MB"),
        (Pause(DAY, SINCE, "", 1_001_000_000, 1_000_000_000), "in one day", "i løbet af et døgn"),
        (Pause(HOUR, SINCE, "terminal", 6_000_000, 5_000_000), "of the kind terminal", "af slagsen terminal"),
        (Pause(BY_HAND, SINCE, why="to be kept from strangers"), "A security officer paused it", "En sikkerhedsmedarbejder satte den på pause"),
    ],
)  # fmt: skip
def test_a_pause_is_said_in_both_languages(pause: Pause, english: str, danish: str) -> None:
    """Which threshold, since when by Danish clocks, who was told; an officer's own words stay in the portal."""
    what, next_step = meter.said(pause)
    for text, part in ((what, english), (meter.said_in_danish(pause), danish)):
        assert part in text
        assert "14:02 (2026-11-25)" in text
        assert "strangers" not in text
    assert "security officer was told" in next_step
    assert "Sikkerhedsmedarbejderen har fået besked" in meter.said_in_danish(pause)
