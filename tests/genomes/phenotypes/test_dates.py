"""Dates: read, ages, shifts."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngc_workbench.genomes.phenotypes.dates import (
    FORMS,
    LATEST,
    age_in_tenths,
    birth_date,
    parse_date,
    shift_days,
    shifted,
)

DAYS = st.dates(date(1850, 1, 1), LATEST)
KEY, OTHER = b"k" * 32, b"o" * 32


@pytest.mark.parametrize(
    ("year", "sevenths"),
    [
        (1858, "58:5 58:8"),
        (1899, "99:5 99:8"),
        (1900, "00:0 00:3"),
        (1936, "36:0 36:3"),
        (1937, "37:0 37:3 37:4 37:9"),
        (1957, "57:3 57:4 57:9"),
        (1999, "99:0 99:3 99:4 99:9"),
        (2000, "00:4 00:5 00:8 00:9"),
        (2036, "36:4 36:5 36:8 36:9"),
        (2037, "37:5 37:8"),
        (2057, "57:5 57:8"),
    ],
)
def test_the_seventh_digit_tells_the_century(year, sevenths):
    """At the edges of each range of the rule; with administrative numbers, which no living person has."""
    for pair in sevenths.split():
        two, seventh = pair.split(":")
        assert birth_date(f"6102{two}{seventh}234") == date(year, 2, 1)
        assert birth_date(f"0102{two}{seventh}234") == date(year, 2, 1)


def test_days_that_the_calendar_does_not_have_tell_nothing():
    """31 February, and 29 February of a year that has none."""
    assert birth_date("9102701234") is None
    assert birth_date("8902701234") is None
    assert birth_date("8902721234") == date(1972, 2, 29)


@given(DAYS, st.sampled_from(sorted(FORMS)))
def test_each_form_reads_what_it_writes(day, form):
    """And ISO is read beside it."""
    written = form.replace("YYYY", f"{day.year:04}").replace("MM", f"{day.month:02}").replace("DD", f"{day.day:02}")
    assert parse_date(written, form) == day
    assert parse_date(day.isoformat(), form) == day


@pytest.mark.parametrize(
    "text", ["2020-13-01", "2020-02-30", "2020-1-1", "20200101", "0000-01-01", "\uff12020-01-01", ""]
)
def test_other_texts_are_no_dates(text):
    """Digits are ASCII's, and the day exists."""
    assert parse_date(text) is None


@given(DAYS, DAYS)
def test_ages_count_birthdays(born, on):
    """Whole years as everybody counts them; tenths never reach the next birthday, and never fall with time."""
    years = 0
    if on >= born:
        while True:
            try:
                birthday = born.replace(year=born.year + years + 1)
            except ValueError:
                birthday = date(born.year + years + 1, 3, 1)
            if birthday > on:
                break
            years += 1
        assert age_in_tenths(born, on) // 10 == years
    else:
        assert age_in_tenths(born, on) < 0
    assert age_in_tenths(born, on) <= age_in_tenths(born, on + timedelta(1))


def test_tenths_part_the_year():
    """The day before the birthday is 0.9, whether or not the year has a 29 February."""
    assert age_in_tenths(date(2000, 2, 29), date(2001, 2, 28)) == 9
    assert age_in_tenths(date(2000, 2, 29), date(2001, 3, 1)) == 10
    assert age_in_tenths(date(2000, 2, 29), date(2004, 2, 28)) == 39
    assert age_in_tenths(date(2000, 2, 29), date(2004, 2, 29)) == 40
    assert age_in_tenths(date(2000, 1, 1), date(2000, 7, 2)) == 5
    assert age_in_tenths(date(2000, 1, 1), date(2000, 7, 1)) == 4


@given(DAYS, DAYS, st.text(min_size=1))
def test_intervals_within_a_person_stay_exact(first, second, person):
    """All dates of a person move by the same number of days, never by none."""
    days = shift_days(KEY, person)
    moved = [date.fromisoformat(shifted(day.isoformat(), days)) for day in (first, second)]
    assert moved[1] - moved[0] == second - first
    assert moved[0] != first
    assert abs((moved[0] - first).days) <= 182


def test_offsets_are_spread_evenly_and_unrelated_between_projects():
    """Each of the 364 comes up; two keys agree as often as chance has it."""
    people = [f"ngci{number:024x}" for number in range(36_400)]
    one, two = ([shift_days(key, person) for person in people] for key in (KEY, OTHER))
    counts = Counter(one)
    assert set(counts) == {*range(-182, 0), *range(1, 183)}
    assert min(counts.values()) > 50
    assert max(counts.values()) < 160
    assert sum(a == b for a, b in zip(one, two, strict=True)) < 200
    assert abs(sum(a * b for a, b in zip(one, two, strict=True)) / len(people)) < 250
    assert one == [shift_days(KEY, person) for person in people]


def test_a_short_key_is_refused():
    """It could be guessed."""
    with pytest.raises(ValueError, match="16 bytes"):
        shift_days(b"k" * 15, "x")
