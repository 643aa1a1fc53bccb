"""Runs in the image of sessions: unpacks every file below /data and searches it.

Request on standard input: {"needles": [text]}. Answer: {"found": {path: [number of the needle]}, "blocks": unpacked,
"left": bytes of Hail's files that no block holds}. Hail's own files are rows of blocks: a length (LEB128), the length
when unpacked (4 bytes), a Zstandard frame.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

import pyarrow as pa

FRAME = b"\x28\xb5\x2f\xfd"
ZSTD = pa.Codec("zstd")


def length_at(raw: bytes, at: int) -> tuple[int, int]:
    """A LEB128 number and where it ends."""
    value = shift = 0
    while at < len(raw):
        value |= (raw[at] & 127) << shift
        shift += 7
        at += 1
        if not raw[at - 1] & 128:
            break
    return value, at


def unpack(raw: bytes) -> tuple[bytes, int, int]:
    """Content of all blocks, their number, and the bytes that are in none."""
    content, blocks, left, at = [], 0, 0, 0
    while at < len(raw):
        length, start = length_at(raw, at)
        if raw[start + 4 : start + 8] == FRAME:
            size = int.from_bytes(raw[start : start + 4], "little")
            content.append(ZSTD.decompress(raw[start + 4 : start + length], size, asbytes=True))
            blocks += 1
            at = start + length
        else:
            left += 1
            at += 1
    return b"".join(content), blocks, left


def search(pieces: list[bytes], needles: dict[bytes, list[tuple[int, bytes]]]) -> list[int]:
    """Numbers of the needles that stand in a piece. `needles` are grouped by their first bytes: most begin alike."""
    return [
        number
        for head, group in needles.items()
        for piece in pieces
        if head in piece
        for number, needle in group
        if needle in piece
    ]


found, blocks, left = {}, 0, 0
needles: dict[bytes, list[tuple[int, bytes]]] = {}
for number, needle in enumerate(json.load(sys.stdin)["needles"]):
    needles.setdefault(needle.encode()[:4], []).append((number, needle.encode()))
for path in Path("/data").rglob("*"):
    pieces = [path.name.encode()]
    if path.is_file():
        raw = path.read_bytes()
        pieces.append(raw)
        if raw[:2] == b"\x1f\x8b":
            pieces.append(gzip.decompress(raw))
        elif FRAME in raw:
            content, more, rest = unpack(raw)
            pieces.append(content)
            blocks += more
            left += rest
    if hits := search(pieces, needles):
        found[str(path.relative_to("/data"))] = hits[:5]
sys.stdout.write(json.dumps({"found": found, "blocks": blocks, "left": left}) + "\n")
