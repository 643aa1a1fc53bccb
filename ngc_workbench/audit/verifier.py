"""Verifies an exported audit log: no database, no network, nothing of the workbench. Needs `cryptography`.

    python verifier.py BUNDLE [--public-key FILE] [--witness HEADS.jsonl]

A bundle is a directory of three files. docs/audit.md gives their form byte by byte.

events.jsonl   a line an event: `{"body":<the event>,"leaf":"<hash>"}`; the hash is SHA-256 over 0x00 and the body's bytes
heads.jsonl    a line a signed head: `{"head":{"number","size","root","time","prev","key"},"signature":"<Ed25519>"}`
public.key     the log's public key, 64 hexadecimal digits

What is checked, and what a fault can be pinned to. Each line holds the hash of its own body: an edited byte names its
event. Each body holds its number and the hash of the leaf before: a dropped, inserted or moved event is named by
the gap in the numbers, and an edit by somebody who put the line's own hash right is named by the event that follows. Who
rewrites an event *and all that follow* is found by the first head that covers it, as no root can be made to
fit: the fault is then placed between that head and the last one that holds (a minute apart, in a running system).
What no log can show by itself: that a bundle is not simply an older one. Compare its last head with one that you
got by another way (`--witness`), and the public key with the one that was published.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

CONTEXT = b"ngc-workbench audit head v1\n"
ZEROS = "0" * 64
EVENT_FIELDS = {
    "v": int, "seq": int, "prev": str, "time": str, "clock_back_us": int, "kind": str, "actor": str,
    "decision": str, "reason": str, "project": str, "session": str, "subject": str, "details": dict,
}  # fmt: skip
HEAD_FIELDS = {"number": int, "size": int, "root": str, "time": str, "prev": str, "key": str}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
LONGEST_LINE = 1 << 26

Lines = Callable[[], Iterable[bytes]]


@dataclass(frozen=True)
class Report:
    """What was found.

    `events` follow from each other; `proven` of them stand under a signed head that holds. `first_seq` to `last_seq` are the
    events that the first fault which shows itself concerns (0: it is no event); there is none before `proven`.
    """

    ok: bool
    events: int
    proven: int
    heads: int
    first_fault: str
    lines: list[str] = field(default_factory=list)
    first_seq: int = 0
    last_seq: int = 0


class Fault(Exception):
    """Something that is not as it was written; `first` to `last` are the numbers of the events that it can be."""

    def __init__(self, text: str, first: int = 0, last: int = 0) -> None:
        super().__init__(text)
        self.text, self.first, self.last = text, first, last or first


# -- bytes -------------------------------------------------------------------------------------------


def leaf_hash(body: bytes) -> bytes:
    """RFC 9162: SHA-256(0x00 || body)."""
    return hashlib.sha256(b"\x00" + body).digest()


def canonical(value: Any) -> bytes:
    """RFC 8785, for what occurs here: objects with ASCII keys, text, whole numbers below 2^53, booleans, lists."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


class Tree:
    """RFC 9162 tree over the leaves seen so far, kept as the roots of its perfect subtrees, largest first."""

    def __init__(self) -> None:
        self.size = 0
        self.proven = 0  # the size at the last head whose root is right
        self.parts: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """One more leaf."""
        ones = self.size
        while ones & 1:
            leaf = hashlib.sha256(b"\x01" + self.parts.pop() + leaf).digest()
            ones >>= 1
        self.parts.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """The root."""
        if not self.parts:
            return hashlib.sha256(b"").digest()
        root = self.parts[-1]
        for left in reversed(self.parts[:-1]):
            root = hashlib.sha256(b"\x01" + left + root).digest()
        return root


@dataclass(frozen=True)
class Line:
    """An event whose leaf hash is right, and whose form is as it should be."""

    seq: int
    prev: str
    time: str
    leaf: bytes


def read_event(line: bytes) -> Line:
    """One line of events.jsonl. Raises ValueError saying what is wrong with it by itself."""
    body, leaf = line[8:-75], line[-66:-2]
    if len(line) < 85 or line[:8] != b'{"body":' or line[-75:-66] != b',"leaf":"' or line[-2:] != b'"}':
        raise ValueError("its line is not of the form of an event")
    digest = leaf_hash(body)
    if digest.hex().encode() != leaf:
        raise ValueError("its bytes do not give the hash that stands beside them")
    try:
        values = json.loads(body)
        whole = _has(values, EVENT_FIELDS) and values["v"] == 1 and canonical(values) == body
    except (ValueError, RecursionError):
        whole = False
    if not whole or not TIME.fullmatch(values["time"]) or not all(map(_flat, values["details"].values())):
        raise ValueError("it has not the form of an event (version 1, canonical JSON)")
    return Line(values["seq"], values["prev"], values["time"], digest)


def _has(values: Any, fields: dict[str, type]) -> bool:
    return (
        isinstance(values, dict)
        and values.keys() == fields.keys()
        and all(type(values[name]) is kind for name, kind in fields.items())
    )


def _flat(value: Any) -> bool:
    return type(value) in (str, bool, int) or (isinstance(value, list) and all(type(item) is str for item in value))


# -- heads -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Head:
    """A head whose signature is right."""

    number: int
    size: int
    root: str
    time: str
    digest: str
    prev: str


def read_head(line: bytes, public: bytes) -> Head:
    """One line of heads.jsonl. Raises ValueError."""
    try:
        values = json.loads(line)
        whole = _has(values, {"head": dict, "signature": str}) and _has(values["head"], HEAD_FIELDS)
        whole = whole and canonical(values) == line and TIME.fullmatch(values["head"]["time"]) is not None
        signature = bytes.fromhex(values["signature"]) if whole else b""
    except (ValueError, RecursionError):
        whole = False
    if not whole:
        raise ValueError("its line is not of the form of a head")
    head = values["head"]
    signed = canonical(head)
    if head["key"] != hashlib.sha256(public).hexdigest():
        raise ValueError("it names another key than the log's")
    if values["signature"] != signature.hex() or not _signed(public, signature, CONTEXT + signed):
        raise ValueError("its signature is not the log's")
    digest = hashlib.sha256(signed).hexdigest()
    return Head(head["number"], head["size"], head["root"], head["time"], digest, head["prev"])


def _signed(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def check_heads(lines: Iterable[bytes], public: bytes) -> tuple[list[Head], list[str]]:
    """The good heads in their order, and the faults of the others."""
    good: list[Head] = []
    faults: list[str] = []
    digest, size, time = ZEROS, 0, ""
    for place, line in enumerate(lines, start=1):
        try:
            head = read_head(line, public)
        except ValueError as error:
            faults.append(f"Head {place} was altered: {error}.")
            digest = ""
            continue
        if head.number != place and not faults:
            faults.append(f"Head {place} was dropped or moved: head {head.number} stands in its place.")
        elif digest and head.prev != digest and not faults:
            faults.append(f"Head {place} does not follow from the head before it.")
        elif head.size < size or head.time < time:
            faults.append(f"Head {place} goes back in size or time.")
        good.append(head)
        digest, size, time = head.digest, head.size, head.time
    return good, faults


def check_witness(lines: Iterable[bytes], public: bytes, heads: Sequence[Head]) -> list[str]:
    """Faults of the bundle's heads against heads that came by another way."""
    ours = {head.number: head for head in heads}
    faults: list[str] = []
    for place, line in enumerate(lines, start=1):
        try:
            seen = read_head(line, public)
        except ValueError as error:
            return [f"Line {place} of the witness can't be used: {error}."]
        if seen.number not in ours:
            faults.append(f"The witness holds head {seen.number} over {seen.size} events; it is missing here.")
        elif ours[seen.number].digest != seen.digest:
            faults.append(f"Head {seen.number} is another one than the witness holds: two histories were signed.")
    return faults


# -- events ------------------------------------------------------------------------------------------


def check_events(lines: Lines, heads: Sequence[Head], *, covered: bool) -> tuple[Tree, Fault | None]:
    """The tree up to the first fault, and that fault. `covered`: whether each event must stand under a head."""
    tree = Tree()
    try:
        _walk(lines, heads, tree)
        _check_end(tree, heads, covered=covered)
    except Fault as fault:
        return tree, fault
    return tree, None


def _walk(lines: Lines, heads: Sequence[Head], tree: Tree) -> None:
    roots: dict[int, list[Head]] = {}
    for head in heads:
        roots.setdefault(head.size, []).append(head)
    before = Line(0, "", "", bytes(32))
    for place, line in enumerate(lines(), start=1):
        before = _follows(lines, place, before, line, tree.proven)
        tree.add(before.leaf)
        for head in roots.get(place, ()):
            if head.root != tree.root().hex():
                raise _rewritten(lines, head, before, tree.proven)
            tree.proven = place


def _check_end(tree: Tree, heads: Sequence[Head], *, covered: bool) -> None:
    if any(head.size == 0 and head.root != Tree().root().hex() for head in heads):
        raise Fault("A head over no events has a root that is not that of the empty tree.")
    most = max((head.size for head in heads), default=0)
    first = tree.size + 1
    if tree.size < most:
        raise Fault(f"Event {first} was dropped, and all after it: a head was signed over {most}.", first, most)
    if covered and tree.size > most:
        first = most + 1
        text = f"Event {first} was added at the end, or its head was taken away: no head covers it."
        raise Fault(text, first, tree.size)


def _follows(lines: Lines, place: int, before: Line, line: bytes, proven: int) -> Line:
    """The event in `line`, when it is number `place` and follows `before`. Raises Fault."""
    try:
        event = read_event(line)
    except ValueError as error:
        raise Fault(f"Event {place} was altered: {error}.", place) from None
    if event.seq != place:
        raise _misplaced(lines, place, event)
    if event.prev != (before.leaf.hex() if place > 1 else ZEROS):
        following = _event_at(lines, place + 1)
        if place == 1 or proven == place - 1:
            raise Fault(f"Event {place} was altered: it does not name the hash of the one before.", place)
        if following is not None and following.prev == event.leaf.hex():
            raise Fault(f"Event {place - 1} was altered: event {place} names another hash of it.", place - 1)
        raise Fault(f"Event {place - 1} or event {place} was altered: their hashes do not meet.", place - 1, place)
    if event.time < before.time:
        raise Fault(f"Event {place} was altered: its time lies before that of the event before.", place)
    return event


def _misplaced(lines: Lines, place: int, event: Line) -> Fault:
    """What happened where number `place` should stand and another does."""
    if event.seq < place:
        if event.seq == place - 1:
            return Fault(
                f"Event {event.seq} stands there twice (lines {place - 1} and {place}): one was inserted.",
                event.seq,
                place,
            )
        return Fault(f"Line {place} was inserted: it claims the number {event.seq}, which stands before.", place)
    where: dict[int, list[int]] = {place: [], event.seq: []}
    after = 0
    for number, line in enumerate(lines(), start=1):
        try:
            seq = read_event(line).seq
        except ValueError:
            continue
        if seq in where:
            where[seq].append(number)
        if number == place + 1:
            after = seq
    if len(where[event.seq]) > 1 and where[place]:
        return Fault(f"Line {place} was inserted: a copy of event {event.seq}, before event {place}.", place)
    if where[place]:
        return Fault(f"Event {place} was moved: it stands in line {where[place][0]}.", place)
    if after == place + 1:
        return Fault(f"Event {place} was altered: its number is {event.seq}.", place)
    gone = f"Event {place} was" if event.seq == place + 1 else f"Events {place} to {event.seq - 1} were"
    return Fault(f"{gone} dropped: event {event.seq} stands in line {place}.", place, event.seq - 1)


def _rewritten(lines: Lines, head: Head, last: Line, proven: int) -> Fault:
    following = _event_at(lines, head.size + 1)
    if following is not None and following.prev != last.leaf.hex():
        return Fault(f"Event {head.size} was altered: event {head.size + 1} names another hash of it.", head.size)
    if proven + 1 == head.size:
        return Fault(f"Event {head.size} was altered: head {head.number} was signed over another.", head.size)
    return Fault(
        f"Event {proven + 1} or one up to {head.size} was rewritten with all that follow: head {head.number} was signed over others.",
        proven + 1, head.size,
    )  # fmt: skip


def _event_at(lines: Lines, place: int) -> Line | None:
    for number, line in enumerate(lines(), start=1):
        if number == place:
            try:
                return read_event(line)
            except ValueError:
                return None
    return None


# -- bundle ------------------------------------------------------------------------------------------


def check_log(
    events: Lines, heads: Iterable[bytes], public: bytes, *, witness: Iterable[bytes] = (), notes: Sequence[str] = ()
) -> Report:
    """Checks lines of events (iterated again after a fault) against lines of heads. `notes`: faults found elsewhere."""
    good, faults = check_heads(heads, public)
    if not good and not faults:
        faults.append("There is no signed head.")
    faults += check_witness(witness, public, good)
    tree, fault = check_events(events, good, covered=not faults)
    found = ([fault.text] if fault else []) + faults + list(notes)
    key = hashlib.sha256(public).hexdigest()
    lines = [
        f"Events: {tree.size} follow from each other, {tree.proven} of them are proven by signed heads.",
        f"Signed heads that hold: {len(good)}.",
        f"Key: SHA-256 {key}.",
    ]
    if good:
        lines.append(
            f"Last head: number {good[-1].number}, over {good[-1].size} events, {good[-1].time}, root {good[-1].root}."
        )
    lines += [f"FAULT: {text}" for text in found] or ["Nothing was altered, dropped, inserted or moved."]
    if found:
        lines.append(
            f"Up to event {tree.proven} all is proven. The fault above is the first after it that shows itself."
        )
    first, last = (fault.first, fault.last) if fault else (0, 0)
    return Report(not found, tree.size, tree.proven, len(good), found[0] if found else "", lines, first, last)


def read_lines(path: Path) -> Iterator[bytes]:
    """The lines of a file without their ends. A last line without its end gives the line with a mark that no line has."""
    with path.open("rb") as file:
        while line := file.readline(LONGEST_LINE):
            yield line[:-1] if line.endswith(b"\n") else line + b"\x00"


def read_public_key(path: Path) -> bytes:
    """The public key in a file. Raises ValueError."""
    content = path.read_bytes()
    if not re.fullmatch(rb"[0-9a-f]{64}\n", content):
        raise ValueError("it is not 64 hexadecimal digits and a line end")
    return bytes.fromhex(content.decode())


def verify_bundle(path: Path, *, public_key: Path | None = None, witness: Path | None = None) -> Report:
    """Verifies a bundle's directory. `public_key`: the key as published, in place of the bundle's; `witness`: heads
    that came by another way. Never raises for what a bundle may hold: the report says it.
    """
    try:
        public = read_public_key(path / "public.key")
        if public_key is not None and read_public_key(public_key) != public:
            return _unreadable("public.key is not the key that was published")
    except (OSError, ValueError) as error:
        return _unreadable(f"public.key can't be used: {error}")
    try:
        heads = list(read_lines(path / "heads.jsonl"))
        seen = list(read_lines(witness)) if witness else []
        return check_log(lambda: read_lines(path / "events.jsonl"), heads, public, witness=seen)
    except OSError as error:
        return _unreadable(f"{Path(str(error.filename or path)).name} can't be read: {error.strerror}")


def _unreadable(text: str) -> Report:
    return Report(False, 0, 0, 0, f"{text}.", [f"FAULT: {text}."])


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the report; 0 when all holds, 1 when not."""
    parser = argparse.ArgumentParser(description="Verifies an exported audit log, offline.")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--public-key", type=Path, help="the log's public key, as it was published")
    parser.add_argument("--witness", type=Path, help="heads that came by another way")
    chosen = parser.parse_args(arguments)
    report = verify_bundle(chosen.bundle, public_key=chosen.public_key, witness=chosen.witness)
    sys.stdout.write("\n".join(report.lines) + "\n")
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())
