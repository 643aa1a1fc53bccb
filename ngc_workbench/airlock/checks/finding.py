"""What a check says about a file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["info", "warn", "block"]
Verdict = Literal["pass", "review", "block"]

SHOWN = 10
"""Most places that one rule names in one file; the rest are counted."""


@dataclass(frozen=True)
class Text:
    """The same in English and Danish."""

    en: str
    da: str


@dataclass(frozen=True)
class Finding:
    """One finding. `row` is the line of the file (the first is 1) and `column` the column's name, where there is one.

    info: worth knowing. warn: a person must look with care. block: this file can't be released.
    """

    rule: str
    severity: Severity
    text: Text
    remedy: Text
    row: int | None = None
    column: str = ""

    def as_json(self) -> dict[str, Any]:
        """For the database and the portal."""
        return {
            "rule": self.rule,
            "severity": self.severity,
            "row": self.row,
            "column": self.column,
            "text": {"en": self.text.en, "da": self.text.da},
            "remedy": {"en": self.remedy.en, "da": self.remedy.da},
        }


@dataclass(frozen=True)
class Place:
    """Where: line of the file (the first is 1), name of the column ("" outside tables)."""

    row: int
    column: str = ""


def at_places(rule: str, severity: Severity, text: Text, remedy: Text, places: Iterable[Place]) -> list[Finding]:
    """One finding a place for the first `SHOWN` places, and one that counts the rest."""
    found: list[Finding] = []
    more = 0
    for place in places:
        if len(found) < SHOWN:
            found.append(Finding(rule, severity, text, remedy, place.row, place.column))
        else:
            more += 1
    if more:
        tail = Text(f"{text.en} ({more} more places)", f"{text.da} ({more} steder mere)")
        found.append(Finding(rule, severity, tail, remedy))
    return found


def verdict(findings: Iterable[dict[str, Any]]) -> Verdict:
    """pass, review or block, from the findings' severities (as `Finding.as_json` gives them)."""
    severities = {finding["severity"] for finding in findings}
    if "block" in severities:
        return "block"
    return "review" if "warn" in severities else "pass"
