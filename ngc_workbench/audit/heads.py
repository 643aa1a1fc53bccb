"""Signed heads, and the file that they go to.

A head says: the log had `size` events, and this root. Heads are numbered and each holds the hash of the one before,
so that a head that was dropped from the file is missed too. The file is only ever appended to: in production it
stands where the database's owner can't rewrite it (append-only attribute, other mount, see docs/audit.md).
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import rfc8785

from ngc_workbench.audit.events import FIRST_PREV, micros, timestamp
from ngc_workbench.audit.keys import Keys
from ngc_workbench.errors import IntegrityError, Unavailable

CONTEXT = b"ngc-workbench audit head v1\n"
"""Put before what is signed: a signature made for a head can't pass for anything else."""


@dataclass(frozen=True)
class Head:
    """One head. `root`, `prev` (SHA-256 of the canonical head before) and `key` (of the public key) in hexadecimal."""

    number: int
    size: int
    root: str
    time: str
    prev: str
    key: str

    def canonical(self) -> bytes:
        """RFC 8785 JSON."""
        return rfc8785.dumps(asdict(self))

    def line(self, keys: Keys) -> bytes:
        """The signed line of heads.jsonl, without its end."""
        signature = keys.signing.sign(CONTEXT + self.canonical()).hex()
        return rfc8785.dumps({"head": asdict(self), "signature": signature})

    @classmethod
    def from_line(cls, line: str | bytes) -> Head:
        """The head in a line; says nothing about its signature. Raises ValueError."""
        try:
            return cls(**json.loads(line)["head"])
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a head: {error}") from error


def next_head(before: Head | None, size: int, root: bytes, keys: Keys) -> Head:
    """The head to sign for a tree. Its time is never earlier than that of the head before."""
    now = timestamp(micros(datetime.now(UTC)))
    if before is None:
        return Head(1, size, root.hex(), now, FIRST_PREV, keys.key_id)
    prev = hashlib.sha256(before.canonical()).hexdigest()
    return Head(before.number + 1, size, root.hex(), max(now, before.time), prev, keys.key_id)


def last_in(path: Path) -> tuple[Head | None, bool]:
    """The last head of the file, and whether the file ends in the middle of a line (a crash while writing).

    Raises IntegrityError when its last whole line is no head.
    """
    try:
        with path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - 16384))
            tail = file.read()
    except FileNotFoundError:
        return None, False
    torn = bool(tail) and not tail.endswith(b"\n")
    # From the end: a torn line that a later writer closed is passed over; a whole one that only lacks its end counts.
    for line in reversed(tail.split(b"\n")):
        if is_torn(line):
            continue
        try:
            return Head.from_line(line), torn
        except ValueError as error:
            raise IntegrityError(
                "The last line of the audit log's heads.jsonl is no head.", "Call the security officer."
            ) from error
    return None, torn


def is_torn(line: bytes) -> bool:
    """Whether a line is the beginning of a head that was never finished (or empty). To tear a line so as to hide a head is
    of no use: the next head's number and hash miss it.
    """
    return b'"signature":"' not in line or not line.endswith(b'"}')


def append_line(path: Path, line: bytes, *, after_torn: bool) -> None:
    """Appends one line and waits until the disk has it. Raises Unavailable."""
    try:
        fresh = not path.exists()
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            whole = (b"\n" if after_torn else b"") + line + b"\n"
            if os.write(handle, whole) != len(whole):
                raise Unavailable(
                    "The disk of the audit log's heads is full.", "Free space; the next head mends the file."
                )
            os.fsync(handle)
        finally:
            os.close(handle)
        if fresh:
            folder = os.open(path.parent, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)
    except OSError as error:
        raise Unavailable(
            f"The audit log's heads can't be written: {error.strerror}.", "Check the disk of the log's directory."
        ) from error
