"""Regions of a genome: 1-based, both ends included, as `chr1:1000-2000` or a whole chromosome `chr1`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ngc_workbench.errors import InputError
from ngc_workbench.genomes.reference import LENGTHS, bare, hail_name

_REGION = re.compile(r"(?P<contig>[A-Za-z0-9]{1,8})(?::(?P<start>[\d,_]{1,14})(?:-(?P<end>[\d,_]{1,14}))?)?")
_MOST = 100_000
"""Regions of one cohort: a whole exome's targets would be more, and are better given as an approval for everything."""


@dataclass(frozen=True, order=True)
class Region:
    """A stretch of a chromosome; `contig` as Hail names it in the genome."""

    contig: str
    start: int
    end: int

    def __str__(self) -> str:
        return f"{self.contig}:{self.start}-{self.end}"

    @classmethod
    def known(cls, genome: str, contig: str, start: int, end: int) -> Region | None:
        """The region, cut to its chromosome; None when the contig is no chromosome or the place is not on it."""
        length = LENGTHS[genome].get(bare(contig))
        if length is None or start > length or end < max(start, 1):
            return None
        return cls(hail_name(genome, contig), max(start, 1), min(end, length))

    @classmethod
    def parse(cls, text: str, genome: str) -> Region:
        """From `chr1`, `1:1000-2000` or `chr1:1,000-2,000`, whichever way the genome writes it. Raises InputError."""
        found = _REGION.fullmatch(text.strip())
        length = LENGTHS[genome].get(bare(found["contig"])) if found else None
        if found is None or length is None:
            raise InputError(
                f"{text[:40]!r} is not a region of {genome}.", "Write it as chr1:1000-2000, or chr1 for all of it."
            )
        start = int(re.sub("[,_]", "", found["start"]) or 0) if found["start"] else 1
        end = int(re.sub("[,_]", "", found["end"]) or 0) if found["end"] else (start if found["start"] else length)
        if not 1 <= start <= end <= length:
            raise InputError(
                f"{text[:40]!r} is not on its chromosome of {genome}, which has {length} bases.",
                "Check the genome that the regions were made for.",
            )
        return cls(hail_name(genome, found["contig"]), start, end)


def merged(regions: Iterable[Region], genome: str) -> tuple[Region, ...]:
    """The regions in the order of the genome, those that touch or overlap as one. Raises InputError for too many."""
    order = {hail_name(genome, name): at for at, name in enumerate(LENGTHS[genome])}
    found: list[Region] = []
    for region in sorted(regions, key=lambda one: (order[one.contig], one.start, one.end)):
        if found and found[-1].contig == region.contig and region.start <= found[-1].end + 1:
            found[-1] = Region(region.contig, found[-1].start, max(found[-1].end, region.end))
        else:
            found.append(region)
    if len(found) > _MOST:
        raise InputError(f"{len(found)} regions are too many for a cohort.", f"Give at most {_MOST}.")
    return tuple(found)


def read_bed(path: Path, genome: str) -> list[Region]:
    """Regions of a BED file (0-based, the end excluded). Raises InputError with the line."""
    found = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name} can't be read.", "Give a BED file in UTF-8.") from error
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith(("#", "track", "browser")):
            continue
        cells = line.split("\t")
        if len(cells) < 3 or not (cells[1].isdigit() and cells[2].isdigit() and int(cells[1]) < int(cells[2])):
            raise InputError(
                f"{path.name}, line {number}: that is not a line of a BED file.",
                "Chromosome, start, end, parted by tabs.",
            )
        try:
            found.append(Region.parse(f"{cells[0]}:{int(cells[1]) + 1}-{cells[2]}", genome))
        except InputError as error:
            raise InputError(f"{path.name}, line {number}: {error.what}", error.remedy) from error
    return found
