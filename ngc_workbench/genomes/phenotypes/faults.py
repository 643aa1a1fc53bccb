"""Faults of a table, gathered so that a custodian sees all that is wrong at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from ngc_workbench.errors import InputError
from ngc_workbench.genomes.phenotypes.sources import Source

MOST_SHOWN = 20
_REMEDY = "Mend the table, or the schema where that is wrong."


@dataclass(frozen=True, order=True)
class Fault:
    """One fault: the row's number in the file (0 for the header), the column's index, and what is wrong, no value."""

    number: int
    at: int
    column: str
    what: str


@dataclass
class Faults:
    """Faults as they are found, in any order; of many, only the first by row and column are kept."""

    source: Source
    count: int = 0
    _kept: list[Fault] = field(default_factory=list)

    def add(self, number: int, at: int, column: str, what: str) -> None:
        """Adds a fault."""
        self.count += 1
        self._kept.append(Fault(number, at, column, what))
        if len(self._kept) > 50 * MOST_SHOWN:
            self._kept = self._first()

    def _first(self) -> list[Fault]:
        return sorted(self._kept)[:MOST_SHOWN]

    def refuse(self) -> None:
        """Raises InputError when there are faults; it lists the first by row and column, and the number of others."""
        if not self.count:
            return
        lines = [self._line(fault) for fault in self._first()]
        if self.count == 1:
            raise InputError(f"{self.source.name}, {lines[0]}.", _REMEDY)
        if self.count > len(lines):
            lines.append(f"and {self.count - len(lines)} more")
        listed = "".join(f"\n  {line}" for line in lines)
        raise InputError(f"{self.source.name} has {self.count} faults:{listed}\n", _REMEDY)

    def _line(self, fault: Fault) -> str:
        where = f"{self.source.word} {fault.number}, " if fault.number else ""
        return f"{where}column {fault.column}: {fault.what}"
