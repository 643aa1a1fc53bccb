"""Runs of two sides in turn, and what came of them."""

from __future__ import annotations

import json
import statistics
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

Side = Callable[[], Awaitable[float]]


@dataclass(frozen=True)
class Ratio:
    """The median of ours over the median of the peer's, with the seconds of each run."""

    name: str
    what: str
    peer: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...]

    @property
    def value(self) -> float:
        """Below 1 we are quicker."""
        return statistics.median(self.ours) / statistics.median(self.theirs)

    def record(self) -> dict[str, Any]:
        """As it stands in the JSON file."""
        return {
            "value": round(self.value, 3),
            "unit": "ratio",
            "peer": self.peer,
            "what": self.what,
            "ours_s": [round(seconds, 2) for seconds in self.ours],
            "peer_s": [round(seconds, 2) for seconds in self.theirs],
        }

    def row(self) -> tuple[str, ...]:
        """As it stands in the table: measure, ours, peer, value, spread, what the peer is."""
        ours, theirs = (f"{statistics.median(values):.2f} s" for values in (self.ours, self.theirs))
        low = min(self.ours) / max(self.theirs)
        high = max(self.ours) / min(self.theirs)
        return (self.name, ours, theirs, f"{self.value:.2f}", f"{low:.2f} to {high:.2f}", self.peer)


@dataclass(frozen=True)
class Figure:
    """A ratio of other things than ours over a peer's seconds: bytes, sizes of one side, how much quicker we are.

    `ours` and `theirs` are what was compared, in words; `seen` are the measurements, as they stand in the JSON file.
    """

    name: str
    what: str
    peer: str
    value: float
    ours: str
    theirs: str
    seen: dict[str, Any]
    unit: str = "ratio"

    def record(self) -> dict[str, Any]:
        """As it stands in the JSON file."""
        return {"value": round(self.value, 4), "unit": self.unit, "peer": self.peer, "what": self.what, **self.seen}

    def row(self) -> tuple[str, ...]:
        """As it stands in the table."""
        return (self.name, self.ours, self.theirs, f"{self.value:.2f}", "", self.peer)


class Measure(Protocol):
    """What the table and the file of results hold."""

    @property
    def name(self) -> str:
        """Its name in both."""

    def record(self) -> dict[str, Any]:
        """As it stands in the JSON file."""

    def row(self) -> tuple[str, ...]:
        """As it stands in the table."""


async def in_turn(
    name: str, what: str, peer: str, ours: Side, theirs: Side, *, runs: int, say: Callable[[str], None]
) -> Ratio:
    """Runs both sides alternately, `runs` times each, after one run of each that doesn't count.

    In turn, since what else the machine does then falls on both; and each first by halves, since the second
    of a pair finds warmer caches. A side gives the seconds that it took.
    """
    seconds: dict[str, list[float]] = {"ours": [], "peer": []}
    sides = {"ours": ours, "peer": theirs}
    for number in range(runs + 1):
        order = ("ours", "peer") if number % 2 else ("peer", "ours")
        for side in order:
            took = await sides[side]()
            say(f"{name}: {side} {took:.2f} s{'' if number else ' (warm-up)'}")
            if number:
                seconds[side].append(took)
    return Ratio(name, what, peer, tuple(seconds["ours"]), tuple(seconds["peer"]))


def table(measures: Sequence[Measure]) -> str:
    """The results as lines for a person."""
    rows = [("measure", "ours", "peer", "ratio", "spread", "peer is"), *(one.row() for one in measures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def write(measures: Sequence[Measure], path: Path) -> None:
    """Puts the results into the JSON file; those of parts that weren't measured now stay."""
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = {}
    found.update({one.name: one.record() for one in measures})
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    new.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    new.replace(path)
