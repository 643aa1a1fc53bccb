"""The header of a VCF: what it declares, and everything that is wrong with it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from ngc_workbench.genomes.preflight.findings import WHOLE, Findings, shown
from ngc_workbench.pseudonyms import find_cpr

Declared = tuple[str, str]
"""Number and Type of a field."""

_COLUMNS = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]
_MOST_LINES = 200_000
_MOST_BYTES = 256 << 20
_MOST_OF_META = 1 << 16
"""Bytes of a ## line that are looked at: a command line may be long, a declaration is not."""
_META = re.compile(r"##(INFO|FORMAT|FILTER|contig)=(.*)")
_PART = re.compile(r'([A-Za-z_][\w.]*)=("(?:[^"\\]|\\.)*"|[^,"]*)(?:,|$)')
_NUMBERS = re.compile(r"\d{1,6}|[ARG.]")
_TYPES = {
    "FORMAT": ("Integer", "Float", "Character", "String"),
    "INFO": ("Integer", "Float", "Flag", "Character", "String"),
}
SPECIFIED: dict[str, tuple[tuple[str, ...], str]] = {
    "GT": (("1",), "String"),
    "AD": (("R", "."), "Integer"),
    "DP": (("1",), "Integer"),
    "GQ": (("1",), "Integer"),
    "PL": (("G", "."), "Integer"),
}
"""Number and Type of the fields that matter here (VCF specification 4.3, table of reserved genotype keys)."""


@dataclass
class Header:
    """What a header declares. `lines` is the number of its lines; `formats` those FORMAT fields that can be trusted."""

    formats: dict[str, Declared] = field(default_factory=dict)
    infos: set[str] = field(default_factory=set)
    filters: set[str] = field(default_factory=lambda: {"PASS"})
    lengths: dict[str, int] = field(default_factory=dict)
    reference: str = ""
    gvcf_blocks: bool = False
    samples: tuple[str, ...] = ()
    lines: int = 0


def read_header(lines: Iterator[tuple[int, bytes]], findings: Findings) -> Header | None:
    """Reads up to and with the #CHROM line; None when there is none, so that nothing more can be read."""
    header = Header()
    size = 0
    number = 0
    for number, raw in lines:
        size += len(raw)
        if number > _MOST_LINES or size > _MOST_BYTES:
            findings.add("header-too-long", ("line", number), "the header does not end")
            return None
        if number == 1:
            raw = _first(raw, findings)  # noqa: PLW2901
        if not raw.startswith(b"#") and (raw.strip() or number == 1):
            if number == 1:
                return None  # _first has said that it is no VCF
            findings.add("no-header-line", ("line", number), "the header has no #CHROM line before the records")
            return None
        line = _text(raw, number, findings)
        if line.startswith("#CHROM"):
            header.lines = number
            _samples(header, line, number, findings)
            _fields(header, findings)
            return header
        if line.startswith("##"):
            _meta(header, line, number, findings)
        elif line:
            findings.add("header-line", ("line", number), "a line begins with a single # but is not the #CHROM line")
        else:
            findings.add("blank-line", ("line", number), "a line is empty")
    if number == 0:
        findings.add("empty", WHOLE, "it is empty")
    else:
        findings.add("no-header-line", ("line", number), "the header has no #CHROM line, and no records follow it")
    return None


def _first(raw: bytes, findings: Findings) -> bytes:
    if raw.startswith(b"\xef\xbb\xbf"):
        findings.add("byte-order-mark", ("line", 1), "it begins with a byte order mark")
        raw = raw[3:]
    if not raw.startswith(b"##fileformat=VCF"):
        findings.add("no-fileformat", ("line", 1), "it does not begin with ##fileformat=VCF")
    return raw


def _text(raw: bytes, number: int, findings: Findings) -> str:
    if raw.endswith(b"\r"):
        findings.add("crlf", ("line", number), "lines end the Windows way (CR LF)")
        raw = raw[:-1]
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        findings.add("not-utf8", ("line", number), "the header is not UTF-8 text")
        return raw.decode("utf-8", "replace")


def _meta(header: Header, line: str, number: int, findings: Findings) -> None:
    if find_cpr(line[:_MOST_OF_META]):
        findings.add("cpr-in-header", ("line", number), "the header holds what looks like a CPR number")
    if line.startswith("##GVCFBlock"):
        header.gvcf_blocks = True
    elif line.startswith("##reference="):
        header.reference = line[len("##reference=") :][:1000]
    found = _META.fullmatch(line) if len(line) <= _MOST_OF_META else None
    if found is None:
        return
    word, parts = found[1], _parts(found[2])
    name = parts.get("ID", "") if parts is not None else ""
    if parts is None or not name or (word != "contig" and re.search(r"[\s,;:=]", name)):
        findings.add("meta-malformed", ("line", number), f"the ##{word} line is malformed or has no ID", word)
    elif word == "contig":
        if parts.get("length", "").isdigit() and len(parts["length"]) < 12:
            header.lengths[name] = int(parts["length"])
    elif word == "FILTER":
        header.filters.add(name)
    else:
        _field(header, word, name, parts, number, findings)


def _parts(text: str) -> dict[str, str] | None:
    """The parts of `<ID=…,Number=…>`; None when it is not well formed."""
    if not (text.startswith("<") and text.endswith(">")):
        return None
    inside, at = text[1:-1], 0
    parts: dict[str, str] = {}
    while at < len(inside):
        part = _PART.match(inside, at)
        if part is None:
            # An unquoted description with commas is common, and harmless behind what matters.
            return parts if "ID" in parts and ("Type" in parts or "length" in parts) else None
        parts.setdefault(part[1], part[2])
        at = part.end()
    return parts


def _field(header: Header, word: str, name: str, parts: dict[str, str], number: int, findings: Findings) -> None:
    if word == "INFO":
        header.infos.add(name)
    declared = (parts.get("Number", ""), parts.get("Type", ""))
    if not _NUMBERS.fullmatch(declared[0]) or declared[1] not in _TYPES[word]:
        findings.add(
            "meta-malformed",
            ("line", number),
            f"the ##{word} line of {shown(name)} has no valid Number and Type",
            f"{word} {name[:40]}",
        )
        return
    if word == "INFO":
        return
    if name in header.formats and header.formats[name] != declared:
        findings.add("declared-twice", ("line", number), f"FORMAT field {shown(name)} is declared twice, differently")
    header.formats[name] = declared
    if name in SPECIFIED and name != "GT":
        numbers, kind = SPECIFIED[name]
        if declared[0] not in numbers or declared[1] != kind:
            findings.add(
                "field-declared",
                ("line", number),
                f"FORMAT field {name} is declared with Number={declared[0]} and Type={declared[1]}, "
                f"not with Number={numbers[0]} and Type={kind}",
                name,
            )


def _fields(header: Header, findings: Findings) -> None:
    """Drops what is declared otherwise than specified; GT must be there."""
    for name, (numbers, kind) in SPECIFIED.items():
        declared = header.formats.get(name)
        if declared is None or (declared[0] in numbers and declared[1] == kind):
            continue
        if name == "GT":
            text = f"GT is declared with Number={declared[0]} and Type={declared[1]}"
            findings.add("gt-declared", WHOLE, text)
        else:
            header.formats[name] = ("", "")
    if "GT" not in header.formats:
        findings.add("gt-undeclared", WHOLE, "the header declares no FORMAT field GT")


def _samples(header: Header, line: str, number: int, findings: Findings) -> None:
    place = ("line", number)
    columns = line.split("\t")
    if columns[:9] != _COLUMNS:
        if columns == _COLUMNS[:8]:
            findings.add("no-samples", place, "it holds no samples")
            return
        findings.add("header-line", place, "the #CHROM line lacks a fixed column, or columns are not parted by tabs")
        return
    samples = header.samples = tuple(columns[9:])
    if not samples:
        findings.add("no-samples", place, "it holds no samples")
    empty = [at for at, sample in enumerate(samples, 1) if not sample.strip()]
    if empty:
        findings.add("sample-empty", place, f"sample column {empty[0]} has no name", times=len(empty))
    numbers = [at for at, sample in enumerate(samples, 1) if find_cpr(sample)]
    if numbers:
        text = f"the name of the sample in sample column {numbers[0]} looks like a CPR number"
        findings.add("sample-cpr", place, text, times=len(numbers))
    twice = [sample for sample, count in Counter(samples).items() if count > 1 and sample.strip()]
    for sample in twice[:5]:
        where = [str(at) for at, other in enumerate(samples, 1) if other == sample]
        text = f"sample columns {', '.join(where[:-1][:5])} and {where[-1]} have the same name"
        findings.add("sample-twice", place, text, where[0])
    if len(twice) > 5:
        findings.add("sample-twice", place, f"{len(twice) - 5} more names of samples stand twice", "more")
