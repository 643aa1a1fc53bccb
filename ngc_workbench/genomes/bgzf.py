"""BGZF, the blocked gzip of genome files: read with every check it offers, and written.

A BGZF file is a row of gzip members of at most 64 KiB, each saying its length in an extra field `BC`, and ends with a
fixed empty one. Hail takes a file that was cut between two blocks without a word, so the end marker is insisted on.
Format: SAM/BAM specification (hts-specs SAMv1), section 4.1.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from io import RawIOBase
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from isal import isal_zlib
from isal.igzip_lib import IsalError

EOF_MARKER = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
_FIXED = struct.Struct("<4BI2BH")
_TAIL = struct.Struct("<II")
_MOST_OF_BLOCK = _MOST_CONTENT = 1 << 16
_READ = 1 << 20
_MOST_IN_BLOCK = 65280
"""Bytes of content in a block, as bgzip has it: what does not compress still fits into 64 KiB."""


class BgzfError(Exception):
    """The file is not sound BGZF. `what` and `remedy` are for a person.

    `kind` is plain-gzip, truncated, damaged, end-marker or trailing-bytes; `at` is the byte where it was noticed.
    """

    def __init__(self, kind: str, at: int, what: str, remedy: str) -> None:
        super().__init__(what)
        self.kind = kind
        self.at = at
        self.what = what
        self.remedy = remedy


_AGAIN = "Copy or make the file again, and compare its checksum with the sender's."


def is_gzip(head: bytes) -> bool:
    """Whether a file that begins so is gzip of any kind."""
    return head[:2] == b"\x1f\x8b"


def is_bgzf(head: bytes) -> bool:
    """Whether a file that begins so (18 bytes and more) is BGZF."""
    return is_gzip(head) and _size_of(head) is not None


def block_size(head: bytes) -> int | None:
    """Length of the block that begins so (18 bytes are enough for bgzip's own); None when it is no BGZF block."""
    return _size_of(head)


def blocks(
    file: IO[bytes], seen: Callable[[bytes], object], *, start: int = 0, end: int | None = None
) -> Iterator[tuple[int, bytes]]:
    """Yields the place and content of each block, checked (length, CRC-32, end marker). `seen` gets every raw byte.

    `start` is where to begin, a block's first byte; `end` ends the reading at the block that begins there or later,
    without a look at the end marker. Raises BgzfError.
    """
    file.seek(start)
    raw = b""
    at = 0
    base = start  # place in the file of the first byte of `raw`
    last = b""
    while end is None or base + at < end:
        if len(raw) - at < _MOST_OF_BLOCK:
            more = file.read(_READ)
            seen(more)
            base, raw, at = base + at, raw[at:] + more, 0
            if not raw:
                break
        position = base + at
        size = _checked_size(raw[at : at + _MOST_OF_BLOCK], position, after_marker=last == EOF_MARKER)
        last = raw[at : at + size]
        yield position, _content(last, position)
        at += size
    else:
        return
    if last != EOF_MARKER:
        raise BgzfError(
            "end-marker",
            base,
            "the end marker is missing, so blocks at the end may be lost",
            "Copy or make the file again with bgzip.",
        )


def _checked_size(head: bytes, position: int, *, after_marker: bool) -> int:
    """Length of the block at the start of `head`, all of which is there. Raises BgzfError."""
    if head[:3] != b"\x1f\x8b\x08"[: len(head)]:
        if after_marker:
            raise BgzfError("trailing-bytes", position, "bytes that belong to no block follow the end marker", _AGAIN)
        raise BgzfError("damaged", position, f"byte {position} should start a new block, but does not", _AGAIN)
    if len(head) < 18:
        raise BgzfError("truncated", position, f"the file is cut off at byte {position + len(head)}", _AGAIN)
    size = _size_of(head)
    if size is None:
        if position:
            raise BgzfError("damaged", position, f"byte {position} should start a new block, but does not", _AGAIN)
        raise BgzfError(
            "plain-gzip",
            0,
            "it is compressed with plain gzip, which can't be read in parts",
            "Run `gunzip -c FILE | bgzip > NEW.vcf.gz` and give the new file.",
        )
    if size < 12 + int.from_bytes(head[10:12], "little") + 8:
        raise BgzfError("damaged", position, f"the block at byte {position} states an impossible length", _AGAIN)
    if size > len(head):
        raise BgzfError("truncated", position, f"the block at byte {position} is cut off", _AGAIN)
    return size


def _size_of(head: bytes) -> int | None:
    """Length of the whole block from the extra field `BC`; None when there is none (plain gzip)."""
    if len(head) < 12 or not head[3] & 4:
        return None
    extra = head[12 : 12 + int.from_bytes(head[10:12], "little")]
    at = 0
    while at + 4 <= len(extra):
        name, length = extra[at : at + 2], int.from_bytes(extra[at + 2 : at + 4], "little")
        if name == b"BC" and length == 2 and at + 6 <= len(extra):
            return int.from_bytes(extra[at + 4 : at + 6], "little") + 1
        at += 4 + length
    return None


def _content(block: bytes, position: int) -> bytes:
    crc, length = _TAIL.unpack_from(block, len(block) - 8)
    try:
        # A block is at most 64 KiB, which deflate can't make more than 64 MB of: no bomb.
        content: bytes = isal_zlib.decompress(
            block[12 + int.from_bytes(block[10:12], "little") : -8], wbits=-15, bufsize=_MOST_CONTENT
        )
    except IsalError as error:  # type: ignore[misc]  # its stub calls it a value
        raise BgzfError("damaged", position, f"the block at byte {position} is damaged", _AGAIN) from error
    if len(content) != length or length > _MOST_CONTENT or isal_zlib.crc32(content) != crc:
        raise BgzfError(
            "damaged", position, f"the block at byte {position} does not have the checksum that it states", _AGAIN
        )
    return content


class BgzfWriter(RawIOBase):
    """Writes a BGZF file; closing it writes the end marker. As a context manager it removes the file when the block raises."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._file = path.open("wb")
        self._pending = bytearray()

    def writable(self) -> bool:
        """True."""
        return True

    def write(self, data: bytes, /) -> int:  # type: ignore[override]  # we take bytes alone
        """Takes `data` whole."""
        self._pending += data
        while len(self._pending) >= _MOST_IN_BLOCK:
            self._block(bytes(self._pending[:_MOST_IN_BLOCK]))
            del self._pending[:_MOST_IN_BLOCK]
        return len(data)

    def _block(self, content: bytes) -> None:
        deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
        packed = deflate.compress(content) + deflate.flush()
        size = 18 + len(packed) + 8
        self._file.write(_FIXED.pack(0x1F, 0x8B, 8, 4, 0, 0, 255, 6) + b"BC\x02\x00" + struct.pack("<H", size - 1))
        self._file.write(packed + struct.pack("<II", zlib.crc32(content), len(content)))

    def close(self) -> None:
        """Writes what is pending and the end marker."""
        if self._file.closed:
            return
        if self._pending:
            self._block(bytes(self._pending))
            self._pending.clear()
        self._file.write(EOF_MARKER)
        self._file.close()
        super().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._file.close()
            self._path.unlink(missing_ok=True)
