"""The check of a VCF before Hail sees it: streaming, in pure Python, with errors that name file, line and remedy.

Hail reports most faults late, quotes paths and ids, and takes some in silence; what it would take in silence is what
this is for (`vcf_records`). One pass reads, checks and hashes.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from ngc_workbench.errors import InputError
from ngc_workbench.genomes import reference
from ngc_workbench.genomes.bgzf import BgzfError, blocks, is_gzip
from ngc_workbench.genomes.vcf_records import Defect, RecordChecks, kept_fields
from ngc_workbench.pseudonyms import find_cpr

Progress = Callable[[str], None]

_COLUMNS = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]
_CHUNK = 1 << 20
_MOST_HEADER_LINES = 200_000


@dataclass(frozen=True)
class Preflight:
    """What the check learnt of a sound VCF.

    `samples` in the file's order; `records` is the number of its records; `genome` is GRCh37 or GRCh38, and
    `genome_by` says by what it was recognised; `recoding` maps contig names of the file to Hail's; `entry_fields` are
    those that a release keeps; `bgzf` is False for plain text; `sha256` is of the file as it lies there.
    """

    samples: tuple[str, ...]
    records: int
    genome: str
    genome_by: str
    recoding: dict[str, str]
    entry_fields: tuple[str, ...]
    bgzf: bool
    size: int
    sha256: str


@dataclass
class _Header:
    """What has been read of the header so far."""

    formats: dict[str, str] = field(default_factory=dict)
    lengths: dict[str, int] = field(default_factory=dict)
    reference: str = ""
    samples: tuple[str, ...] = ()


def preflight(vcf: Path, progress: Progress) -> Preflight:
    """Reads and checks the whole file. Raises InputError, one line: file (its base name), line, what, remedy."""
    try:
        with vcf.open("rb") as file:
            return _check(file, vcf, progress)
    except OSError as error:
        raise InputError(
            f"{vcf.name} can't be read: {error.strerror or 'an error of the disk'}.",
            "Check the file's name and rights.",
        ) from error
    except BgzfError as error:
        raise InputError(f"{vcf.name}: {error.what}.", error.remedy) from error
    except Defect as defect:
        where = f", line {defect.line}" if defect.line else ""
        raise InputError(f"{vcf.name}{where}: {defect.what}.", defect.remedy) from defect


def _check(file: IO[bytes], vcf: Path, progress: Progress) -> Preflight:
    head = file.read(4)
    file.seek(0)
    digest = hashlib.sha256()
    meter = _Meter(vcf, progress)

    def seen(raw: bytes) -> None:
        digest.update(raw)
        meter.add(len(raw))

    bgzf = is_gzip(head)
    lines = _lines(blocks(file, seen) if bgzf else _chunks(file, seen))
    header = _header(lines)
    checks: RecordChecks | None = None
    genome = genome_by = ""
    records = 0
    blank = 0
    for number, line in lines:
        if not line:
            blank = blank or number
            continue
        if blank:
            raise Defect(blank, "a line is empty", "Remove it.")
        if line.endswith(b"\r"):
            raise Defect(number, "lines end the Windows way (CR LF)", "Convert it: `sed -i 's/\\r$//' FILE`.")
        if checks is None:
            first = line.split(b"\t", 1)[0].decode("utf-8", "replace")
            genome, genome_by = reference.detect(header.lengths, header.reference, first)
            checks = RecordChecks(len(header.samples), genome, header.formats)
        checks.check(number, line)
        records += 1
        meter.records = records
    if checks is None:
        raise Defect(0, "it holds no records", "Give a VCF with genotypes.")
    return Preflight(
        samples=header.samples,
        records=records,
        genome=genome,
        genome_by=genome_by,
        recoding=reference.recoding(genome, checks.contigs),
        entry_fields=kept_fields(header.formats),
        bgzf=bgzf,
        size=vcf.stat().st_size,
        sha256=digest.hexdigest(),
    )


def read_lines(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """The numbered lines of a VCF, plain or BGZF, without their ends. Raises BgzfError."""
    head = file.read(4)
    file.seek(0)
    return _lines(blocks(file, _nothing) if is_gzip(head) else _chunks(file, _nothing))


def _nothing(_raw: bytes) -> None:
    """Raw bytes that nobody hashes or counts."""


def _chunks(file: IO[bytes], seen: Callable[[bytes], object]) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        seen(chunk)
        yield chunk


def _lines(chunks: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    """Numbers the lines from 1; the last one may lack its end."""
    number = 0
    pending: list[bytes] = []
    for chunk in chunks:
        first, *others = chunk.split(b"\n")
        pending.append(first)
        if not others:
            continue
        number += 1
        yield number, b"".join(pending)
        for line in others[:-1]:
            number += 1
            yield number, line
        pending = [others[-1]]
    if last := b"".join(pending):
        yield number + 1, last


def _header(lines: Iterator[tuple[int, bytes]]) -> _Header:
    """Reads up to and with the #CHROM line. Raises Defect."""
    header = _Header()
    number = 0
    for number, raw in lines:
        if number == 1 and not raw.startswith(b"##fileformat=VCF"):
            raise Defect(
                1, "it does not begin with ##fileformat=VCF", "Give a VCF file, plain or compressed with bgzip."
            )
        if raw.endswith(b"\r"):
            raise Defect(number, "lines end the Windows way (CR LF)", "Convert it: `sed -i 's/\\r$//' FILE`.")
        try:
            line = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Defect(number, "the header is not UTF-8 text", "Convert it, for instance with iconv.") from error
        if line.startswith("##"):
            _meta(header, line)
        elif line.startswith("#CHROM"):
            header.samples = _samples(number, line)
            if "GT" not in header.formats:
                raise Defect(
                    0, "the header declares no FORMAT field GT", "Add its ##FORMAT line, or give a file with genotypes."
                )
            if not kept_fields(header.formats):
                raise Defect(0, "the header declares GT as something else than a String", "Mend its ##FORMAT line.")
            return header
        else:
            break
        if number > _MOST_HEADER_LINES:
            break
    if number == 0:
        raise Defect(0, "it is empty", "Give a VCF file, plain or compressed with bgzip.")
    raise Defect(number, "the header has no #CHROM line before the records", "Add it, or make the file again.")


def _meta(header: _Header, line: str) -> None:
    if line.startswith("##FORMAT=<"):
        name, kind = re.search(r"[<,]ID=([^,>]+)", line), re.search(r",Type=([^,>]+)", line)
        if name and kind:
            header.formats[name[1]] = kind[1]
    elif line.startswith("##contig=<"):
        name, length = re.search(r"[<,]ID=([^,>]+)", line), re.search(r",length=(\d+)", line)
        if name and length:
            header.lengths[name[1]] = int(length[1])
    elif line.startswith("##reference="):
        header.reference = line.partition("=")[2]


def _samples(number: int, line: str) -> tuple[str, ...]:
    columns = line.split("\t")
    if columns[:9] != _COLUMNS:
        raise Defect(
            number, "the #CHROM line lacks a fixed column, or columns are not parted by tabs", "Make the file again."
        )
    samples = tuple(columns[9:])
    if not samples:
        raise Defect(number, "it holds no samples", "Give a VCF with genotypes.")
    if any(not sample.strip() for sample in samples):
        raise Defect(number, "a sample has no name", "Name each sample.")
    at = [column for column, sample in enumerate(samples, 1) if find_cpr(sample)]
    if at:
        raise Defect(
            number, f"the name of the sample in sample column {at[0]} looks like a CPR number ({len(at)} such)",
            "Rename samples (`bcftools reheader --samples`) and give CPR numbers in the phenotype table's column cpr.",
        )  # fmt: skip
    twice = [sample for sample, count in Counter(samples).items() if count > 1]
    if twice:
        where = " and ".join(str(column) for column, sample in enumerate(samples, 1) if sample == twice[0])
        raise Defect(number, f"sample columns {where} have the same name", "Give each sample its own name.")
    return samples


class _Meter:
    """Says every two seconds how far the reading is, with rate and time left."""

    def __init__(self, vcf: Path, progress: Progress) -> None:
        self._total = max(vcf.stat().st_size, 1)
        self._progress = progress
        self._started = self._told = time.monotonic()
        self._done = 0
        self.records = 0

    def add(self, count: int) -> None:
        """Counts raw bytes read."""
        self._done += count
        now = time.monotonic()
        if now - self._told < 2:
            return
        self._told = now
        rate = self._done / (now - self._started)
        left = (self._total - self._done) / rate
        self._progress(
            f"Checking the VCF: {self._done * 100 // self._total} %, {self.records} records, "
            f"{rate / 1e6:.1f} MB/s, about {left:.0f} s left"
        )
