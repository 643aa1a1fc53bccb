"""`python -m tests.benchmarks [--only ROOM]`: measures, prints a table, writes build/bench.json."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence

from ngc_workbench.settings import ROOT
from tests.benchmarks import door, genomes, sessions
from tests.benchmarks.measure import Measure, table, write

ROOMS: dict[str, Callable[[Callable[[str], None]], Awaitable[Sequence[Measure]]]] = {
    "door": door.measure,
    "genomes": genomes.measure,
    "sessions": sessions.measure,
}
RESULTS = ROOT / "build" / "bench.json"


def say(text: str) -> None:
    """Progress, beside the results."""
    sys.stderr.write(f"  {text}\n")
    sys.stderr.flush()


async def run(rooms: list[str]) -> list[Measure]:
    """The ratios of all these rooms."""
    found: list[Measure] = []
    for room in rooms:
        found += await ROOMS[room](say)
    return found


def main() -> None:
    """Reads the command line, measures, tells."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--only", choices=sorted(ROOMS), help="measure this room alone")
    chosen = parser.parse_args().only
    found = asyncio.run(run([chosen] if chosen else sorted(ROOMS)))
    write(found, RESULTS)
    sys.stdout.write(f"{table(found)}\n\nWritten to {RESULTS.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
