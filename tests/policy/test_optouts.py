"""Who is left out of which release, and what one line of the register's extract does to an entry."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngc_workbench.policy.optouts import (
    Entry,
    Statement,
    age,
    apply,
    day_begins,
    day_is_over,
    ends_by_absence,
    fault,
    is_left_out,
    may_end,
)

TODAY = date(2026, 3, 1)
OUT = datetime(2026, 1, 10, tzinfo=UTC)
BACK = datetime(2026, 2, 10, tzinfo=UTC)
DAYS = st.dates(date(2010, 1, 1), TODAY)
STATEMENTS = st.builds(Statement, st.booleans(), DAYS, st.sampled_from(["self", "guardian"]))


@pytest.mark.parametrize(
    ("ended", "created", "out"),
    [
        (None, OUT - timedelta(days=1), True),
        (None, OUT + timedelta(days=1), True),
        (BACK, BACK - timedelta(seconds=1), True),
        (BACK, BACK, False),
        (BACK, BACK + timedelta(days=1), False),
        (OUT - timedelta(days=3), OUT + timedelta(days=1), True),
        (OUT, OUT + timedelta(days=1), True),
    ],
)
def test_a_person_comes_back_with_the_next_release_alone(ended, created, out) -> None:
    """An entry that stands counts for every release; one that ended for those made before; an end before it for nothing."""
    assert is_left_out(recorded=OUT, ended=ended, release_created=created) is out


def test_days_are_danish() -> None:
    """An opt-out counts from the first moment of its day by Danish clocks, a withdrawal from the first after it."""
    assert day_begins(date(2026, 7, 1)) == datetime(2026, 6, 30, 22, tzinfo=UTC)
    assert day_is_over(date(2026, 1, 1)) == datetime(2026, 1, 1, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("born", "day", "years"),
    [
        (date(2011, 3, 1), date(2026, 2, 28), 14),
        (date(2011, 3, 1), date(2026, 3, 1), 15),
        (date(2012, 2, 29), date(2027, 2, 28), 14),
        (date(2012, 2, 29), date(2027, 3, 1), 15),
    ],
)
def test_age_counts_whole_years(born, day, years) -> None:
    """The birthday itself counts; a leap day's child is older on 1 March."""
    assert age(born, day) == years


CHILD, GROWN = date(2015, 1, 1), date(2011, 3, 1)


@pytest.mark.parametrize(
    ("statement", "born", "word"),
    [
        (Statement(True, TODAY, "guardian"), CHILD, ""),
        (Statement(False, TODAY, "guardian"), CHILD, ""),
        (Statement(True, TODAY - timedelta(days=1), "guardian"), GROWN, ""),
        (Statement(True, TODAY, "guardian"), GROWN, "15 or older"),
        (Statement(False, TODAY, "guardian"), GROWN, "15 or older"),
        (Statement(True, TODAY, "guardian"), None, "no date of birth"),
        (Statement(True, TODAY, "self"), None, ""),
        (Statement(True, TODAY, "self"), CHILD, ""),
        (Statement(False, TODAY, "self"), CHILD, "younger than 15"),
        (Statement(False, TODAY, "self"), GROWN, ""),
        (Statement(True, TODAY + timedelta(days=1), "self"), GROWN, "future"),
        (Statement(True, date(2010, 1, 1), "self"), GROWN, "birth"),
    ],
)
def test_impossible_statements_are_named(statement, born, word) -> None:
    """A guardian speaks for a child alone, a child can't take an opt-out back, and no date lies outside a life."""
    said = fault(statement, born, TODAY)
    assert (word in said) if word else (said == "")


@given(st.lists(STATEMENTS, max_size=6))
def test_an_opt_out_always_leaves_an_entry_that_stands(said) -> None:
    """Whatever came before it, and whatever its date."""
    entry = None
    for statement in said:
        entry = apply(entry, statement)
        if statement.opted_out:
            assert entry.stands


@given(STATEMENTS, STATEMENTS, STATEMENTS)
def test_saying_it_twice_changes_nothing(first, second, again) -> None:
    """The last statement may be repeated."""
    entry = apply(apply(apply(None, first), second), again)
    assert apply(entry, again) == entry


def test_a_withdrawal_ends_an_entry_after_its_day() -> None:
    """Unless the opt-out is newer: then it is older news."""
    entry = apply(None, Statement(True, date(2026, 1, 10), "self"))
    assert apply(entry, Statement(False, date(2026, 2, 1), "self")).ended == day_is_over(date(2026, 2, 1))
    assert apply(entry, Statement(False, date(2026, 1, 9), "self")) == entry
    assert not apply(entry, Statement(False, date(2026, 1, 10), "self")).stands


def test_a_withdrawal_from_an_entry_that_was_never_seen_counts_for_earlier_releases() -> None:
    """Who takes something back had said it: they stay out of what was made before."""
    entry = apply(None, Statement(False, date(2026, 2, 1), "self"))
    assert not entry.stands
    assert is_left_out(recorded=entry.recorded, ended=entry.ended, release_created=OUT)
    later = day_is_over(date(2026, 2, 1))
    assert not is_left_out(recorded=entry.recorded, ended=entry.ended, release_created=later)


def test_an_entry_of_a_guardian_becomes_the_persons_own() -> None:
    """When they say it themselves; never the other way."""
    child = apply(None, Statement(True, date(2020, 1, 1), "guardian"))
    own = apply(child, Statement(True, date(2026, 1, 1), "self"))
    assert (child.by, own.by) == ("guardian", "self")
    assert own.recorded == child.recorded
    assert apply(own, Statement(True, date(2020, 1, 1), "guardian")).by == "self"


@pytest.mark.parametrize(
    ("source", "by", "ended", "born", "ends"),
    [
        ("register", "self", None, None, True),
        ("register", "self", BACK, None, False),
        ("command", "self", None, None, False),
        ("register", "guardian", None, CHILD, True),
        ("register", "guardian", None, GROWN, False),
        ("register", "guardian", None, None, False),
    ],
)
def test_absence_ends_the_registers_own_entries(source, by, ended, born, ends) -> None:
    """Not those made by command, and not a guardian's for somebody who is old enough to decide."""
    assert ends_by_absence(Entry(OUT, by, source, ended), born, TODAY) is ends


@pytest.mark.parametrize(
    ("standing", "ending", "confirmed", "reason"),
    [
        (0, 0, False, "optout.few_end"),
        (100, 5, False, "optout.few_end"),
        (100, 6, False, "optout.many_end"),
        (100, 6, True, "optout.end_confirmed"),
        (1, 1, False, "optout.many_end"),
    ],
)
def test_an_extract_that_would_end_many_entries_is_refused(standing, ending, confirmed, reason) -> None:
    """More than one in twenty, unless the custodian confirms it."""
    verdict = may_end(standing=standing, ending=ending, confirmed=confirmed)
    assert verdict.reason == reason
    assert verdict.allowed is (reason != "optout.many_end")
