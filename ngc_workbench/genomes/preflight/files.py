"""One file: how it is opened and split into parts, and how the parts' findings become the file's."""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

import numpy as np

from ngc_workbench.genomes import reference
from ngc_workbench.genomes.bgzf import BgzfError, block_size
from ngc_workbench.genomes.preflight.findings import WHOLE, Finding, Findings, shown
from ngc_workbench.genomes.preflight.header import SPECIFIED, Header, read_header
from ngc_workbench.genomes.preflight.order import TWICE, join
from ngc_workbench.genomes.preflight.part import Job, Part, failed
from ngc_workbench.genomes.preflight.text import Form, LineTooLong, form_of, nothing, numbered, pieces

KEPT_FIELDS = ("GT", "AD", "DP", "GQ")
"""Entry fields that a release of VCF files keeps, where they are declared as the specification has them."""

_GVCF_FIELDS = (*KEPT_FIELDS, "MIN_DP", "PL")
_PART = 24 << 20
_PLAIN_PART = 128 << 20
_READ = 4 << 20


@dataclass(frozen=True)
class VcfFile:
    """What the check learnt of a file.

    `samples` in the file's order; `records` are all, `kept` those that will be stored once what is accepted is left out;
    `genome` is GRCh37 or GRCh38, and `genome_by` says by what it was recognised; `recoding` maps contig names of the
    file to Hail's; `contigs` are kept records by contig, in the file's order; `entry_fields` are those to keep; `bgzf` is
    False for plain text and plain gzip; `sha256` is of the file as it lies there; `whole_arrays`:
    no AD to keep has a missing value among known ones; `rewrite`: something that was
    accepted, or the compression, makes that Hail and plink2 can't read the file as it is (`kept.write_kept` does it).
    """

    path: Path
    name: str
    kind: str
    samples: tuple[str, ...]
    records: int
    kept: int
    genome: str
    genome_by: str
    recoding: dict[str, str]
    contigs: dict[str, int]
    entry_fields: tuple[str, ...]
    bgzf: bool
    size: int
    sha256: str
    sorted: bool
    rewrite: bool
    whole_arrays: bool = False


@dataclass
class Opened:
    """A file whose header was read. `header`: None when it can't be read further; a part may begin at `records_from`."""

    path: Path
    form: Form = Form.PLAIN
    size: int = 0
    header: Header | None = None
    records_from: int = 0
    genome: str = ""
    genome_by: str = ""
    findings: Findings = field(default_factory=Findings)


@dataclass(frozen=True)
class FileChecked:
    """A file's findings; what it is, when it could be read; lowest and highest position by Hail's contig name."""

    findings: tuple[Finding, ...]
    file: VcfFile | None
    ranges: dict[str, tuple[int, int]] = field(default_factory=dict)
    formats: dict[str, tuple[str, str]] = field(default_factory=dict)


def open_file(path: Path) -> Opened:
    """Reads the header and the first record's contig. A file that can't be read has a finding."""
    opened = Opened(path)
    findings = opened.findings
    try:
        opened.size = path.stat().st_size
        opened.form = form_of(path)
        with path.open("rb") as file:
            lines = numbered(_watched(opened, pieces(file, opened.form, nothing)))
            opened.header = read_header(lines, findings)
            header_end = opened.records_from
            first = next((line for _, line in lines if line.strip() and not line.startswith(b"#")), b"")
    except OSError as error:
        return Opened(
            path, findings=failed("unreadable", f"it can't be read: {error.strerror or 'an error of the disk'}")
        )
    except BgzfError as error:
        if opened.header is None:
            findings.add(error.kind, ("byte", error.at), error.what + "; what follows could not be checked")
            return opened
        first = b""
    except LineTooLong as error:
        if opened.header is None:
            findings.add("line-too-long", ("line", error.line), "a line is longer than any of a VCF")
            return opened
        first = b""
    else:
        opened.records_from = header_end
    _form(opened)
    if opened.header is not None:
        contig = first.split(b"\t", 1)[0][:100].decode("utf-8", "replace")
        opened.genome, opened.genome_by = reference.detect(opened.header.lengths, opened.header.reference, contig)
    return opened


def _watched(opened: Opened, texts: Iterator[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    """Notes how far the header reaches: a piece of plain text is passed over whole, of BGZF by its first byte."""
    for at, text in texts:
        opened.records_from = at + (len(text) if opened.form is Form.PLAIN else 1)
        yield at, text


def _form(opened: Opened) -> None:
    """Compression and name."""
    packed = opened.path.name.endswith((".gz", ".bgz"))
    if opened.form is Form.GZIP:
        opened.findings.add("plain-gzip", WHOLE, "it is compressed with plain gzip, which can't be read in parts")
    elif packed != (opened.form is Form.BGZF):
        opened.findings.add("bgzf-name", WHOLE, "its name does not tell how it is compressed")


def jobs(opened: Opened, accept: frozenset[str], part: int | None = None) -> list[Job]:
    """The parts to be checked side by side; `part` is their size in bytes. None when the header could not be read."""
    header = opened.header
    if header is None or not header.samples:
        return []
    starts = [0]
    if opened.form is Form.PLAIN:
        size = part or _PLAIN_PART
        starts += range(size, opened.size - size // 2, size)
    elif opened.form is Form.BGZF:
        starts += _block_starts(opened.path, part or _PART)
    starts = [start for start in starts if start == 0 or start >= opened.records_from]
    ends = [*starts[1:], None]
    return [
        Job(opened.path, opened.form, header, opened.genome, accept, start, end)
        for start, end in zip(starts, ends, strict=True)
    ]


def _block_starts(path: Path, part: int) -> Iterator[int]:
    """Places of blocks about `part` bytes apart; ends where the row of blocks is broken."""
    size = path.stat().st_size
    at = 0
    due = part
    with path.open("rb") as file:
        while at < size - part // 2:
            file.seek(at)
            raw = file.read(_READ)
            inside = 0
            while inside + 18 <= len(raw):
                if at + inside >= due and at + inside < size - part // 2:
                    yield at + inside
                    due = at + inside + part
                length = block_size(raw[inside : inside + 64]) if raw[inside : inside + 2] == b"\x1f\x8b" else None
                if not length:
                    return
                inside += length
            if not inside:
                return
            at += inside


def digest(path: Path) -> str:
    """SHA-256 of the file as it lies there."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_READ):
            found.update(chunk)
    return found.hexdigest()


def merge(opened: Opened, parts: list[Part], sha256: str, accept: frozenset[str]) -> FileChecked:
    """The file's findings, and what it is."""
    name = opened.path.name
    findings = opened.findings
    header = opened.header
    if header is None or not parts:
        return FileChecked(tuple(findings.finish(name, accept, gvcf=False)), None)
    whole = _until_stopped(parts)
    before = [0, *accumulate(part.lines for part in whole)][: len(whole)]
    for part, lines in zip(whole, before, strict=True):
        findings.merge(part.findings, lines)
    runs, in_order, twice = join([part.runs for part in whole], before, findings)
    in_order = in_order and not any(part.unsorted for part in whole)
    records = sum(part.records for part in whole)
    if not in_order:
        twice.update(_far_duplicates(opened, findings))
    if "duplicate-records" not in accept:
        twice.clear()
    kept = sum(part.kept for part in whole) - twice.total()
    non_ref = sum(part.non_ref for part in whole)
    gvcf = non_ref > 0 or (header.gvcf_blocks and len(header.samples) == 1 and sum(part.ends for part in whole) > 0)
    if not records:
        findings.add("no-records", WHOLE, "it holds no records")
    if gvcf and len(header.samples) != 1:
        findings.add("gvcf-samples", WHOLE, f"it is a gVCF of {len(header.samples)} samples")
    contigs = {run.contig.decode(): run.kept - twice[run.contig] for run in runs}
    _names(opened, header, list(contigs), findings)
    told = findings.finish(name, accept, gvcf=gvcf)
    fields = _GVCF_FIELDS if gvcf else KEPT_FIELDS
    return FileChecked(
        findings=tuple(told),
        file=VcfFile(
            path=opened.path,
            name=name,
            kind="gvcf" if gvcf else "vcf",
            samples=header.samples,
            records=records,
            kept=kept,
            genome=opened.genome,
            genome_by=opened.genome_by,
            recoding=reference.recoding(opened.genome, contigs),
            contigs=contigs,
            entry_fields=tuple(one for one in fields if header.formats.get(one, ("", ""))[1]),
            bgzf=opened.form is Form.BGZF,
            size=opened.size,
            sha256=sha256,
            sorted=in_order,
            whole_arrays=all(part.whole_arrays for part in whole),
            rewrite=kept != records or opened.form is Form.GZIP or findings.has("crlf"),
        ),
        ranges={reference.hail_name(opened.genome, run.contig.decode()): (run.lowest, run.highest) for run in runs},
        formats={one: declared for one, declared in header.formats.items() if one in SPECIFIED},
    )


def _until_stopped(parts: list[Part]) -> list[Part]:
    """Parts up to one that broke off: line numbers behind it can't be told."""
    for at, part in enumerate(parts, 1):
        if part.stopped:
            return parts[:at]
    return parts


def _names(opened: Opened, header: Header, contigs: list[str], findings: Findings) -> None:
    """Style and build of the contigs that have records."""
    styles = {contig.lower().startswith("chr") for contig in contigs}
    if len(styles) > 1:
        findings.add("mixed-styles", WHOLE, "some chromosomes are named with chr and some without")
    elif reference.recoding(opened.genome, contigs):
        findings.add(
            "contig-names", WHOLE, f"chromosomes are named otherwise than in {opened.genome}; they are renamed"
        )
    lengths = reference.LENGTHS[opened.genome]
    for contig in contigs:
        length = header.lengths.get(contig)
        right = lengths[reference.bare(contig)]
        if length is not None and length != right:
            text = f"the header gives {shown(contig)} a length of {length}; in {opened.genome} it has {right}"
            findings.add("contig-lengths", WHOLE, text, contig)


def _far_duplicates(opened: Opened, findings: Findings) -> Counter[bytes]:
    """Records that stand twice but not one behind the other, by contig: a second reading, with 17 bytes a record."""
    keys, lines, contigs = array("Q"), array("Q"), array("B")
    known = {contig.encode(): at for at, contig in enumerate(_spellings())}
    previous: set[bytes] = set()
    place = b""
    with opened.path.open("rb") as file:
        try:
            for number, line in numbered(pieces(file, opened.form, nothing)):
                fields = line.split(b"\t", 5)
                if len(fields) < 6 or fields[0] not in known:
                    continue
                at, site = b"\t".join(fields[:2]), b"\t".join(fields[3:5])
                if at != place:
                    place, previous = at, set()
                if site in previous:
                    continue  # told already
                previous.add(site)
                keys.append(key_of(at, site))
                lines.append(number)
                contigs.append(known[fields[0]])
        except (BgzfError, LineTooLong):
            pass  # told already; what could be read is compared
    values = np.frombuffer(keys, np.uint64) if keys else np.empty(0, np.uint64)
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    again = np.sort(order[1:][ordered[1:] == ordered[:-1]])
    for at_line in again:
        findings.add("duplicate", ("line", lines[int(at_line)]), TWICE)
    names = list(known)
    return Counter(names[contigs[int(at_line)]] for at_line in again)


def key_of(place: bytes, site: bytes) -> int:
    """64 bits for a record's contig, position and alleles."""
    return int.from_bytes(hashlib.blake2b(place + b"\t" + site, digest_size=8).digest(), "little")


def _spellings() -> list[str]:
    """Every way in which a file may name a chromosome (`reference.bare` knows them)."""
    names = [*reference.LENGTHS["GRCh38"], "M"]
    return [prefix + name for prefix in ("", "chr", "Chr", "CHR", "cHr", "chR", "CHr", "cHR", "ChR") for name in names]
