"""A copy of a file with nothing but what will be stored, for tools that can't be told to leave the rest out."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from ngc_workbench.errors import IntegrityError
from ngc_workbench.genomes.bgzf import BgzfError, BgzfWriter
from ngc_workbench.genomes.preflight.files import VcfFile, key_of, open_file
from ngc_workbench.genomes.preflight.findings import Findings
from ngc_workbench.genomes.preflight.kinds import need_known
from ngc_workbench.genomes.preflight.records import Records
from ngc_workbench.genomes.preflight.text import LineTooLong, Seen, nothing, numbered, pieces

_CHANGED = IntegrityError("A VCF changed after it was checked.", "Leave the files alone during an ingest; start again.")


def write_kept(file: VcfFile, target: Path, *, accept: Collection[str], seen: Seen = nothing) -> None:
    """Writes the header and the records to be stored, with plain line ends, as BGZF, in the order in which they stand.

    `file` and `accept` are those of the check. Raises IntegrityError when the records written are not as many as the
    check counted; `target` is then not there.
    """
    options = need_known(accept)
    opened = open_file(file.path)
    header = opened.header
    if header is None or opened.genome != file.genome:
        raise _CHANGED
    records = Records(header, file.genome, options, Findings())
    # Records that are out of order may stand twice far apart.
    known: set[int] | None = set() if not file.sorted and "duplicate-records" in options else None
    written = 0
    try:
        with BgzfWriter(target) as out, file.path.open("rb") as source:
            for number, line in numbered(pieces(source, opened.form, seen)):
                if number > header.lines:
                    if not records.check(number, line) or (known is not None and not _new(line, known)):
                        continue
                    written += 1
                out.write(line.removesuffix(b"\r") + b"\n")
            if written != file.kept:
                raise _CHANGED
    except (BgzfError, LineTooLong) as error:
        raise _CHANGED from error


def _new(line: bytes, known: set[int]) -> bool:
    fields = line.split(b"\t", 5)
    key = key_of(b"\t".join(fields[:2]), b"\t".join(fields[3:5]))
    if key in known:
        return False
    known.add(key)
    return True
