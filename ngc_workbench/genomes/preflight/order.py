"""The order of records: runs of one contig, positions within it, and records that stand twice.

A file is read in parts, side by side, so each part keeps its runs and the records at both of its ends; `join` checks
what lies across a seam.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from ngc_workbench.genomes.preflight.findings import Findings, shown

Site = tuple[bytes, bytes]
"""REF and ALT of a record."""

TWICE = "a record stands twice: same position and alleles"
_MOST_RUNS = 4096
_MOST_AT_ONE_PLACE = 100_000


@dataclass
class Run:
    """Records of one contig in a row: kept ones, first line, positions, and the sites at the first
    and last position with their lines.
    """

    contig: bytes
    line: int
    first: int = 0
    last: int = -1
    lowest: int = 0
    highest: int = 0
    kept: int = 0
    first_sites: dict[Site, int] = field(default_factory=dict)
    last_sites: dict[Site, int] = field(default_factory=dict)


class Order:
    """Watches the order of the records of a part."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self.runs: list[Run] = []
        self.unsorted = False
        self._run = Run(b"", 0)

    def contig(self, name: bytes, line: int) -> None:
        """A contig begins, or goes on after records of what is no chromosome."""
        if name == self._run.contig:
            return
        # Beyond what is kept, runs of one contig are added up: such a file is out of order anyhow.
        if len(self.runs) >= _MOST_RUNS:
            known = next((run for run in self.runs if run.contig == name), None)
            self._findings.add("contig-again", ("line", line), "a chromosome comes again after another")
            self.unsorted = True
            if known is not None:
                self._run = known
                self._run.last = -1
                return
        self._run = Run(name, line)
        self.runs.append(self._run)

    def place(self, position: int, site: Site, line: int) -> bool:
        """Takes a record; whether it stands there for the first time (as far as records in order tell)."""
        run = self._run
        if position > run.last:
            if run.last < 0:
                run.first = run.lowest = position
                run.first_sites = run.last_sites = {site: line}
            else:
                run.last_sites = {site: line}
            run.last = position
            run.highest = max(run.highest, position)
            return True
        if position == run.last:
            if site in run.last_sites:
                return False
            if len(run.last_sites) < _MOST_AT_ONE_PLACE:
                run.last_sites[site] = line
            return True
        self.unsorted = True
        self._findings.add("unsorted", ("line", line), f"position {position} comes after {run.last}")
        run.last = position
        run.last_sites = {site: line}
        run.lowest = min(run.lowest, position)
        return True

    def keep(self) -> None:
        """The record just placed will be stored."""
        self._run.kept += 1


def join(parts: list[list[Run]], before: list[int], findings: Findings) -> tuple[list[Run], bool, Counter[bytes]]:
    """Puts the runs of parts together.

    `before` are the lines before each part. Gives one run a contig (in the file's order), whether a seam is in order,
    and, by contig, how many records at seams stand twice (those in the later part).
    """
    runs: list[Run] = []
    twice: Counter[bytes] = Counter()
    in_order = True
    for some, lines in zip(parts, before, strict=True):
        for at, run in enumerate(some):
            run.line += lines
            last = runs[-1] if runs else None
            if at or last is None or last.contig != run.contig:
                runs.append(run)
                continue
            last.kept += run.kept
            if run.last < 0:  # none of its records has a position
                continue
            if last.last < 0:
                run.line, run.kept = last.line, last.kept
                runs[-1] = run
                continue
            if run.first < last.last:
                in_order = False
                line = next(iter(run.first_sites.values())) + lines
                findings.add("unsorted", ("line", line), f"position {run.first} comes after {last.last}")
            elif run.first == last.last:
                for site in last.last_sites.keys() & run.first_sites.keys():
                    twice[run.contig] += 1
                    findings.add("duplicate", ("line", run.first_sites[site] + lines), TWICE)
                if run.last_sites is run.first_sites:  # no other position yet
                    run.last_sites = run.last_sites | last.last_sites
            last.lowest = min(last.lowest, run.lowest)
            last.highest = max(last.highest, run.highest)
            last.last, last.last_sites = run.last, run.last_sites
    merged: dict[bytes, Run] = {}
    for run in runs:
        first = merged.setdefault(run.contig, run)
        if first is not run:
            in_order = False
            findings.add(
                "contig-again", ("line", run.line), f"chromosome {shown(run.contig)} comes again after another"
            )
            first.kept += run.kept
            first.lowest = min(first.lowest or run.lowest, run.lowest or first.lowest)
            first.highest = max(first.highest, run.highest)
    return list(merged.values()), in_order, twice
