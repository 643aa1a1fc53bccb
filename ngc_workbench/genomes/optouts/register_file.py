"""Reading an extract of the tissue-use register.

The register's own layout is not public; docs/guides/custodian.md says what is assumed. Each fault names its line and
never the person: the text of a fault goes to a terminal, the number of a person must not.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ngc_workbench.errors import InputError
from ngc_workbench.genomes.optouts.birth import born
from ngc_workbench.policy.optouts import Statement, fault
from ngc_workbench.pseudonyms.cpr import normalise_cpr

ENCODINGS = {"utf-8": "utf-8-sig", "latin-1": "iso-8859-1"}
MOST_BYTES = 500_000_000
_COLUMNS = {
    "cpr": ("cpr", "cpr-nummer", "cprnr", "cpr_nr", "personnummer"),
    "status": ("status",),
    "date": ("date", "dato"),
    "by": ("by", "af", "registreret af", "registreret_af"),
}
_STATUS = {
    "opted-out": True, "opted out": True, "opted_out": True, "tilmeldt": True,
    "withdrawn": False, "frameldt": False, "afmeldt": False,
}  # fmt: skip
_BY = {
    "self": "self", "selv": "self",
    "guardian": "guardian", "forældremyndighed": "guardian", "forældremyndighedsindehaver": "guardian", "værge": "guardian",
}  # fmt: skip
_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_DANISH = re.compile(r"(\d\d)[-./](\d\d)[-./](\d{4})")


class UnusableExtract(InputError):
    """An extract with faults. `faults` holds one line each: where, and what."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__(
            f"{len(faults)} faults in the extract; nothing of it was applied. The first: {faults[0]}.",
            "Have the register send it again, or mend these lines with it.",
        )


@dataclass(frozen=True)
class Extract:
    """What an extract says: the statements about each person (ten digits), by day; and the file's hash."""

    statements: dict[str, list[Statement]]
    lines: int
    sha256: str


def digest_of(path: Path) -> str:
    """SHA-256 of the file. Raises InputError when it can't be read or is larger than any register."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError(f"{path.name} is too large for an extract of the register.", "Check that it is one.")
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path.name} can't be read: {error.strerror}.", "Check the file and its rights.") from error


def read_extract(path: Path, *, encoding: str, today: date) -> Extract:
    """Reads a CSV, TSV or semicolon-separated extract. `encoding` is a key of ENCODINGS.

    Raises InputError for a file that is no such table, UnusableExtract with every line that can't be used.
    """
    if encoding not in ENCODINGS:
        raise InputError(f"Unknown encoding {encoding!r}.", f"Use one of {', '.join(ENCODINGS)}.")
    digest = digest_of(path)
    raw = path.read_bytes()
    if hashlib.sha256(raw).hexdigest() != digest:
        raise InputError(f"{path.name} changed while it was read.", "Repeat when it is written to the end.")
    text = _decoded(raw, encoding)
    header, _, _ = text.partition("\n")
    delimiter = max("\t;,", key=header.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    faults: list[str] = []
    said: dict[str, list[tuple[int, Statement]]] = defaultdict(list)
    lines = 0
    try:
        places = _places(next(rows, []))
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            lines += 1
            _take(rows.line_num, row, places, today, said, faults)
    except csv.Error:
        faults.append(f"line {rows.line_num}: a quotation mark is not closed, or stands where none can")
    faults += _contradictions(said)
    if faults:
        raise UnusableExtract(sorted(faults, key=_line))
    statements = {
        cpr: [statement for _, statement in sorted(pairs, key=lambda pair: pair[1].day)] for cpr, pairs in said.items()
    }
    return Extract(statements, lines, digest)


def _decoded(raw: bytes, encoding: str) -> str:
    try:
        text = raw.decode(ENCODINGS[encoding])
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InputError(f"Line {line} of the extract is not UTF-8.", "Repeat with --encoding latin-1.") from error
    if "\x00" in text:
        raise InputError("The extract is no text: it holds zero bytes.", "Save it as CSV in UTF-8.")
    return text


def _places(header: list[str]) -> dict[str, int]:
    """Where each column stands. Raises InputError unless the header names each once, and no other."""
    names = [cell.strip().lower() for cell in header]
    places = {}
    for column, spellings in _COLUMNS.items():
        found = [at for at, name in enumerate(names) if name in spellings]
        if len(found) != 1:
            raise InputError(
                f"The extract's header must name the column {column!r} once.", "It has cpr, status, date and by."
            )
        places[column] = found[0]
    if len(names) != len(places):
        raise InputError("The extract's header has other columns than cpr, status, date and by.", "Leave them out.")
    return places


def _take(
    number: int,
    row: list[str],
    places: dict[str, int],
    today: date,
    said: dict[str, list[tuple[int, Statement]]],
    faults: list[str],
) -> None:
    """Adds what one line says to `said`, or what is wrong with it to `faults`."""
    if len(row) != len(places):
        faults.append(f"line {number}: {len(row)} columns in place of {len(places)}")
        return
    cells = {column: row[at].strip() for column, at in places.items()}
    wrong = []
    try:
        cpr = normalise_cpr(cells["cpr"])
    except InputError:
        cpr = ""
        wrong.append("no CPR number (a spreadsheet may have taken a leading zero)")
    status, by = _STATUS.get(cells["status"].lower()), _BY.get(cells["by"].lower())
    day = _day(cells["date"])
    if status is None:
        wrong.append("status is neither opted-out nor withdrawn")
    if by is None:
        wrong.append("by is neither self nor guardian")
    if day is None:
        wrong.append("the date is none (YYYY-MM-DD or DD-MM-YYYY)")
    if status is not None and by is not None and day is not None and cpr:
        statement = Statement(status, day, by)
        impossible = fault(statement, born(cpr), today)
        if not impossible:
            said[cpr].append((number, statement))
            return
        wrong.append(impossible)
    faults.append(f"line {number}: {', '.join(wrong)}")


def _day(text: str) -> date | None:
    iso, danish = _ISO.fullmatch(text), _DANISH.fullmatch(text)
    parts = iso.groups() if iso else danish.groups()[::-1] if danish else None
    try:
        return date(*(int(part) for part in parts)) if parts else None
    except ValueError:
        return None


def _contradictions(said: dict[str, list[tuple[int, Statement]]]) -> list[str]:
    """Lines of one day that say both of one person: nobody can tell which came last."""
    found = []
    for pairs in said.values():
        if len(pairs) == 1:
            continue
        days: dict[date, tuple[int, bool]] = {}
        for number, statement in pairs:
            first = days.setdefault(statement.day, (number, statement.opted_out))
            if first[1] != statement.opted_out:
                found.append(f"line {number}: says the opposite of line {first[0]}, about the same person and day")
    return found


def _line(text: str) -> int:
    found = re.match(r"line (\d+)", text)
    return int(found[1]) if found else 0
