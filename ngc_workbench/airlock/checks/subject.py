"""The file under check, and what is known around it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from ngc_workbench.airlock.checks import kinds, tables
from ngc_workbench.airlock.checks.finding import Place
from ngc_workbench.airlock.checks.kinds import Kind
from ngc_workbench.airlock.checks.tables import Table

_BREAK: Final = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class Context:
    """What the checks are told: `people` in each view that the project has or had, and the threshold for counts."""

    people: frozenset[int]
    small_count: int


class Subject:
    """One file: its name, its bytes, and (worked out when asked for) its text, kind and table."""

    def __init__(self, name: str, content: bytes) -> None:
        self.name = name
        self.content = content

    @cached_property
    def text(self) -> str | None:
        """The content as text; None when it is not text (UTF-8, UTF-16 with its mark, Latin-1 without control characters)."""
        return decode(self.content)

    @cached_property
    def kind(self) -> Kind:
        """What it is by content."""
        kind = kinds.of(self.content, self.text)
        return kinds.TABLE if kind is kinds.TEXT and self.table is not None else kind

    @cached_property
    def table(self) -> Table | None:
        """The table, when the content is one."""
        if self.text is None or kinds.of(self.content, self.text) is not kinds.TEXT:
            return None
        return tables.read(self.text)

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(found.end() for found in _BREAK.finditer(self.text or ""))]

    def place(self, start: int, end: int) -> Place:
        """Line and column of the characters from `start` to `end` of the text."""
        number = bisect_right(self._line_starts, start)
        begin = self._line_starts[number - 1]
        column = ""
        if self.table is not None:
            column = self.table.column_at((self.text or "")[begin:end], start - begin)
        return Place(number, column)

    def search(self, pattern: re.Pattern[str]) -> Iterator[tuple[Place, str]]:
        """Place and text of each match in the file's text."""
        for match in pattern.finditer(self.text or ""):
            yield self.place(match.start(), match.end()), match.group()


def decode(content: bytes) -> str | None:
    """Bytes as text, or None."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return content.decode("utf-16")
        except UnicodeDecodeError:
            return None
    if b"\x00" in content:
        return None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
        # Text in Latin-1 has no C1 controls; a binary file soon does.
        if re.search(r"[\x80-\x9f]", text):
            return None
    return None if re.search(r"[\x01-\x08\x0e-\x1a\x1c-\x1f]", text) else text
