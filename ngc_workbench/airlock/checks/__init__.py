"""The checks: what the airlock says about a file before people look at it.

A check is one module with a function `check(subject, context)` that gives findings; `CHECKS` is the registry. A new check is a
module, a line here, and a table of cases in its test. A check decides by content, never by the file's name.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from ngc_workbench.airlock.checks import file_kind, frequencies, identifiers, people_rows, small_counts
from ngc_workbench.airlock.checks.finding import Finding, Severity, Text, Verdict, verdict
from ngc_workbench.airlock.checks.subject import Context, Subject

__all__ = [
    "CHECKS",
    "Context",
    "Finding",
    "Severity",
    "Subject",
    "Text",
    "Verdict",
    "check_content",
    "check_file",
    "verdict",
]

Check = Callable[[Subject, Context], Iterable[Finding]]

CHECKS: Final[dict[str, Check]] = {
    "file_kind": file_kind.check,
    "identifiers": identifiers.check,
    "people_rows": people_rows.check,
    "small_counts": small_counts.check,
    "frequencies": frequencies.check,
}

_log = logging.getLogger(__name__)


def check_content(name: str, content: bytes, context: Context) -> list[Finding]:
    """All findings on a file, gravest first.

    A check that fails on a file blocks it: a file made to break a check must not get through by that.
    """
    subject = Subject(name, content)
    findings: list[Finding] = []
    for title, check in CHECKS.items():
        try:
            findings += check(subject, context)
        except Exception:  # noqa: BLE001 - the file is hostile: whatever it breaks is a finding, not the end of the checks
            _log.exception("the check %s failed", title)
            findings.append(
                Finding(
                    "check.failed", "block",
                    Text(f"The check {title} could not read the file.", f"Kontrollen {title} kunne ikke læse filen."),
                    Text("Write it again as plain CSV; if that doesn't help, ask your data support centre.", "Skriv den igen som almindelig CSV; hjælper det ikke, så spørg dit datastøttecenter."),
                )
            )  # fmt: skip
    order = {"block": 0, "warn": 1, "info": 2}
    return sorted(findings, key=lambda finding: order[finding.severity])


def check_file(path: Path, name: str, context: Context) -> list[Finding]:
    """As `check_content`, for a stored copy whose name was `name`."""
    return check_content(name, path.read_bytes(), context)
