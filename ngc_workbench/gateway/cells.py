"""How much one cell shows: a tally for each cell that was run, over all connections to its kernel.

What is counted is what a kernel says in answer to an `execute_request` that passed here, by the request's id. A kernel can write any id
into what it says, so whatever answers no such request counts together, in one more tally that the next cell renews. Once a cell's printed
text is cut, or all of its outputs, they stay cut for that cell; what ends a cell (its reply, its error, the kernel's state) has some room of
its own, so that a page never waits for an end that was cut. Memory is bounded: the cells and the kernels used last are remembered.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from dataclasses import dataclass, field

CELL_LIMIT = 32 * 1024 * 1024
"""Bytes of messages that one cell may show."""

PRINT_LIMIT = 1024 * 1024
"""Bytes of printed text (stdout, stderr) among them."""

TRICKLE = 2 * 1024
"""Bytes that both grow by with each second: a progress bar may run for hours."""

STRAY_RATE = 64 * 1024
"""The same for what belongs to no cell that was run here."""

_ENDING = 1024 * 1024  # room of its own for replies, errors and states
_PRINTED = "stream"
_OUTPUTS = frozenset(
    {"stream", "display_data", "update_display_data", "execute_result", "execute_input", "clear_output"}
)
# Cells remembered for a kernel: those that were sent and have not ended (a page sends all cells of a notebook at once), and the last
# ones that have, as what they started may go on.
_RUNNING = 1000
_ENDED = 32
_KERNELS = 1000
_ID_LIMIT = 128  # characters of a request's id that tell cells apart


@dataclass(frozen=True)
class Verdict:
    """What is done with one message.

    Attributes:
        passes: it may be shown as it is.
        limit: else the limit that it ran into: `printed` or `shown`.
        room: bytes of it that still fit, when it is the first that doesn't.
        cut: number of the cut (a notice is due once for each), 0 when it passes.
    """

    passes: bool
    limit: str = ""
    room: int = 0
    cut: int = 0


_PASSES = Verdict(True)


@dataclass(slots=True)
class Tally:
    """What one cell showed. `grows` is in bytes a second, times in seconds of any steady clock."""

    grows: int
    at: float
    shown: float = 0.0
    printed: float = 0.0
    lost: dict[str, int] = field(default_factory=dict)
    """Bytes that were cut, by limit."""
    cuts: dict[str, int] = field(default_factory=dict)
    """Number of the cut that holds, by limit."""

    def let_pass(self, now: float) -> None:
        """Lets time pass."""
        freed = max(0.0, now - self.at) * self.grows
        self.at = max(now, self.at)
        self.shown, self.printed = max(0.0, self.shown - freed), max(0.0, self.printed - freed)


class Kernel:
    """The tallies of one kernel."""

    def __init__(self) -> None:
        self._running: OrderedDict[str, Tally] = OrderedDict()
        self._ended: OrderedDict[str, Tally] = OrderedDict()
        self._stray = Tally(STRAY_RATE, 0.0)
        self._numbers = itertools.count(1)
        self._told: list[tuple[str, str, int]] = []

    def run(self, request: str, now: float) -> None:
        """A cell is run. An id that was used before keeps its tally."""
        self._take("", self._stray)
        self._stray = Tally(STRAY_RATE, now)
        name = request[:_ID_LIMIT]
        known = self._running.get(name) or self._ended.pop(name, None)
        self._running[name] = known or Tally(TRICKLE, now)
        if len(self._running) > _RUNNING:
            self._take(*self._running.popitem(last=False))

    def judge(self, kind: str, request: str, size: int, now: float) -> Verdict:
        """What is done with a message of this kind and size (bytes) that answers `request`."""
        tally = self._of(request)
        tally.let_pass(now)
        if kind not in _OUTPUTS:
            if tally.shown + size > CELL_LIMIT + _ENDING:
                return self._cut(tally, "shown", size, 0)
            tally.shown += size
            return _PASSES
        left = int(CELL_LIMIT - tally.shown)
        if "shown" in tally.cuts:
            return self._cut(tally, "shown", size, 0)
        if kind == _PRINTED:
            room = int(PRINT_LIMIT - tally.printed)
            if "printed" in tally.cuts:
                return self._cut(tally, "printed", size, 0)
            if size > min(room, left):
                # Of text the part that fits is shown, so that its notice follows something.
                return self._cut(tally, "printed" if room <= left else "shown", size, max(0, min(room, left)))
            tally.printed += size
        elif size > left:
            return self._cut(tally, "shown", size, 0)
        tally.shown += size
        return _PASSES

    def is_cut(self, kind: str, request: str) -> bool:
        """Whether such a message is cut whatever its size: it needn't be looked into."""
        cuts = self._of(request).cuts
        return kind in _OUTPUTS and ("shown" in cuts or (kind == _PRINTED and "printed" in cuts))

    def add(self, request: str, size: int) -> None:
        """Counts what is said in place of a message that was cut."""
        self._of(request).shown += size

    def reports(self, request: str | None = None) -> list[tuple[str, str, int]]:
        """(cell, limit, bytes cut) not told before: of a cell that ends now, and of those forgotten since; None: of all."""
        if request is None:
            self._take("", self._stray)
            for name, tally in (*self._running.items(), *self._ended.items()):
                self._take(name, tally)
        elif (found := self._running.pop(request[:_ID_LIMIT], None)) is not None:
            self._take(request[:_ID_LIMIT], found)
            self._ended[request[:_ID_LIMIT]] = found
            if len(self._ended) > _ENDED:
                self._take(*self._ended.popitem(last=False))
        told, self._told = self._told, []
        return told

    def _of(self, request: str) -> Tally:
        name = request[:_ID_LIMIT]
        return self._running.get(name) or self._ended.get(name) or self._stray

    def _cut(self, tally: Tally, limit: str, size: int, room: int) -> Verdict:
        if limit not in tally.cuts:
            tally.cuts[limit] = next(self._numbers)
        tally.lost[limit] = tally.lost.get(limit, 0) + size - room
        tally.shown += room
        tally.printed += room
        return Verdict(False, limit, room, tally.cuts[limit])

    def _take(self, name: str, tally: Tally) -> None:
        self._told += [(name, limit, count) for limit, count in tally.lost.items()]
        del self._told[1000:]
        tally.lost = {}


class Kernels:
    """The tallies of all kernels, by session and kernel."""

    def __init__(self) -> None:
        self._kernels: OrderedDict[tuple[str, str], Kernel] = OrderedDict()

    def of(self, session: str, kernel: str) -> Kernel:
        """The kernel's tallies; they outlive its connections."""
        found = self._kernels.setdefault((session, kernel), Kernel())
        self._kernels.move_to_end((session, kernel))
        if len(self._kernels) > _KERNELS:
            self._kernels.popitem(last=False)
        return found
