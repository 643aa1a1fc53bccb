"""The day of birth that a CPR number tells."""

from __future__ import annotations

from datetime import date

# Seventh digit: the highest two-digit year of the first century that it can mean, that century, and the other one.
# (The CPR office's table of personal numbers; digits 5 to 8 mean 2000 to 2057, else the nineteenth century.)
_CENTURIES = {
    **dict.fromkeys("0123", (99, 1900, 1900)),
    **dict.fromkeys("49", (36, 2000, 1900)),
    **dict.fromkeys("5678", (57, 2000, 1800)),
}
_SUBSTITUTE = 60


def born(cpr: str) -> date | None:
    """The day of birth in ten digits of a CPR number; None when they hold no day that exists.

    Substitute numbers (day plus 60) tell it in the same way.
    """
    day, month, year = int(cpr[:2]), int(cpr[2:4]), int(cpr[4:6])
    last, first, other = _CENTURIES[cpr[6]]
    try:
        return date((first if year <= last else other) + year, month, day % _SUBSTITUTE)
    except ValueError:
        return None
