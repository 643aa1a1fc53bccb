"""How much of a terminal's output reaches the browser: a bucket of bytes that fills slowly, and what is said when it is empty.

A burst passes whole; output that goes on faster than the bucket fills is a flood. From then on nothing passes until the flood has ended,
that is, until the bucket has room again (what comes meanwhile counts against it, down to a floor). Then the last lines are shown, so that a
prompt is never lost.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from ngc_workbench.errors import Refused

BURST = 1024 * 1024
"""Bytes that a terminal may show at once."""

RATE = 64 * 1024
"""Bytes a second that a terminal may show after that."""

TERMINALS = 5
"""Terminals of one session that are open at once."""

SOCKETS = 2
"""Connections to one terminal at once: a page that is loaded anew opens its own before the old one has gone."""

# How far below empty a bucket goes, and how full it is when a flood is over: half a second after it ended.
_FLOOR = RATE // 4
_READY = RATE // 4
_TAIL = 8 * 1024  # characters of the last lines
_BUCKETS = 2000

HOW = "Save it to a file below /outbox, and ask for its release in the portal."


@dataclass
class Bucket:
    """What one terminal may still show, over all connections to it. `at` is in seconds of any steady clock."""

    level: float = BURST
    at: float = 0.0

    def fill(self, now: float) -> None:
        """Lets time pass."""
        self.level = min(BURST, self.level + max(0.0, now - self.at) * RATE)
        self.at = now

    def take(self, count: int) -> bool:
        """Takes so many bytes. False, with the bucket below empty, when it doesn't hold them."""
        held = self.level >= count
        self.level = self.level - count if held else -_FLOOR
        return held

    def drain(self, count: int) -> None:
        """Counts bytes that weren't shown."""
        self.level = max(-_FLOOR, self.level - count)


class Flow:
    """One connection to a terminal."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._tail = ""
        self.cut = 0
        """Bytes that were cut in the flood that goes on; 0 when there is none."""

    def passes(self, text: str, count: int, now: float) -> str:
        """What is shown of a text that takes `count` bytes: all of it, nothing, or what is said as a flood begins."""
        self._bucket.fill(now)
        if not self.cut and self._bucket.take(count):
            return text
        if self.cut:
            self._bucket.drain(count)
        begins = not self.cut
        self.cut += count
        self._tail = _last_lines(self._tail + text)
        if not begins:
            return ""
        return _notice(
            f"[Output stops here: it comes faster than a terminal may show ({BURST // 1024} kB at once, {RATE // 1024} kB a second). "
            f"What comes now is cut until that ends. {HOW}]"
        )

    def settles(self, now: float) -> tuple[str, int] | None:
        """When a flood has ended: what is shown then, and how many bytes were cut. Else None."""
        self._bucket.fill(now)
        if not self.cut or self._bucket.level < _READY:
            return None
        count, self.cut = self.cut, 0
        tail, self._tail = self._tail, ""
        self._bucket.drain(len(tail.encode()))
        return _notice(f"[{_amount(count)} of output were cut. {HOW} The last lines follow.]") + tail, count


class Open:
    """Which terminals are open, and their buckets. Memory is bounded."""

    def __init__(self) -> None:
        self._sockets: dict[tuple[str, str], int] = {}
        self._buckets: OrderedDict[tuple[str, str], Bucket] = OrderedDict()

    def check(self, session: str, name: str | None = None) -> None:
        """Whether the session may have this terminal (None: one more) open. Raises Refused."""
        names = {terminal for owner, terminal in self._sockets if owner == session}
        if name not in names and len(names) >= TERMINALS:
            raise Refused(
                "terminal.too_many", f"A session has at most {TERMINALS} terminals open.", "Close one of them first."
            )
        if name is not None and self._sockets.get((session, name), 0) >= SOCKETS:
            raise Refused(
                "terminal.too_many", f"A terminal is shown in at most {SOCKETS} places.", "Close one of them first."
            )

    def enter(self, session: str, name: str) -> Bucket:
        """Counts a connection; the terminal's bucket. Raises Refused."""
        self.check(session, name)
        key = (session, name)
        self._sockets[key] = self._sockets.get(key, 0) + 1
        bucket = self._buckets.setdefault(key, Bucket())
        self._buckets.move_to_end(key)
        if len(self._buckets) > _BUCKETS:
            self._buckets.popitem(last=False)
        return bucket

    def leave(self, session: str, name: str) -> None:
        """The connection has ended."""
        key = (session, name)
        self._sockets[key] -= 1
        if not self._sockets[key]:
            del self._sockets[key]


def _last_lines(text: str) -> str:
    """The end of a filtered text, begun where a sequence may begin: no control and no line feed stands within one."""
    if len(text) <= _TAIL:
        return text
    end = text[-_TAIL:]
    begins = [at for sign, step in (("\n", 1), ("\r", 1), ("\x1b", 0)) if (at := end.find(sign) + step) >= step]
    return end[min(begins) :] if begins else ""


def _amount(count: int) -> str:
    return f"{count / 1024 / 1024:.1f} MB" if count >= 1024 * 1024 else f"{max(1, count // 1024)} kB"


def _notice(text: str) -> str:
    # colours off, character set back, on a line of its own
    return f"\x1b[0m\x0f\r\n{text}\r\n"
