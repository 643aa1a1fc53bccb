"""What a gVCF's text holds, counted without Hail, and compared with what was stored of it."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .faults import Mismatch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_BCFTOOLS = "/usr/bin/bcftools"
_FORMAT = "%POS\\t%INFO/END\\t%ALT\\t[%GT]\\n"
_APART = re.compile(r"[/|]")


@dataclass
class Held:
    """What one person has: records with alleles, calls of an alternative among them, blocks, and the bases in blocks."""

    records: int = 0
    non_reference: int = 0
    blocks: int = 0
    bases: int = 0


def count(lines: Iterable[str]) -> Held:
    """Counts lines of position, END (a dot: none), alternatives and genotype, parted by tabs.

    As Hail's combiner has it: a record with END is a block. A genotype that is unknown in part, or names the alternative
    that stands for all others, is missing.
    """
    held = Held()
    known: dict[tuple[str, str], bool] = {}
    for line in lines:
        position, end, alternatives, genotype = line.rstrip("\n").split("\t")
        if end != ".":
            held.blocks += 1
            held.bases += int(end) - int(position) + 1
            continue
        held.records += 1
        carried = known.get((alternatives, genotype))
        if carried is None:
            carried = _carries(alternatives, genotype)
            if len(known) < 10_000:
                known[alternatives, genotype] = carried
        held.non_reference += carried
    return held


def _carries(alternatives: str, genotype: str) -> bool:
    alleles = _APART.split(genotype)
    if "." in alleles:
        return False
    named = alternatives.split(",")
    real = len(named) - (named[-1] == "<NON_REF>")
    numbers = [int(allele) for allele in alleles]
    return 0 < max(numbers) <= real


def read(file: str) -> Held:
    """Counts a gVCF by bcftools. Raises Mismatch when it can't be read."""
    command = [_BCFTOOLS, "query", "-f", _FORMAT, file]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=None, text=True) as process:
        assert process.stdout is not None  # noqa: S101  (told to mypy)
        held = count(process.stdout)
    if process.returncode:
        raise Mismatch("bcftools could not read a file.")
    return held


def need_kept(read_: Sequence[Held], kept: Sequence[int]) -> None:
    """Raises Mismatch unless each file holds as many records as the check kept."""
    if [one.records + one.blocks for one in read_] != list(kept):
        raise Mismatch("A file does not have the records that the check counted.")


def need_same(files: Mapping[str, Held], stored: Mapping[str, Held]) -> None:
    """Raises Mismatch unless each person's figures, by internal id, are the same in the files and in what was stored."""
    if files.keys() != stored.keys():
        raise Mismatch("The stored people are not those of the files.")
    for name, what in (
        ("records", "records with alleles"),
        ("non_reference", "calls of an alternative"),
        ("blocks", "reference blocks"),
        ("bases", "bases in reference blocks"),
    ):
        wrong = sum(getattr(files[one], name) != getattr(stored[one], name) for one in files)
        if wrong:
            raise Mismatch(f"{wrong} of {len(files)} people do not have as many {what} as their files.")
