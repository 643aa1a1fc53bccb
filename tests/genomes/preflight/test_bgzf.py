"""Reading and writing BGZF."""

from __future__ import annotations

import gzip
import random
import struct
import zlib
from contextlib import suppress

import pytest

from ngc_workbench.genomes.bgzf import EOF_MARKER, BgzfError, BgzfWriter, blocks


def write(path, content):
    with BgzfWriter(path) as file:
        file.write(content)
    return path


def read(path):
    raw = bytearray()
    with path.open("rb") as file:
        content = b"".join(text for _, text in blocks(file, raw.extend))
    return content, bytes(raw)


@pytest.mark.parametrize("size", [0, 1, 65279, 65280, 65281, 300_000])
def test_what_was_written_is_read_and_is_gzip_too(tmp_path, size):
    """Every size around a block's; Python's gzip reads the same; every raw byte was seen."""
    content = random.Random(size).randbytes(size)
    path = write(tmp_path / "x.gz", content)
    assert read(path) == (content, path.read_bytes())
    assert gzip.decompress(path.read_bytes()) == content


def test_plain_gzip_is_told_from_bgzf(tmp_path):
    """With the remedy."""
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(b"abc"))
    with pytest.raises(BgzfError, match="plain gzip") as caught:
        read(path)
    assert "bgzip" in caught.value.remedy


def test_a_missing_end_marker_is_noticed(tmp_path):
    """A file that was cut between two blocks has none."""
    path = write(tmp_path / "x.gz", b"abc" * 100_000)
    path.write_bytes(path.read_bytes().removesuffix(EOF_MARKER))
    with pytest.raises(BgzfError, match="end marker") as caught:
        read(path)
    assert caught.value.kind == "end-marker"


def test_bytes_behind_the_end_marker_are_noticed(tmp_path):
    """With the byte where they begin."""
    path = write(tmp_path / "x.gz", b"abc")
    size = path.stat().st_size
    path.write_bytes(path.read_bytes() + b"rubbish")
    with pytest.raises(BgzfError) as caught:
        read(path)
    assert (caught.value.kind, caught.value.at) == ("trailing-bytes", size)


def test_a_block_that_unpacks_to_more_than_a_block_may_hold_is_refused(tmp_path):
    """Though its checksum and length are right: 64 KiB of it are 64 MB of text."""
    content = bytes(1 << 20)
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = deflate.compress(content) + deflate.flush()
    head = bytes.fromhex("1f8b08040000000000ff0600424302") + b"\0" + struct.pack("<H", 18 + len(packed) + 8 - 1)
    path = tmp_path / "x.gz"
    path.write_bytes(head + packed + struct.pack("<II", zlib.crc32(content), len(content)) + EOF_MARKER)
    assert gzip.decompress(path.read_bytes()) == content
    with pytest.raises(BgzfError, match="checksum"):
        read(path)


def test_reading_may_begin_and_end_at_any_block(tmp_path):
    """The ranges of a file put together are the file."""
    content = random.Random(5).randbytes(400_000)
    path = write(tmp_path / "x.gz", content)
    with path.open("rb") as file:
        starts = [at for at, _ in blocks(file, list)][:-1]
        parts = [
            b"".join(text for _, text in blocks(file, list, start=start, end=end))
            for start, end in zip(starts, [*starts[1:], None], strict=True)
        ]
    assert len(parts) > 5
    assert b"".join(parts) == content


def test_every_cut_and_every_changed_byte_is_noticed(tmp_path):
    """A small file cut or changed anywhere is never read as sound with other content."""
    content = b"genotypes " * 20
    whole = write(tmp_path / "x.gz", content).read_bytes()
    path = tmp_path / "y.gz"
    for length in range(1, len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(BgzfError):
            read(path)
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        try:
            assert read(path)[0] == content  # bytes that carry nothing, such as the time of the header
        except BgzfError:
            continue


def test_a_changed_byte_in_what_does_not_compress_is_noticed(tmp_path):
    """Random bytes are stored as they are: the checksum alone tells."""
    path = write(tmp_path / "x.gz", random.Random(1).randbytes(1000))
    raw = bytearray(path.read_bytes())
    raw[500] ^= 1
    path.write_bytes(raw)
    with pytest.raises(BgzfError, match="checksum"):
        read(path)


def test_a_writer_whose_block_raises_leaves_no_file(tmp_path):
    """Half a file is none."""
    path = tmp_path / "x.gz"
    with suppress(RuntimeError), BgzfWriter(path) as file:
        file.write(b"abc")
        raise RuntimeError
    assert not path.exists()
