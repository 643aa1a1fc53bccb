"""What is said on a terminal's WebSocket, and what is asked about terminals over HTTP: two tables, read strictly.

A message is a JSON array in text: its kind, then its values (terminado's protocol, which jupyter_server_terminals speaks). What was
read is written anew, so that both ends of the line see the same message that was judged. Anything else is malformed.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from ngc_workbench.errors import Refused
from ngc_workbench.gateway.frames import Malformed
from ngc_workbench.gateway.sockets import size_of

TYPED_LIMIT = 64 * 1024
"""Largest message from the browser, in bytes."""

SHOWN_LIMIT = 16 * 1024 * 1024
"""Largest message from the session that is read, in bytes: a reconnecting browser gets what the terminal remembers at once."""

NAME = r"[A-Za-z0-9_]{1,40}"
"""Names of terminals."""

FROM_BROWSER: dict[str, str] = {
    "stdin": "what is typed or pasted; a line is recorded before its end is passed on",
    "set_size": "rows and columns of the screen",
}
"""Kind of message → what it is for."""

TO_BROWSER: dict[str, str] = {
    "setup": "the terminal is there",
    "stdout": "text for the screen; what reaches beyond the screen is taken out",
    "disconnect": "the shell has ended",
}
"""Kind of message → what it is for."""

_MOST_CELLS = 10_000  # rows or columns
_PLACE_LIMIT = 1024  # characters of a folder's path
_NO_NAME = re.compile(r"[\x00-\x1f\x7f]")
_TIME = re.compile(r"[0-9T:.Z+-]{1,40}")


class TooLong(Malformed):
    """More is typed at once than one message may hold."""


@dataclass(frozen=True)
class Said:
    """One message. `text` belongs to stdin and stdout, `rows` and `columns` to set_size."""

    kind: str
    text: str = ""
    rows: int = 0
    columns: int = 0

    def written(self) -> str:
        """The message as it travels."""
        values: dict[str, list[Any]] = {
            "set_size": [self.rows, self.columns],
            "setup": [{}],
            "disconnect": [1],
        }
        return json.dumps([self.kind, *values.get(self.kind, [self.text])])


def from_browser(data: str | bytes) -> Said:
    """Reads a message of the browser's. Raises TooLong, Malformed."""
    if size_of(data) > TYPED_LIMIT:
        raise TooLong("more than may be typed at once")
    kind, values = _array(data)
    if kind == "stdin" and len(values) == 1 and isinstance(values[0], str):
        if any("\ud800" <= sign <= "\udfff" for sign in values[0]):
            raise Malformed("half a character")
        return Said(kind, text=values[0])
    # rows and columns; JupyterLab adds height and width in pixels, which nobody reads
    if kind == "set_size" and len(values) in (2, 4) and all(type(value) is int for value in values):
        rows, columns = values[:2]
        if 0 < rows <= _MOST_CELLS and 0 < columns <= _MOST_CELLS:
            return Said(kind, rows=rows, columns=columns)
    raise Malformed("no message of a terminal's")


def to_browser(data: str | bytes) -> Said:
    """Reads a message of the session's. Raises Malformed."""
    kind, values = _array(data)
    if kind == "stdout" and len(values) == 1 and isinstance(values[0], str):
        return Said(kind, text=values[0])
    if (kind, values) == ("setup", [{}]) or (kind == "disconnect" and values == [1] and type(values[0]) is int):
        return Said(kind)
    raise Malformed("no message of a terminal's")


def _array(data: str | bytes) -> tuple[str, list[Any]]:
    if isinstance(data, bytes):
        raise Malformed("bytes in a protocol of text")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise Malformed("no JSON") from None
    if not isinstance(value, list) or not value or not isinstance(value[0], str):
        raise Malformed("no array that begins with a kind")
    return value[0], value[1:]


# -- /api/terminals ------------------------------------------------------------------------------------


def check_start(raw: bytes) -> bytes:
    """The request for a new terminal, written anew: its name and folder, and no program of its own. Raises Refused."""
    fields = _object(raw or b"{}")
    name, place = fields.pop("name", None), fields.pop("cwd", None)
    kept: dict[str, str] = {}
    if name is not None:
        kept["name"] = _matching(name, re.compile(NAME))
    if place is not None:
        if not isinstance(place, str) or len(place) > _PLACE_LIMIT or _NO_NAME.search(place):
            raise _malformed()
        kept["cwd"] = place
    if fields:
        raise _malformed()
    return json.dumps(kept).encode()


def check_answer(raw: bytes) -> bytes:
    """The answer about one terminal or all of them, written anew: names and times. Raises Refused."""
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        value = None
    try:
        kept = [_model(one) for one in value] if isinstance(value, list) else _model(value)
    except Refused:
        raise Refused("answer.malformed", "The session's answer can't be read.") from None
    return json.dumps(kept).encode()


def _model(value: Any) -> dict[str, str]:
    fields = value if isinstance(value, dict) else {}
    kept = {"name": _matching(fields.get("name"), re.compile(NAME))}
    if "last_activity" in fields:
        kept["last_activity"] = _matching(fields["last_activity"], _TIME)
    return kept


def _matching(value: Any, pattern: re.Pattern[str]) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise _malformed()
    return value


def _object(raw: bytes) -> dict[str, Any]:
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        raise _malformed() from None
    if not isinstance(value, dict):
        raise _malformed()
    return value


def _malformed() -> Refused:
    return Refused(
        "terminal.request", "A terminal is started with a name and a folder, and with nothing else.",
        "Open it from JupyterLab's launcher.",
    )  # fmt: skip
