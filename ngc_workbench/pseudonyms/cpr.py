"""CPR numbers: recognising and normalising them.

DDMMYY-SSSS. The check digit (modulus 11) is not used: numbers without it have been given out since 2007. A day of
61 to 91 (the day plus 60) marks an administrative number, given by a hospital to somebody without one; the invented
people of the demo and the tests have such numbers, so that none of them can be anybody's.
"""

from __future__ import annotations

import re

from ngc_workbench.errors import InputError

_DAY = r"(?:0[1-9]|[12]\d|3[01]|6[1-9]|[78]\d|9[01])"
_MONTH = r"(?:0[1-9]|1[0-2])"
_CPR = re.compile(
    # Neither within a longer run of digits, nor around a decimal point: a p-value is not a person. A comma may part the
    # columns of a table, so a number beside one counts.
    rf"(?<!\d)(?<!\d\.){_DAY}{_MONTH}\d\d(?:[-\u2010-\u2013\u2212 \u00a0]?)\d{{4}}(?!\d)(?!\.\d)"
)


def find_cpr(text: str) -> list[str]:
    """All that reads like a CPR number in a text, as they stand there, in order; with or without a hyphen."""
    return [found.group() for found in _CPR.finditer(text)]


def normalise_cpr(text: str) -> str:
    """The ten digits of a CPR number. Raises InputError (without repeating the number) when it is none."""
    stripped = text.strip()
    if _CPR.fullmatch(stripped) is None:
        raise InputError("That is not a CPR number.", "One has ten digits, DDMMYY-SSSS; the hyphen may be left out.")
    return re.sub(r"\D", "", stripped)
