"""CPR numbers and pseudonyms, anywhere in a file or in its name.

CPR numbers are told by their date, not by the check digit (numbers without it are valid), so a ten-digit number reads as one with a
chance of about 4 in 100. Results of genomics have ten-digit numbers in two places. Ids of variants (rs1012345678) are told by their
letters. Columns of places in the genome (`columns.is_position`) can hold places counted through the whole genome, 1 to 3.1 billion:
there a number is let through when it is written as such a place (no leading zero, no hyphen) and the column as a whole isn't made
of dates: at most 15 in 100 of its rows read as CPR numbers. It is said in the findings, as information.

A pseudonym has a check character, so a word of its shape passes for one with a chance of 1 in 37. The digits of a decimal number
and the ids of Ensembl (ENSG00000139618, 15 characters too) are told apart by their form.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from ngc_workbench.airlock.checks import columns
from ngc_workbench.airlock.checks.finding import Finding, Place, Text, at_places
from ngc_workbench.airlock.checks.subject import Context, Subject
from ngc_workbench.pseudonyms import find_cpr, looks_like_pseudonym, pattern

# Where to ask `find_cpr`: it is given these characters alone, since the comma beside them may be a column's end or a decimal's.
_TEN_DIGITS = re.compile(r"(?<!\d)(?<!\d\.)\d{6}[-\u2010-\u2013\u2212 \u00a0]?\d{4}(?!\d)(?!\.\d)")
_DECIMAL_COMMA = re.compile(r"\d,$")
_VARIANT_PREFIX = re.compile(r"(?:rs|ss|[ne]sv|nssv|COSV|COSM)$", re.IGNORECASE)
_GENOME = 3_200_000_000
_DATES_AT_MOST = 0.15
_NUMBER = re.compile(r"\d+[eE]?\d*")
_ENSEMBL = re.compile(r"ENS[A-Z]{0,4}[EGTPR]\d{11}")
_MANY = 10_000  # places worth telling apart; a file with more is blocked all the same

_CPR_TEXT = Text("This reads like a CPR number.", "Dette ligner et CPR-nummer.")
_CPR_REMEDY = Text(
    "Remove it; if it is something else, give the column a name that says so and tell the checker.",
    "Fjern det; er det noget andet, så giv kolonnen et navn, der siger det, og skriv det til kontrollanten.",
)
_PSEUDONYM_TEXT = Text("This is a person's pseudonym.", "Dette er en persons pseudonym.")
_PSEUDONYM_REMEDY = Text(
    "Export sums over people, not rows of people.", "Eksportér tal for grupper, ikke rækker for personer."
)


def check(subject: Subject, _context: Context) -> Iterator[Finding]:
    """identifier.cpr, identifier.position, identifier.pseudonym, each also `identifier.name` for the file's own name."""
    if find_cpr(subject.name) or any(_is_pseudonym(found.group()) for found in pattern.finditer(subject.name)):
        yield Finding(
            "identifier.name", "block",
            Text("The file's name holds a CPR number or a pseudonym.", "Filens navn indeholder et CPR-nummer eller et pseudonym."),
            Text("Rename the file.", "Omdøb filen."),
        )  # fmt: skip
    if subject.text is None or subject.kind.family == "closed":
        return
    yield from _cpr(subject)
    found = (subject.place(*match.span()) for match in pattern.finditer(subject.text) if _is_pseudonym(match.group()))
    yield from at_places("identifier.pseudonym", "block", _PSEUDONYM_TEXT, _PSEUDONYM_REMEDY, _first(found))


def _cpr(subject: Subject) -> Iterator[Finding]:
    places: list[Place] = []
    in_positions: Counter[str] = Counter()
    held_back: list[Place] = []
    for place, text in _first_pairs(subject):
        if place.column and columns.is_position(place.column) and _is_place(text):
            in_positions[place.column] += 1
            held_back.append(place)
        else:
            places.append(place)
    if held_back:
        rows = max(1, subject.text.count("\n") if subject.text else 1)
        dated = {column for column, hits in in_positions.items() if hits > _DATES_AT_MOST * rows and hits > 1}
        places += [place for place in held_back if place.column in dated]
        for column in sorted(set(in_positions) - dated):
            yield Finding(
                "identifier.position", "info",
                Text(f"{in_positions[column]} numbers read like CPR numbers, and were taken as places in the genome.", f"{in_positions[column]} tal ligner CPR-numre og blev læst som steder i genomet."),
                Text("Nothing to do; the checker may want to look.", "Intet at gøre; kontrollanten kan se efter."),
                None, column,
            )  # fmt: skip
    yield from at_places("identifier.cpr", "block", _CPR_TEXT, _CPR_REMEDY, sorted(places, key=lambda place: place.row))


def _first_pairs(subject: Subject) -> Iterator[tuple[Place, str]]:
    count = 0
    text = subject.text or ""
    by_commas = subject.table is not None and subject.table.delimiter == ","
    for match in _TEN_DIGITS.finditer(text):
        if not find_cpr(match.group()):
            continue
        if not by_commas and _DECIMAL_COMMA.search(text[max(0, match.start() - 2) : match.start()]):
            continue
        if _VARIANT_PREFIX.search(text[max(0, match.start() - 4) : match.start()]):
            continue
        count += 1
        if count > _MANY:
            return
        yield subject.place(match.start(), match.end()), match.group()


def _is_place(text: str) -> bool:
    return text.isdigit() and not text.startswith("0") and int(text) <= _GENOME


def _is_pseudonym(text: str) -> bool:
    bare = re.sub(r"[-_ ]", "", text)
    if _NUMBER.fullmatch(bare) or _ENSEMBL.fullmatch(bare):
        return False
    if " " in text and not any(character.isdigit() for character in text):
        return False
    return looks_like_pseudonym(text)


def _first(places: Iterator[Place]) -> Iterator[Place]:
    for count, place in enumerate(places):
        if count >= _MANY:
            return
        yield place
