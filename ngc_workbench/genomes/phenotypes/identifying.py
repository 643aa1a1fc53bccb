"""What could name a person, and is therefore not taken into a release, whatever a schema says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ngc_workbench.pseudonyms import find_cpr, find_pseudonyms

FEW_ROWS = 20
"""Up to this many rows a column may have another value in each without being taken for an identifier."""

_INTERNAL_ID = re.compile(r"ngci[0-9a-f]{24}")
# Line breaks and tabs would shift a table's cells; the marks that turn the direction of writing hide what is there.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_SHORT = 6
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]{1,3})?")


def fault(text: str) -> tuple[str, str] | None:
    """What is wrong with a single cell, and the remedy; None when nothing is."""
    if find_cpr(text) or find_cpr(_as_whole_number(text)):
        return "holds a CPR number", "Leave the column out; the column `cpr` is for them."
    if _INTERNAL_ID.search(text):
        return "holds an internal id", "Leave the column out; the column `internal_id` is for them."
    if _CONTROL.search(text):
        return "holds a line break, a tab or a control character", "Take it out."
    return None


def _as_whole_number(text: str) -> str:
    """6102701234.0 without its point: so tables write whole numbers of a column that has gaps."""
    if _NUMBER.fullmatch(text) is None:
        return ""
    number = float(text)
    return str(int(number)) if number.is_integer() and abs(number) < 1e11 else ""


def numbers_fault(texts: Sequence[str], samples: frozenset[str]) -> tuple[str, str] | None:
    """What is wrong with a column of numbers as a whole (its present cells); None when nothing is.

    Where samples are called 1, 2, 3, any age would be one: only a column that repeats them is refused. A CPR number
    that begins with 0 has nine digits once it was a number; a column of nothing else is refused likewise.
    """
    different = set(texts)
    if len(different) == len(texts) > FEW_ROWS and different <= samples:
        return "holds names of samples", "Leave the column out; the column `sample` is for them."
    whole = [_as_whole_number(text) for text in different]
    if whole and all(len(text) == 9 and find_cpr("0" + text) for text in whole):
        return "holds CPR numbers without their leading zero", "Leave the column out; `cpr` is for them, as text."
    return None


class Names:
    """The samples' names, as they would be recognised inside a text."""

    def __init__(self, samples: Iterable[str]) -> None:
        self._whole = frozenset(name.lower() for name in samples)
        # "3 times" is no sample, even where one is called 3.
        self._inside = frozenset(name for name in self._whole if len(name) >= _SHORT or not name.isdigit())
        used = re.escape("".join(sorted(set("".join(self._whole)))))
        self._parted = [re.compile(rule) for rule in (r"\s+", r"\W+", *([rf"[^{used}\w]+"] if used else []))]

    def within(self, text: str) -> bool:
        """Whether a text is one of the names, or holds one as a word; in either case of letters."""
        lower = text.lower()
        if lower in self._whole:
            return True
        return any(word.strip(".,;:!?()[]'\"") in self._inside for rule in self._parted for word in rule.split(lower))


def names_pseudonym(text: str) -> bool:
    """Whether a text holds a pseudonym: it would link a project's results to this release."""
    return bool(find_pseudonyms(text))
