"""Kernel messages: the wire, and which of them pass."""

from __future__ import annotations

import contextlib
import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngc_workbench.gateway import messages
from ngc_workbench.gateway.frames import Malformed, Message, decode, encode


def message(kind: str, channel: str = "shell", content: dict[str, Any] | None = None, **fields: Any) -> Message:
    return Message(channel, {"msg_id": "1", "msg_type": kind, "session": "s"}, {}, {}, content or {}, **fields)


@pytest.mark.parametrize("v1", [True, False])
@pytest.mark.parametrize("buffers", [(), (b"\x00\xff", b"")])
def test_a_message_survives_the_wire(v1: bool, buffers: tuple[bytes, ...]) -> None:
    """Both protocols, with and without buffers, read back what was written."""
    before = message("execute_request", content={"code": "æ = 1"}, buffers=buffers)
    after = decode(encode(before, v1=v1), v1=v1)
    assert (after.channel, after.kind, after.body(), after.buffers) == (
        "shell",
        "execute_request",
        {"code": "æ = 1"},
        buffers,
    )


def test_jupyters_own_bytes_are_read() -> None:
    """The layout is that of jupyter_server's serialisers, written here by hand."""
    parts = [b"iopub", b'{"msg_id":"1","msg_type":"status"}', b"{}", b"{}", b'{"execution_state":"idle"}']
    offsets = [8 * 7]
    for part in parts:
        offsets.append(offsets[-1] + len(part))
    raw = struct.pack("<7Q", 6, *offsets) + b"".join(parts)
    assert decode(raw, v1=True).body() == {"execution_state": "idle"}
    text = json.dumps(
        {
            "header": {"msg_id": "1", "msg_type": "comm_msg"},
            "parent_header": {},
            "metadata": {},
            "content": {},
            "channel": "iopub",
        }
    ).encode()
    assert decode(struct.pack("!3I", 2, 12, 12 + len(text)) + text + b"xyz", v1=False).buffers == (b"xyz",)


GOOD = encode(message("execute_request", content={"code": "1"}), v1=True)
assert isinstance(GOOD, bytes)


def laid_out(offsets: list[int], body: bytes) -> bytes:
    """A v1 message whose offsets are as given, whatever the body holds."""
    return struct.pack(f"<{len(offsets) + 1}Q", len(offsets), *offsets) + body


# Read at these offsets, the parts are those of a whole message: only the layout is wrong.
HEADER = b'{"msg_id":"1","msg_type":"execute_request"}'
BODY = b"shell" + HEADER + b"{}{}{}"
END = 56 + len(BODY)
OVERLAPPING = [
    # hidden bytes between the offsets and the first part
    laid_out([60, 65, 65 + len(HEADER), *(65 + len(HEADER) + step for step in (2, 4, 6))], b"hide" + BODY),
    # a part that ends before it begins, and so reads as empty; the last offset is right
    laid_out([64, 69, END + 2, END + 4, END + 6, END + 5, END + 8], BODY),
]

BROKEN_V1 = [
    b"", b"\x06", GOOD[:-1], GOOD + b"x", struct.pack("<Q", 2**63) + GOOD[8:], struct.pack("<Q", 5) + GOOD[8:],
    GOOD[:8] + struct.pack("<Q", 0) + GOOD[16:], GOOD[:16] + struct.pack("<Q", 2**40) + GOOD[24:],
    GOOD[:32] + struct.pack("<Q", 57) + GOOD[40:], *OVERLAPPING, GOOD.replace(b"shell", b"shelx"), GOOD.replace(b'"msg_type"', b'"msg_tyqe"'),
    GOOD.replace(b'"msg_type": "execute_request"', b'"msg_type":["execute_reques"]'), "text in a binary protocol",
]  # fmt: skip
BROKEN_DEFAULT: list[str | bytes] = [
    "", "[]", "null", "{", '{"header": 1}', '{"header": {"msg_type": 1, "msg_id": "1"}, "channel": "shell"}',
    '{"header": {"msg_type": "x", "msg_id": "1"}, "channel": "elsewhere"}', "[" * 100_000, b"", b"\x00\x00", b"\xff" * 40,
    struct.pack("!2I", 1, 4) + b"{}", struct.pack("!3I", 2, 12, 8) + b"{}",
]  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "v1"), [*((raw, True) for raw in BROKEN_V1), *((raw, False) for raw in BROKEN_DEFAULT)]
)
def test_broken_messages_are_malformed(raw: str | bytes, v1: bool) -> None:
    """What could be read in two ways, or not at all, is malformed."""
    with pytest.raises(Malformed):
        decode(raw, v1=v1)


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200)), st.booleans())
def test_garbage_is_malformed_and_nothing_worse(raw: str | bytes, v1: bool) -> None:
    """Any bytes give a message or Malformed."""
    with contextlib.suppress(Malformed):
        decode(raw, v1=v1)


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_one_changed_byte_is_read_or_malformed(position: int, value: int) -> None:
    """A message with any one byte changed is read strictly or refused."""
    raw = bytearray(GOOD)
    raw[position] = value
    with contextlib.suppress(Malformed):
        decode(bytes(raw), v1=True)


@pytest.mark.parametrize("kind", ["execute_request", "complete_request", "kernel_info_request", "is_complete_request"])
def test_what_a_notebook_sends_passes(kind: str) -> None:
    """JupyterLab's requests go to the kernel."""
    assert messages.from_browser(message(kind))


@pytest.mark.parametrize(
    ("kind", "channel"),
    [("comm_open", "shell"), ("comm_msg", "shell"), ("debug_request", "control"), ("execute_request", "control"), ("execute_request", "stdin"), ("input_reply", "shell"), ("x", "shell"), ("stream", "iopub")],
)  # fmt: skip
def test_other_messages_to_the_kernel_are_refused(kind: str, channel: str) -> None:
    """Comms, the debugger, invented types and wrong channels don't pass; a request is answered with an error and the end of busy."""
    sent = message(kind, channel)
    decision = messages.from_browser(sent)
    assert not decision
    replies = messages.refusal_of(sent, decision)
    if kind.endswith("_request"):
        assert replies[-1].body() == {"execution_state": "idle"}
        assert {reply.parent["msg_id"] for reply in replies} == {"1"}
        assert f"{kind.removesuffix('request')}reply" in {reply.kind for reply in replies}


@pytest.mark.parametrize("kind", ["comm_open", "comm_msg", "debug_event", "custom"])
def test_other_messages_to_the_browser_are_refused(kind: str) -> None:
    """Comms and invented types don't reach the browser."""
    assert not messages.to_browser(message(kind, "iopub"))


def test_unlisted_media_are_taken_out() -> None:
    """An output keeps its listed types; one without any says so in words."""
    data = {"text/plain": "x", "image/png": "QUJD", "application/zip": "UEsD"}
    kept, cut = messages.shown(message("display_data", "iopub", {"data": data, "metadata": {}}))
    assert kept.body()["data"] == {"text/plain": "x", "image/png": "QUJD"}
    assert cut == ("application/zip",)
    mixed = {"data": {"text/plain": "x", "application/zip": "UEsD"}, "metadata": {}}
    kept, cut = messages.shown(message("display_data", "iopub", mixed))
    assert kept.body()["data"]["text/plain"].startswith("x\n[Not shown: application/zip. ")
    assert cut == ("application/zip",)
    alone, cut = messages.shown(
        message("execute_result", "iopub", {"data": {"application/zip": "UEsD"}, "metadata": {}})
    )
    assert list(alone.body()["data"]) == ["text/plain"]
    assert "UEsD" not in alone.body()["data"]["text/plain"]
    odd, _ = messages.shown(message("display_data", "iopub", {"data": ["UEsD"]}))
    assert odd.body()["data"] == {}


def test_a_kernel_has_no_debugger() -> None:
    """What is closed isn't offered."""
    kept, _ = messages.shown(
        message("kernel_info_reply", content={"debugger": True, "supported_features": ["debugger"]})
    )
    assert kept.body() == {"debugger": False, "supported_features": []}


def test_a_cut_output_says_how_to_get_it() -> None:
    """The notice belongs to the cell, and names size and remedy."""
    large = Message("iopub", {"msg_id": "2", "msg_type": "stream"}, {"msg_id": "cell"}, {}, {})
    notice = messages.cut_notice(large, 20 * 1024 * 1024)
    assert notice.parent == {"msg_id": "cell"}
    assert "20.0 MB" in notice.body()["text"]
    assert "outbox" in notice.body()["text"]


def test_code_is_recorded_with_its_hash() -> None:
    """Hash and length are of the whole code, the text is bounded; input is kept as hash alone."""
    details = messages.recorded(
        message("execute_request", content={"code": "x" * 100_000, "user_expressions": {"a": "1"}}), "k"
    )
    assert details is not None
    assert details["length"] == 100_000
    code = details["code"]
    assert isinstance(code, list)
    assert len("".join(code)) == messages.CODE_LIMIT
    assert details["expressions"] == ["{'a': '1'}"]
    typed = messages.recorded(message("input_reply", "stdin", {"value": "secret"}), "k")
    assert typed is not None
    assert "secret" not in json.dumps(typed)
    assert messages.recorded(message("complete_request"), "k") is None


def test_a_cells_notice_says_what_is_cut_and_how_to_get_it() -> None:
    """It belongs to the cell, and tells printed text from all outputs."""
    asked = Message("iopub", {"msg_id": "2", "msg_type": "display_data"}, {"msg_id": "cell"}, {}, {})
    printed, shown = messages.cell_notice(asked, "printed"), messages.cell_notice(asked, "shown")
    for notice in (printed, shown):
        assert (notice.kind, notice.channel, notice.parent) == ("stream", "iopub", {"msg_id": "cell"})
        assert "/outbox" in notice.body()["text"]
    assert "1 MB" in printed.body()["text"]
    assert "32 MB" in shown.body()["text"]


@given(st.text(max_size=300), st.integers(1, 400))
def test_of_printed_text_as_much_is_shown_as_fits(text: str, room: int) -> None:
    """A beginning of the text, within the room in bytes, and all of it where it fits."""
    left = messages.begun(message("stream", "iopub", {"name": "stdout", "text": text}), room).body()
    assert left["name"] == "stdout"
    assert text.startswith(left["text"])
    assert len(json.dumps(left["text"])) <= max(room, 2)
    assert left["text"] == text or len(json.dumps(text)) > room
    assert len(left["text"]) >= min(len(text), (room - 2) // 24)


@pytest.mark.parametrize(
    ("kind", "content", "traffic"),
    [
        ("stream", {"text": "x"}, "stream"), ("status", {}, "message"), ("execute_reply", {"data": {"image/png": "x"}}, "message"),
        ("display_data", {"data": {"text/plain": "xxx", "image/png": "xxxx"}}, "image/png"), ("execute_result", {"data": {"text/plain": "1"}}, "text/plain"),
        ("update_display_data", {"data": {"text/plain": "x" * 99, "application/json": {}}}, "application/json"), ("display_data", {"data": {}}, "message"),
    ],
)  # fmt: skip
def test_traffic_has_a_kind(kind: str, content: dict[str, Any], traffic: str) -> None:
    """What the meter counts a message as."""
    assert messages.traffic_of(message(kind, "iopub", content)) == traffic


def test_a_cell_ends_when_its_kernel_is_idle() -> None:
    """Nothing else ends it, and a broken state is no end."""
    assert messages.ends_cell(message("status", "iopub", {"execution_state": "idle"}))
    assert not messages.ends_cell(message("status", "iopub", {"execution_state": "busy"}))
    assert not messages.ends_cell(message("stream", "iopub", {"execution_state": "idle"}))
    assert not messages.ends_cell(Message("iopub", {"msg_id": "1", "msg_type": "status"}, {}, {}, b"{"))
