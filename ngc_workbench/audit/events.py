"""An event, and its one form as bytes: RFC 8785 JSON. Those bytes are the leaf of the tree.

The leaf's fields are fixed, and all of them always there:

v               1, the version of this form
seq             number of the event, from 1, without gaps
prev            hash of the leaf before (64 zeros for the first): an edit is noticed by the event that follows it
time            UTC, RFC 3339 with six decimals; never earlier than that of the event before
clock_back_us   0, or by how many microseconds the clock lay behind the event before (`time` is then that event's)
kind            one of `vocabulary.KINDS`
actor           who: `person:<tag>`, `service:<name>`, or empty
decision        allow, deny or none
reason          the rule that decided, by its stable name
project, session, subject   what it was about; may be empty
details         flat: text, whole numbers, yes/no, lists of text
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

import rfc8785

VERSION = 1
FIRST_PREV = "0" * 64
DecisionWord = Literal["allow", "deny", "none"]
Detail = str | int | bool | Sequence[str]
StoredDetail = str | int | bool | list[str]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
_MOST_TEXT = 2000
_MOST_ITEMS = 1000
_MOST_NUMBER = 2**53 - 1
# A date and four digits (a substitute number's day has 60 added); no control digit, as numbers since 2007 need not have one. A long hexadecimal number is
# matched first and left alone: hashes hold such digits by chance.
_CPR_OR_HASH = re.compile(
    r"(?<![0-9A-Za-z])[0-9a-fA-F]{32,}(?![0-9A-Za-z])"
    r"|(?<!\d)(?:[06][1-9]|[1278]\d|[39][01])(?:0[1-9]|1[0-2])\d{2}[ -]?\d{4}(?!\d)"
)


@dataclass(frozen=True)
class Event:
    """One event as stored. `actor`, and whatever else names a person, are tags (see `AuditLog.names`)."""

    seq: int
    prev: str
    time: str
    kind: str
    actor: str
    decision: str
    reason: str
    project: str = ""
    session: str = ""
    subject: str = ""
    details: dict[str, StoredDetail] = field(default_factory=dict)
    clock_back_us: int = 0

    def body(self) -> bytes:
        """The leaf's bytes."""
        return rfc8785.dumps({"v": VERSION, **asdict(self)})

    @property
    def moment(self) -> datetime:
        """`time` as a point in time (UTC)."""
        return datetime.fromisoformat(self.time)

    @classmethod
    def from_body(cls, body: str | bytes) -> Event:
        """The event of a leaf. Raises ValueError for another version or form."""
        values = json.loads(body)
        if not isinstance(values, dict) or values.pop("v", None) != VERSION:
            raise ValueError("not an event of this version")
        try:
            return cls(**values)
        except TypeError as error:
            raise ValueError(f"not an event: {error}") from error


def micros(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def timestamp(micros_since_1970: int) -> str:
    """The form of time in leaves and heads."""
    moment = _EPOCH + timedelta(microseconds=micros_since_1970)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"


def plain_text(value: str) -> str:
    """Text fit for a leaf: valid Unicode, of bounded length, CPR numbers masked as `[cpr]`.

    It changes what it must instead of refusing: text of requests comes from hostile ground, and nobody may escape
    being recorded by sending something that the log does not take.
    """
    value = value.encode("utf-8", "replace").decode("utf-8")
    value = _CPR_OR_HASH.sub(lambda found: found[0] if len(found[0]) >= 32 else "[cpr]", value)
    if len(value) > _MOST_TEXT:
        value = f"{value[:_MOST_TEXT]}…(+{len(value) - _MOST_TEXT} characters)"
    return value


def plain_details(details: Mapping[str, Detail]) -> dict[str, StoredDetail]:
    """Details fit for a leaf. Raises ValueError for a key or a type that no caller should give."""
    return {_key(key): _plain(key, value) for key, value in details.items()}


def _key(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise ValueError(f"{key!r} can't be a key of an event's details: lowercase letters, digits, underscores")
    return key


def _plain(key: str, value: Detail) -> StoredDetail:
    if isinstance(value, str):
        return plain_text(value)
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        if abs(value) > _MOST_NUMBER:
            raise ValueError(f"{key}: {value} is beyond what JSON keeps exactly")
        return value
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        items = [plain_text(item) for item in value[:_MOST_ITEMS]]
        return items if len(value) <= _MOST_ITEMS else [*items, f"…(+{len(value) - _MOST_ITEMS} items)"]
    raise ValueError(f"{key}: an event's details are text, whole numbers, yes/no, or lists of text")
