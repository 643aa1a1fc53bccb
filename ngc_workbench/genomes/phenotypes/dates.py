"""Dates of register data: read, turned into ages, or shifted for each person.

A shift is one offset for all dates of a person within a project, so that intervals stay exact. It hides the calendar,
not the pattern: whoever knows one true date of a person and finds it among the shifted ones knows the others.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import date, timedelta

EARLIEST = date(1850, 1, 1)
LATEST = date(2100, 12, 31)
"""Outside of these a date is a typing error or a stand-in such as 9999-12-31."""

MOST_SHIFT = 182
"""Days, either way: half a year, so that not even the season is left."""

FORMS = {
    "YYYY-MM-DD": re.compile(r"(?P<y>[0-9]{4})-(?P<m>[0-9]{2})-(?P<d>[0-9]{2})"),
    "DD-MM-YYYY": re.compile(r"(?P<d>[0-9]{2})-(?P<m>[0-9]{2})-(?P<y>[0-9]{4})"),
    "DD/MM/YYYY": re.compile(r"(?P<d>[0-9]{2})/(?P<m>[0-9]{2})/(?P<y>[0-9]{4})"),
    "DD.MM.YYYY": re.compile(r"(?P<d>[0-9]{2})\.(?P<m>[0-9]{2})\.(?P<y>[0-9]{4})"),
    "YYYYMMDD": re.compile(r"(?P<y>[0-9]{4})(?P<m>[0-9]{2})(?P<d>[0-9]{2})"),
}
"""How a date may be written. ISO is always read; a schema can name one other form for a column."""

ISO = "YYYY-MM-DD"


def parse_date(text: str, form: str = ISO) -> date | None:
    """The day that a text gives, in ISO or in `form` (a key of FORMS); None when it gives none."""
    found = FORMS[ISO].fullmatch(text) or FORMS[form].fullmatch(text)
    if found is None:
        return None
    return _day(int(found["y"]), int(found["m"]), int(found["d"]))


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def birth_date(cpr: str) -> date | None:
    """The day of birth that a CPR number of ten digits tells; None when its first six are no day of the calendar.

    The century follows from digit 7 and the year: 0 to 3 is 19xx; 4 and 9 are 20xx up to year 36, else 19xx; 5 to 8
    are 20xx up to year 57, else 18xx (CPR-kontoret, `Personnummeret i CPR-systemet`,
    https://www.cpr.dk/cpr-systemet/opbygning-af-cpr-nummeret). An administrative number has 60 added to the day.
    """
    day, month, year, seventh = int(cpr[:2]), int(cpr[2:4]), int(cpr[4:6]), int(cpr[6])
    if seventh <= 3:
        century = 1900
    elif seventh in (4, 9):
        century = 2000 if year <= 36 else 1900
    else:
        century = 2000 if year <= 57 else 1800
    return _day(century + year, month, day - 60 if day > 60 else day)


def age_in_tenths(born: date, on: date) -> int:
    """The age on a day in tenths of years, rounded down; negative before birth.

    Whole years count birthdays (that of 29 February is 1 March in other years); tenths part the time between two.
    """
    years = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
    last, following = _birthday(born, born.year + years), _birthday(born, born.year + years + 1)
    return 10 * years + 10 * (on - last).days // (following - last).days


def _birthday(born: date, year: int) -> date:
    return _day(year, born.month, born.day) or date(year, 3, 1)


def shift_days(key: bytes, internal_id: str) -> int:
    """By how many days a person's dates are shifted under a project's key: -182 to 182, never 0.

    HMAC-SHA-256 of the internal id; reducing 256 bits modulo 364 leaves no bias that anything could measure.

    Raises ValueError when the key has less than 128 bits.
    """
    if len(key) < 16:
        raise ValueError("A key for shifting dates has at least 16 bytes.")
    drawn = int.from_bytes(hmac.new(key, b"shift of dates\0" + internal_id.encode(), hashlib.sha256).digest())
    offset = drawn % (2 * MOST_SHIFT) - MOST_SHIFT
    return offset if offset < 0 else offset + 1


def shifted(iso: str, days: int) -> str:
    """A date as ISO text, some days later."""
    return (date.fromisoformat(iso) + timedelta(days=days)).isoformat()
