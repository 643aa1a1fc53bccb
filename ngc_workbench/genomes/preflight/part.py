"""One part of a file, checked by one process.

A part is a range of raw bytes; it has the lines that begin after the first line end at or after its start, and reads on
behind its end to finish its last line. The first part begins with the header.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ngc_workbench.genomes.bgzf import BgzfError
from ngc_workbench.genomes.preflight.findings import WHOLE, Findings
from ngc_workbench.genomes.preflight.header import Header
from ngc_workbench.genomes.preflight.order import Run
from ngc_workbench.genomes.preflight.records import Records
from ngc_workbench.genomes.preflight.text import MOST_IN_LINE, Form, LineTooLong, Seen, pieces

_BATCH = 1 << 20


@dataclass(frozen=True)
class Job:
    """What one process is to check: the bytes `start` to `end` (None: to the end of the file)."""

    path: Path
    form: Form
    header: Header
    genome: str
    accept: frozenset[str]
    start: int
    end: int | None


@dataclass
class Part:
    """What was found. `lines` are the line ends within the part's range; `stopped`: what follows could not be read."""

    findings: Findings = field(default_factory=Findings)
    runs: list[Run] = field(default_factory=list)
    lines: int = 0
    records: int = 0
    kept: int = 0
    non_ref: int = 0
    ends: int = 0
    whole_arrays: bool = True
    unsorted: bool = False
    stopped: bool = False


def check_part(job: Job, seen: Seen) -> Part:
    """Reads and checks a part. Defects are findings; OSError alone is raised."""
    part = Part()
    records = Records(job.header, job.genome, job.accept, part.findings)
    try:
        with job.path.open("rb") as file:
            _read(job, part, records, pieces(file, job.form, seen, job.start))
    except BgzfError as error:
        part.stopped = True
        rest = "" if error.kind in ("end-marker", "trailing-bytes") else "; what follows could not be checked"
        part.findings.add(error.kind, ("byte", error.at), error.what + rest)
    except LineTooLong as error:
        part.stopped = True
        text = f"a line is longer than {MOST_IN_LINE >> 20} MB; what follows was not checked"
        part.findings.add("line-too-long", ("line", error.line), text)
    records.finish()
    part.runs = records.order.runs
    part.unsorted = records.order.unsorted
    part.whole_arrays = records.whole_arrays
    part.records, part.kept, part.non_ref, part.ends = records.records, records.kept, records.non_ref, records.ends
    return part


def _read(job: Job, part: Part, records: Records, texts: Iterator[tuple[int, bytes]]) -> None:
    """Takes lines from the pieces of text and gives them to `records`."""
    skip = job.header.lines if job.start == 0 else 1
    number = 0  # of the last line taken, counted from the part's own first
    pending: list[bytes] = []
    size = 0
    for text in _batches(texts, job, part):
        lines = text.split(b"\n")
        pending.append(lines[0])
        size += len(lines[0])
        if size > MOST_IN_LINE:
            if job.start and not number:
                return  # within a line of the part before, which tells of it
            raise LineTooLong(number + 1)
        if len(lines) == 1:
            continue
        lines[0] = b"".join(pending)
        last = lines.pop()
        for line in lines:
            number += 1
            if number > skip:
                records.check(number, line)
        pending, size = [last], len(last)
        if number > part.lines:
            return  # the line that reached over the end is done
    if (rest := b"".join(pending)) and number + 1 > skip:
        records.check(number + 1, rest)
        part.findings.add("no-last-newline", ("line", number + 1), "the last line has no end")


def _batches(texts: Iterator[tuple[int, bytes]], job: Job, part: Part) -> Iterator[bytes]:
    """Joins pieces, counts line ends within the range; behind it, gives text up to the first line end alone."""
    batch: list[bytes] = []
    size = 0
    try:
        for at, text in texts:
            inside = text
            if job.end is not None and at + len(text) > job.end and job.form is Form.PLAIN:
                inside = text[: max(0, job.end - at)]
            elif job.end is not None and at >= job.end:
                inside = b""
            if inside:
                part.lines += inside.count(b"\n")
                batch.append(inside)
                size += len(inside)
            beyond = text[len(inside) :]
            if beyond:
                before, end, _ = beyond.partition(b"\n")
                batch.append(before + end)
                size += len(before)
                if end:
                    break
            if size >= _BATCH:
                yield b"".join(batch)
                batch, size = [], 0
    except BgzfError:
        # What was whole before the damage is checked all the same.
        whole = b"".join(batch)
        yield whole[: whole.rfind(b"\n") + 1]
        raise
    yield b"".join(batch)


def failed(kind: str, text: str) -> Findings:
    """Findings of a file that can't be read at all."""
    findings = Findings()
    findings.add(kind, WHOLE, text)
    return findings
