"""Code systems of the health service, and lists of codes.

ICD-10 (WHO): a letter, two digits, then up to four more characters after a point that may be left out; codes are kept
without it, so that E11.9 and E119 are one. SKS (Sundhedsdatastyrelsen, https://sundhedsdatastyrelsen.dk/sks): up to ten
capital letters and digits, of which the first is the main group: D diagnoses (ICD-10 with its Danish extensions, as in
DE112), K operations (the Nordic NCSP, as in KJAH01), B treatment and care, and others.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ngc_workbench.errors import InputError

_MOST_BYTES = 50_000_000


@dataclass(frozen=True)
class System:
    """A code system: its name, how a code reads, how the beginning of one reads, and an example."""

    name: str
    code: re.Pattern[str]
    beginning: re.Pattern[str]
    example: str

    def normalise(self, text: str) -> str | None:
        """The code as it is kept; None when the text is not written as one of this system."""
        if self.code.fullmatch(text) is None:
            return None
        return text.replace(".", "")

    def normalise_beginning(self, text: str) -> str | None:
        """The beginning of codes as it is kept, `E11` of all that is below it; None when no code begins so."""
        if self.beginning.fullmatch(text) is None:
            return None
        return text.replace(".", "")


SYSTEMS = {
    system.name: system
    for system in (
        System(
            "ICD-10",
            code=re.compile(r"[A-Z][0-9][0-9A-Z](?:\.?[0-9A-Z]{1,4})?"),
            beginning=re.compile(r"[A-Z](?:[0-9](?:[0-9A-Z](?:\.?[0-9A-Z]{0,4})?)?)?"),
            example="E11.9",
        ),
        System(
            "SKS",
            code=re.compile(r"D[A-Z][0-9][0-9A-Z][0-9A-Z]{0,6}|K[A-Z][0-9A-Z]{1,8}|[A-CE-JL-Z][0-9A-Z]{2,9}"),
            beginning=re.compile(
                r"D(?:[A-Z](?:[0-9][0-9A-Z]{0,7})?)?|K(?:[A-Z][0-9A-Z]{0,8})?|[A-CE-JL-Z][0-9A-Z]{0,9}"
            ),
            example="DE112",
        ),
    )
}


def read_list(path: Path, system: System) -> dict[str, str]:
    """A list of codes, one a line: code, or code, tab, meaning; empty lines are passed over. Codes to meanings.

    Raises InputError, with the line, for a code of another form, or one that is there twice.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputError(f"The list of codes {path.name} is larger than 50 MB.", "Give a list of codes alone.")
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"The list of codes {path.name} can't be read.", "It must lie beside the schema, as text in UTF-8."
        ) from error
    found: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        written, _, meaning = line.partition("\t")
        code = system.normalise(written.strip())
        if code is None:
            raise InputError(
                f"{path.name}, line {number}: that is no {system.name} code.",
                f"A line holds a code ({system.example}), or a code, a tab and its meaning.",
            )
        if code in found:
            raise InputError(f"{path.name}, line {number}: the code is there twice.", "List each code once.")
        found[code] = meaning.strip()
    if not found:
        raise InputError(f"The list of codes {path.name} is empty.", "List the codes that may occur, one a line.")
    return found
