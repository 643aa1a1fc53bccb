"""Kernel messages as they travel on a WebSocket: both of Jupyter's wire protocols, read strictly.

*v1* (`v1.kernel.websocket.jupyter.org`), always binary: number of offsets, offsets (64-bit little endian), then channel,
header, parent header, metadata, content, buffers. *Default*: a JSON text, or, with buffers, a binary message of the number of
parts and their offsets (32-bit big endian), then JSON and buffers. Sources: jupyter_server's `services/kernels/connection`, and
Jupyter's "WebSocket protocols". What could be read in two ways (offsets that overlap, run backwards or leave gaps) is malformed.
"""

from __future__ import annotations

import json
import struct
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import pairwise
from typing import Any

V1 = "v1.kernel.websocket.jupyter.org"
CHANNELS = frozenset({"shell", "iopub", "stdin", "control"})
_MAX_PARTS = 256
_MAX_HEADER = 64 * 1024


class Malformed(ValueError):
    """The bytes are no message of the protocol."""


@dataclass(frozen=True)
class Message:
    """One kernel message. `content` is JSON text as it came (v1) or the value itself (default protocol)."""

    channel: str
    header: dict[str, Any]
    parent: dict[str, Any]
    metadata: bytes | dict[str, Any]
    content: bytes | dict[str, Any]
    buffers: tuple[bytes, ...] = ()

    @property
    def kind(self) -> str:
        """The message's type, for instance `execute_request`."""
        return str(self.header["msg_type"])

    @property
    def id(self) -> str:
        """The message's own id."""
        return str(self.header["msg_id"])

    @property
    def parent_id(self) -> str:
        """Id of the message that it answers; empty for none."""
        return str(self.parent.get("msg_id", ""))

    def body(self) -> dict[str, Any]:
        """The content, read once. Raises Malformed."""
        return self._content

    @cached_property
    def _content(self) -> dict[str, Any]:
        return self.content if isinstance(self.content, dict) else _object(self.content)


def decode(data: str | bytes, *, v1: bool) -> Message:
    """Reads one WebSocket message. Raises Malformed."""
    if v1:
        if isinstance(data, str):
            raise Malformed("text in a binary protocol")
        return _decode_v1(data)
    return _decode_default(data)


def encode(message: Message, *, v1: bool) -> str | bytes:
    """Writes one WebSocket message: bytes, or text for the default protocol without buffers."""
    if v1:
        parts = [
            message.channel.encode(), _dump(message.header), _dump(message.parent), _dump(message.metadata), _dump(message.content),
            *message.buffers,
        ]  # fmt: skip
        offsets = [8 * (len(parts) + 2)]
        for part in parts:
            offsets.append(offsets[-1] + len(part))
        return b"".join([struct.pack(f"<{len(offsets) + 1}Q", len(offsets), *offsets), *parts])
    whole = json.dumps(
        {
            "header": message.header,
            "msg_id": message.header.get("msg_id"),
            "msg_type": message.kind,
            "parent_header": message.parent,
            "metadata": message.metadata if isinstance(message.metadata, dict) else _object(message.metadata),
            "content": message.body(),
            "buffers": [],
            "channel": message.channel,
        }
    )
    if not message.buffers:
        return whole
    packed = [whole.encode(), *message.buffers]
    starts = [4 * (len(packed) + 1)]
    for part in packed[:-1]:
        starts.append(starts[-1] + len(part))
    return b"".join([struct.pack(f"!{len(starts) + 1}I", len(packed), *starts), *packed])


def answer_to(message: Message, kind: str, content: dict[str, Any], *, channel: str = "") -> Message:
    """A message of the gateway's own that answers `message`."""
    header = {
        "msg_id": uuid.uuid4().hex,
        "msg_type": kind,
        "username": "gateway",
        "session": str(message.header.get("session", "")),
        "date": datetime.now(UTC).isoformat(),
        "version": "5.3",
    }
    return Message(channel or message.channel, header, message.header, {}, content)


def _decode_v1(data: bytes) -> Message:
    if len(data) < 8:
        raise Malformed("too short")
    count = struct.unpack_from("<Q", data)[0]
    # channel, header, parent header, metadata, content: six offsets; each buffer one more
    if not 6 <= count <= _MAX_PARTS or len(data) < 8 * (count + 1):
        raise Malformed("number of parts")
    offsets = struct.unpack_from(f"<{count}Q", data, 8)
    _check_offsets(offsets, 8 * (count + 1), len(data))
    if offsets[-1] != len(data):
        raise Malformed("length")
    parts = [data[begin:end] for begin, end in pairwise(offsets)]
    return _message(parts[0], _small(parts[1]), _small(parts[2]), parts[3], parts[4], parts[5:])


def _decode_default(data: str | bytes) -> Message:
    buffers: list[bytes] = []
    if isinstance(data, bytes):
        if len(data) < 4:
            raise Malformed("too short")
        count = struct.unpack_from("!I", data)[0]
        if not 1 <= count <= _MAX_PARTS or len(data) < 4 * (count + 1):
            raise Malformed("number of parts")
        starts = struct.unpack_from(f"!{count}I", data, 4)
        _check_offsets(starts, 4 * (count + 1), len(data))
        ends = (*starts[1:], len(data))
        text, *buffers = [data[begin:end] for begin, end in zip(starts, ends, strict=True)]
        whole = _object(text)
    else:
        whole = _object(data)
    fields = [whole.get(name) for name in ("header", "parent_header", "metadata", "content")]
    header, parent, metadata, content = (value if value is not None else {} for value in fields)
    if not all(isinstance(value, dict) for value in (header, parent, metadata, content)):
        raise Malformed("a part is no object")
    return _message(str(whole.get("channel", "")).encode(), header, parent, metadata, content, buffers)


def _message(
    channel: bytes,
    header: dict[str, Any],
    parent: dict[str, Any],
    metadata: Any,
    content: Any,
    buffers: Sequence[bytes],
) -> Message:
    try:
        name = channel.decode("ascii")
    except UnicodeDecodeError:
        raise Malformed("channel") from None
    if name not in CHANNELS or not isinstance(header.get("msg_type"), str) or not isinstance(header.get("msg_id"), str):
        raise Malformed("channel or header")
    return Message(name, header, parent, metadata, content, tuple(buffers))


def _check_offsets(starts: Sequence[int], first: int, last: int) -> None:
    if starts[0] != first or starts[-1] > last or any(a > b for a, b in pairwise(starts)):
        raise Malformed("offsets")


def _small(part: bytes) -> dict[str, Any]:
    if len(part) > _MAX_HEADER:
        raise Malformed("header too long")
    return _object(part)


def _object(text: str | bytes) -> dict[str, Any]:
    try:
        value = json.loads(text.decode("utf-8") if isinstance(text, bytes) else text)
    except (ValueError, RecursionError):
        raise Malformed("no JSON") from None
    if not isinstance(value, dict):
        raise Malformed("no object")
    return value


def _dump(part: bytes | dict[str, Any]) -> bytes:
    return part if isinstance(part, bytes) else json.dumps(part).encode()
