"""Hail's own files, as far as a view needs them: the columns of a matrix written and read, and its top metadata.

A view of a whole release differs from it in its columns alone, so its cost is theirs: written here, a view takes a
moment whatever the number of variants; through Hail it would take a Java machine's start. The order of columns in
this file is the only link between ids and genotypes, so it is written in one part, without a key, in stored order, and
read back by a decoder of its own.

What is written follows Hail 0.2.139 (file version 1.8.0, `OrderedRVDSpec2`): a part is a row of blocks, each its length
(LEB128) and its bytes; the bytes of all blocks are, for each row, a 1 and the encoded row, and a 0 at the end. A struct
is a bit for each optional field (1: missing), then the fields that are there. Whole numbers are LEB128 of their bits,
unsigned; texts are UTF-8 behind their length; decimals 8 bytes, little-endian. Our parts are not compressed (the
specification beside them says so): the search for what must not be in a view then reads them as they lie.
"""

from __future__ import annotations

import gzip
import json
import re
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from ngc_workbench.errors import IntegrityError

FILE_VERSION = 67584
"""1.8.0 in Hail's counting (major * 65536 + minor * 256): what Hail 0.2.139 writes."""

Field = tuple[str, str]
"""A phenotype's name and Hail type: int32, int64, float64, bool or str."""

_BLOCK = 1 << 16
_HAIL_TYPES = {"int32": "Int32", "int64": "Int64", "float64": "Float64", "bool": "Boolean", "str": "String"}
_ENCODED = {"int32": "EVarint", "int64": "EVarint", "float64": "EFloat64", "bool": "EBoolean", "str": "EBinary2"}
_KIND = {"Int32": "int32", "Int64": "int64", "Float64": "float64", "Boolean": "bool", "String": "str"}
_BITS = {"int32": 32, "int64": 64}
_COLUMN_TYPE = re.compile(r"(?<=,col:)Struct\{s:String\}(?=,row_key:)")
_PLAIN = {
    "name": "BlockingBufferSpec",
    "blockSize": _BLOCK,
    "child": {"name": "StreamBlockBufferSpec2"},
}
_NOT_OURS = IntegrityError(
    "A stored matrix is not as Hail 0.2.139 writes it.", "Restore the genome store from its backup."
)


def read_metadata(folder: Path) -> dict[str, Any]:
    """The metadata of a matrix, a table or a part of one. Raises IntegrityError when it is missing or damaged."""
    try:
        found: dict[str, Any] = json.loads(gzip.decompress((folder / "metadata.json.gz").read_bytes()))
    except (OSError, ValueError, EOFError) as error:
        raise IntegrityError("A part of a stored matrix is missing or damaged.", _NOT_OURS.remedy) from error
    return found


def write_metadata(folder: Path, content: dict[str, Any]) -> None:
    """Writes it, without the time that gzip would put in."""
    raw = json.dumps(content, separators=(",", ":")).encode()
    (folder / "metadata.json.gz").write_bytes(gzip.compress(raw, mtime=0))


def top_metadata(mother: dict[str, Any], fields: Sequence[Field] | None) -> dict[str, Any]:
    """A matrix's metadata with the mother's counts and other columns: `s`, and `pheno` unless `fields` is None.

    Raises IntegrityError when the mother has other columns than `s`, or was written by another version of Hail.
    """
    if mother.get("file_version") != FILE_VERSION or mother.get("name") != "MatrixTableSpec":
        raise _NOT_OURS
    kind, found = _COLUMN_TYPE.subn(_struct_type(fields), str(mother["matrix_type"]))
    if found != 1 or "col_key:[s]" not in kind:
        raise _NOT_OURS
    return {**mother, "matrix_type": kind}


def write_columns(
    folder: Path, ids: Sequence[str], fields: Sequence[Field] | None, values: Sequence[Sequence[Any]], hail_version: str
) -> None:
    """Writes the folder `cols` of a matrix: one row an id, in this order, with a struct `pheno` unless `fields` is None."""
    parts = folder / "rows" / "parts"
    parts.mkdir(parents=True)
    records: list[list[bytes]] = [[]] * len(ids) if fields is None else [_record(fields, row) for row in values]
    rows = [[b"\1", _text(one), *record] for one, record in zip(ids, records, strict=True)]
    (parts / "part-0").write_bytes(_blocks([*rows, [b"\0"]]))
    version = {"file_version": FILE_VERSION, "hail_version": hail_version}
    table = "Table{global:Struct{},key:[],row:" + _struct_type(fields) + "}"
    write_metadata(
        folder,
        {
            **version,
            "references_rel_path": "../references",
            "table_type": table,
            "components": {
                "globals": {"name": "RVDComponentSpec", "rel_path": "../globals/rows"},
                "rows": {"name": "RVDComponentSpec", "rel_path": "rows"},
                "partition_counts": {"name": "PartitionCountsComponentSpec", "counts": [len(ids)]},
                "properties": {"name": "PropertiesSpec", "properties": {"distinctlyKeyed": False}},
            },
            "name": "TableSpec",
        },
    )
    write_metadata(
        folder / "rows",
        {
            "name": "OrderedRVDSpec2",
            "_key": [],
            "_codecSpec": {
                "name": "TypedCodecSpec",
                "_eType": _encoded_type(fields),
                "_vType": _struct_type(fields),
                "_bufferSpec": _PLAIN,
            },
            "_partFiles": ["part-0"],
            "_jRangeBounds": [{"start": {}, "end": {}, "includeStart": True, "includeEnd": True}],
            "_attrs": {},
        },
    )
    (folder / "_SUCCESS").touch()


def _struct_type(fields: Sequence[Field] | None) -> str:
    pheno = "" if fields is None else ",pheno:Struct{" + _listed(fields, _HAIL_TYPES) + "}"
    return "Struct{s:String" + pheno + "}"


def _encoded_type(fields: Sequence[Field] | None) -> str:
    pheno = "" if fields is None else ",pheno:+EBaseStruct{" + _listed(fields, _ENCODED) + "}"
    return "+EBaseStruct{s:+EBinary2" + pheno + "}"


def _listed(fields: Sequence[Field], types: dict[str, str]) -> str:
    return ",".join(f"{name}:{types[kind]}" for name, kind in fields)


def _blocks(rows: Sequence[Sequence[bytes]]) -> bytes:
    """The blocks of some rows, each given as the pieces of its encoding.

    Hail reads a decimal out of one block and fails at one that lies in two, so a block ends between rows. A row that is
    longer than a block ends its blocks between pieces, and within texts alone.
    """
    blocks: list[bytes] = []
    block = bytearray()
    for pieces in rows:
        row = b"".join(pieces)
        for piece in (row,) if len(row) <= _BLOCK else pieces:
            rest = piece
            if len(block) + len(rest) > _BLOCK and len(rest) <= _BLOCK:
                blocks.append(bytes(block))
                block.clear()
            while len(block) + len(rest) > _BLOCK:
                room = _BLOCK - len(block)
                blocks.append(bytes(block) + rest[:room])
                block.clear()
                rest = rest[room:]
            block += rest
    return b"".join(_number(len(one)) + one for one in (*blocks, bytes(block)) if one) + _number(0)


def _number(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _text(value: str) -> bytes:
    raw = value.encode()
    return _number(len(raw)) + raw


def _record(fields: Sequence[Field], values: Sequence[Any]) -> list[bytes]:
    """The pieces of a struct's encoding."""
    bits = 0
    out = []
    for at, ((_, kind), value) in enumerate(zip(fields, values, strict=True)):
        if value is None:
            bits |= 1 << at
        elif kind == "str":
            out.append(_text(value))
        elif kind == "bool":
            out.append(b"\1" if value else b"\0")
        elif kind == "float64":
            out.append(struct.pack("<d", value))
        else:
            width = _BITS[kind]
            if not -(1 << (width - 1)) <= value < 1 << (width - 1):
                raise IntegrityError("A phenotype is out of its type's range.", "Ingest the table again.")
            out.append(_number(value & ((1 << width) - 1)))
    return [bits.to_bytes((len(fields) + 7) // 8, "little"), *out]


# -- reading ----------------------------------------------------------------------------------------------------------


def read_columns(folder: Path) -> list[tuple[Any, ...]]:
    """The rows of a matrix's folder `cols`, in stored order: (id,) or (id, values of `pheno`).

    Reads what `write_columns` and what Hail writes. Raises IntegrityError when that is not what lies there.
    """
    specification = read_metadata(folder / "rows")
    counts = read_metadata(folder)["components"]["partition_counts"]["counts"]
    try:
        shape = _Shape.parse(specification["_codecSpec"]["_eType"], specification["_codecSpec"]["_vType"])
        packed = specification["_codecSpec"]["_bufferSpec"]["child"]["name"] == "ZstdBlockBufferSpec"
        rows: list[tuple[Any, ...]] = []
        for part in specification["_partFiles"]:
            content = _unblocked((folder / "rows" / "parts" / part).read_bytes(), packed=packed)
            rows += _Reader(content).rows(shape)
    except (OSError, KeyError, ValueError, IndexError, struct.error, TypeError) as error:
        raise IntegrityError("The columns of a stored matrix are missing or damaged.", _NOT_OURS.remedy) from error
    if len(rows) != sum(counts):
        raise IntegrityError("The columns of a stored matrix are not complete.", _NOT_OURS.remedy)
    return rows


class _Shape:
    """How rows are encoded: for each level the fields as (name, kind or nested shape, optional)."""

    def __init__(self, fields: list[tuple[str, str | _Shape, bool]]) -> None:
        self.fields = fields
        self.optional = sum(optional for _, _, optional in fields)

    @classmethod
    def parse(cls, encoded: str, virtual: str) -> _Shape:
        """From Hail's two type strings. Raises ValueError."""
        return cls._struct(_split(encoded.lstrip("+"), "EBaseStruct{"), _split(virtual, "Struct{"))

    @classmethod
    def _struct(cls, encoded: list[Field], virtual: list[Field]) -> _Shape:
        fields: list[tuple[str, str | _Shape, bool]] = []
        for (name, how), (_, what) in zip(encoded, virtual, strict=True):
            bare = how.lstrip("+")
            kind: str | _Shape = (
                cls._struct(_split(bare, "EBaseStruct{"), _split(what, "Struct{"))
                if bare.startswith("EBaseStruct{")
                else _KIND[what]
            )
            if isinstance(kind, str) and bare != _ENCODED[kind]:
                raise ValueError(bare)
            fields.append((name, kind, not how.startswith("+")))
        return cls(fields)


def _split(text: str, head: str) -> list[Field]:
    """`head` + "a:X,b:Y{c:Z}}" as (name, type) pairs. Raises ValueError."""
    if not text.startswith(head) or not text.endswith("}"):
        raise ValueError(text)
    fields, depth, start = [], 0, 0
    inner = text[len(head) : -1]
    for at, character in enumerate(f"{inner},"):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(character, 0)
        if character == "," and depth == 0:
            if at > start:
                name, colon, kind = inner[start:at].partition(":")
                if not colon:
                    raise ValueError(inner)
                fields.append((name, kind))
            start = at + 1
    return fields


def _unblocked(raw: bytes, *, packed: bool) -> bytes:
    reader = _Reader(raw)
    pieces = []
    codec = pa.Codec("zstd") if packed else None
    while not reader.at_end:
        block = reader.take(reader.number())
        if codec is None:
            pieces.append(block)
            continue
        size = int.from_bytes(block[:4], "little")
        if size > _BLOCK:
            raise ValueError(size)
        pieces.append(codec.decompress(block[4:], size, asbytes=True) if size else b"")
    return b"".join(pieces)


class _Reader:
    """Walks over bytes. Raises ValueError and IndexError when they end too early."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._at = 0

    @property
    def at_end(self) -> bool:
        return self._at >= len(self._raw)

    def take(self, count: int) -> bytes:
        if self._at + count > len(self._raw):
            raise ValueError(count)
        self._at += count
        return self._raw[self._at - count : self._at]

    def number(self) -> int:
        value = shift = 0
        while True:
            byte = self._raw[self._at]
            self._at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7

    def rows(self, shape: _Shape) -> Iterator[tuple[Any, ...]]:
        while (mark := self.take(1)) == b"\1":
            yield self._struct(shape)
        if mark != b"\0" or not self.at_end:
            raise ValueError(mark)

    def _struct(self, shape: _Shape) -> tuple[Any, ...]:
        bits = int.from_bytes(self.take((shape.optional + 7) // 8), "little")
        values: list[Any] = []
        for _, kind, optional in shape.fields:
            missing = optional and bits & 1
            bits >>= 1 if optional else 0
            values.append(None if missing else self._value(kind))
        return tuple(values)

    def _value(self, kind: str | _Shape) -> Any:
        if isinstance(kind, _Shape):
            return self._struct(kind)
        if kind == "str":
            return self.take(self.number()).decode()
        if kind == "bool":
            return self.take(1) != b"\0"
        if kind == "float64":
            return struct.unpack("<d", self.take(8))[0]
        value, width = self.number(), _BITS[kind]
        return value - (1 << width) if value >> (width - 1) else value
