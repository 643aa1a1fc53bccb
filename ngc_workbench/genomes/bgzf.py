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

EOF_MARKER = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
_FIXED = struct.Struct("<4BI2BH")
_MOST_IN_BLOCK = 65280
"""Bytes of content in a block, as bgzip has it: what does not compress still fits into 64 KiB."""


class BgzfError(Exception):
    """The file is not sound BGZF. `remedy` says what to do; the text names the byte where it was noticed."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy


_AGAIN = "Copy or make the file again, and compare its checksum with the sender's."


def is_gzip(head: bytes) -> bool:
    """Whether a file that begins so is gzip of any kind."""
    return head[:2] == b"\x1f\x8b"


def blocks(file: IO[bytes], seen: Callable[[bytes], object]) -> Iterator[bytes]:
    """Yields the content of each block, checked (length, CRC-32, end marker). `seen` gets every raw byte, in order.

    Raises BgzfError.
    """
    position = 0
    last = b""
    while head := file.read(12):
        if len(head) < 12:
            raise BgzfError(f"the file is cut off at byte {position}", _AGAIN)
        magic1, magic2, method, flags, _, _, _, extra_length = _FIXED.unpack(head)
        if (magic1, magic2, method) != (0x1F, 0x8B, 8):
            raise BgzfError(f"byte {position} should start a new block, but does not", _AGAIN)
        extra = file.read(extra_length) if flags & 4 else b""
        size = _block_size(extra)
        if size is None:
            raise BgzfError(
                "it is compressed with plain gzip, which can't be read in parts",
                "Run `gunzip -c FILE | bgzip > NEW.vcf.gz` and give the new file.",
            )
        length = size - 12 - extra_length
        rest = file.read(length) if length >= 8 else b""
        if len(rest) < max(length, 8):
            raise BgzfError(f"the block at byte {position} is cut off", _AGAIN)
        last = head + extra + rest
        seen(last)
        yield _content(rest, position)
        position += size
    if last != EOF_MARKER:
        raise BgzfError(
            "the end marker is missing, so blocks at the end may be lost", "Copy or make the file again with bgzip."
        )


def _block_size(extra: bytes) -> int | None:
    """Length of the whole block from the extra field `BC`; None when there is none (plain gzip)."""
    at = 0
    while at + 4 <= len(extra):
        name, length = extra[at : at + 2], int.from_bytes(extra[at + 2 : at + 4], "little")
        if name == b"BC" and length == 2:
            return int.from_bytes(extra[at + 4 : at + 6], "little") + 1
        at += 4 + length
    return None


def _content(rest: bytes, position: int) -> bytes:
    crc, length = struct.unpack("<II", rest[-8:]) if len(rest) >= 8 else (0, -1)
    try:
        content = zlib.decompress(rest[:-8], wbits=-15)
    except zlib.error as error:
        raise BgzfError(f"the block at byte {position} is damaged", _AGAIN) from error
    if len(content) != length or zlib.crc32(content) != crc:
        raise BgzfError(f"the block at byte {position} does not have the checksum that it states", _AGAIN)
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
