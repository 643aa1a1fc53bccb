"""The text of a VCF file, plain, BGZF or plain gzip: in pieces, and in numbered lines, with bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import IO

from isal import isal_zlib
from isal.igzip_lib import IsalError

from ngc_workbench.genomes.bgzf import BgzfError, blocks, is_bgzf, is_gzip

_CHUNK = 1 << 20
MOST_IN_LINE = 256 << 20
"""Bytes of a line: two million samples with all of GATK's fields."""

Seen = Callable[[int], object]
"""Told how many raw bytes were read."""


class Form(StrEnum):
    """How a file's text lies in it."""

    PLAIN = "plain"
    BGZF = "bgzf"
    GZIP = "gzip"


class LineTooLong(Exception):
    """A line is longer than any VCF's. `line` is its number."""

    def __init__(self, line: int) -> None:
        super().__init__(f"line {line}")
        self.line = line


def form_of(path: Path) -> Form:
    """Tells by the first bytes; a name says nothing. Raises OSError."""
    with path.open("rb") as file:
        head = file.read(1 << 16)
    if is_bgzf(head):
        return Form.BGZF
    return Form.GZIP if is_gzip(head) else Form.PLAIN


def nothing(_count: int) -> None:
    """Bytes that nobody counts."""


def pieces(file: IO[bytes], form: Form, seen: Seen, start: int = 0) -> Iterator[tuple[int, bytes]]:
    """Pieces of text with the raw place where each begins, from `start` (of BGZF, a block's). Raises BgzfError."""
    if form is Form.BGZF:
        yield from blocks(file, lambda raw: seen(len(raw)), start=start)
    elif form is Form.GZIP:
        yield from _gunzip(file, seen)
    else:
        file.seek(start)
        at = start
        while chunk := file.read(_CHUNK):
            seen(len(chunk))
            yield at, chunk
            at += len(chunk)


def _gunzip(file: IO[bytes], seen: Seen) -> Iterator[tuple[int, bytes]]:
    """Plain gzip, any number of members, never more than a chunk at a time."""
    file.seek(0)
    inflate = isal_zlib.decompressobj(wbits=31)
    at = 0
    raw = b""
    fresh = True
    again = "Copy or make the file again, and compare its checksum with the sender's."
    while True:
        if not raw:
            raw = file.read(_CHUNK)
            seen(len(raw))
            at += len(raw)
            if not raw:
                break
        if fresh and not is_gzip(raw + b"\x8b" if len(raw) == 1 else raw):
            raise BgzfError("trailing-bytes", at - len(raw), "bytes that are not compressed follow the end", again)
        try:
            content = inflate.decompress(raw, _CHUNK)
            fresh = False
            while content:
                yield at - len(raw), content
                raw = inflate.unconsumed_tail
                content = b"" if inflate.eof else inflate.decompress(raw, _CHUNK)
        except IsalError as error:  # type: ignore[misc]  # its stub calls it a value
            raise BgzfError("damaged", at - len(raw), "the compressed content is damaged", again) from error
        raw = inflate.unconsumed_tail
        if inflate.eof:
            raw = inflate.unused_data
            inflate = isal_zlib.decompressobj(wbits=31)
            fresh = True
    if not fresh:
        raise BgzfError("truncated", at, f"the file is cut off at byte {at}", again)


def numbered(texts: Iterator[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    """Lines without their ends, from 1; the last one may lack its end. Raises BgzfError, LineTooLong."""
    number = 1
    pending: list[bytes] = []
    size = 0
    for _, text in texts:
        first, *others = text.split(b"\n")
        pending.append(first)
        size += len(first)
        if size > MOST_IN_LINE:
            raise LineTooLong(number)
        if not others:
            continue
        yield number, b"".join(pending)
        for line in others[:-1]:
            number += 1
            yield number, line
        number += 1
        pending, size = [others[-1]], len(others[-1])
    if last := b"".join(pending):
        yield number, last


def read_lines(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """The numbered lines of a VCF, plain or BGZF, without their ends. Raises BgzfError."""
    head = file.read(1 << 16)
    return numbered(pieces(file, Form.BGZF if is_gzip(head) else Form.PLAIN, nothing))
