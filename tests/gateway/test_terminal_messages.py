"""The wire of terminals."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngc_workbench.errors import Refused
from ngc_workbench.gateway import terminal_messages
from ngc_workbench.gateway.frames import V1, Malformed, Message, encode
from ngc_workbench.gateway.policy import RULES
from ngc_workbench.gateway.terminal_messages import TYPED_LIMIT, Said, TooLong, check_answer, check_start


@pytest.mark.parametrize(
    ("raw", "said", "written"),
    [
        ('["stdin", "ls\\r"]', Said("stdin", text="ls\r"), ["stdin", "ls\r"]),
        ('["stdin", ""]', Said("stdin"), ["stdin", ""]),
        ('["set_size", 24, 80, 600, 900]', Said("set_size", rows=24, columns=80), ["set_size", 24, 80]),
        ('["set_size", 24, 80]', Said("set_size", rows=24, columns=80), ["set_size", 24, 80]),
        ('["set_size", 1, 10000, -1, -1]', Said("set_size", rows=1, columns=10000), ["set_size", 1, 10000]),
    ],
)
def test_what_jupyterlab_says_is_read(raw: str, said: Said, written: list[object]) -> None:
    """Typed text and sizes, and they are written anew."""
    assert terminal_messages.from_browser(raw) == said
    assert json.loads(said.written()) == written


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ('["setup", {}]', Said("setup")),
        ('["stdout", "a\\u001b[0m"]', Said("stdout", text="a\x1b[0m")),
        ('["disconnect", 1]', Said("disconnect")),
    ],
)
def test_what_a_terminal_says_is_read(raw: str, said: Said) -> None:
    """Its beginning, its text and its end; written anew they say the same."""
    assert terminal_messages.to_browser(raw) == said
    assert json.loads(said.written()) == json.loads(raw)


KERNELS = encode(Message("shell", {"msg_id": "1", "msg_type": "execute_request"}, {}, {}, {"code": "1"}), v1=False)
assert isinstance(KERNELS, str)

BROKEN: list[str | bytes] = [
    "", "[]", "{}", "null", "1", '"stdin"', "[1]", '["stdin"]', '["stdin", 1]', '["stdin", null]', '["stdin", ["a"]]', '["stdin", "a", "b"]', '["stdin", {}]', '["STDIN", "a"]',
    '["switch", "a"]', '["setup"]', '["setup", {"a": 1}]', '["setup", []]', '["stdout"]', '["stdout", 1]', '["stdout", "a", 1]', '["disconnect"]', '["disconnect", true]',
    '["disconnect", 2]', '["disconnect", "x"]', '["set_size", 24]', '["set_size", 0, 80]', '["set_size", 24, 0]', '["set_size", 24, 10001]', '["set_size", 10001, 1]', '["set_size", true, 80]',
    '["set_size", 24.5, 80]', '["set_size", "24", "80"]', '["set_size", 24, 80, 1]', '["set_size", 24, 80, 1, 1, 1]', '["set_size", 24, NaN]', "[" * 50_000, '["stdin", "a"', '["stdin", "a"] x',
    b'["stdin", "a"]', b'["stdout", "a"]', b"\x00" * 60, KERNELS, encode(Message("shell", {"msg_id": "1", "msg_type": "x"}, {}, {}, {}), v1=True),
    '["stdin", ' + "9" * 5000 + "]",
]  # fmt: skip


@pytest.mark.parametrize("raw", BROKEN)
def test_anything_else_is_malformed(raw: str | bytes) -> None:
    """In both directions: a kernel's messages, bytes, wrong shapes and wrong types."""
    with pytest.raises(Malformed):
        terminal_messages.from_browser(raw)
    with pytest.raises(Malformed):
        terminal_messages.to_browser(raw)


def test_neither_side_speaks_the_others_words() -> None:
    """What a terminal says is no word of the browser's, and the reverse."""
    for raw in ('["stdout", "a"]', '["setup", {}]', '["disconnect", 1]', '["stdin", "a\\ud800"]'):
        with pytest.raises(Malformed):
            terminal_messages.from_browser(raw)
    for raw in ('["stdin", "a"]', '["set_size", 24, 80]'):
        with pytest.raises(Malformed):
            terminal_messages.to_browser(raw)


def test_a_paste_is_bounded_in_bytes() -> None:
    """64 kB of a message pass, one byte more does not; letters beyond ASCII count as the bytes that they take."""
    fits = '["stdin", "' + "x" * (TYPED_LIMIT - 13) + '"]'
    assert len(fits) == TYPED_LIMIT
    assert len(terminal_messages.from_browser(fits).text) == TYPED_LIMIT - 13
    for long in (fits.replace("x", "xx", 1), fits.replace("x", "æ", 1)):
        with pytest.raises(TooLong):
            terminal_messages.from_browser(long)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["stdin", "stdout", "set_size", "setup", "disconnect"]),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=8,
)  # fmt: skip


@given(st.one_of(JSON.map(json.dumps), st.text(max_size=50), st.binary(max_size=50)))
def test_what_is_read_is_one_of_five_messages(raw: str | bytes) -> None:
    """Any message is malformed, or reads as one of the tables' and is written so that it reads the same."""
    for read, table in (
        (terminal_messages.from_browser, terminal_messages.FROM_BROWSER),
        (terminal_messages.to_browser, terminal_messages.TO_BROWSER),
    ):
        with contextlib.suppress(Malformed):
            said = read(raw)
            assert said.kind in table
            assert read(said.written()) == said


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        (b"", {}), (b"{}", {}), (b'{"name": "1"}', {"name": "1"}), (b'{"cwd": "home/my notes"}', {"cwd": "home/my notes"}),
        (b'{"name": null, "cwd": null}', {}), (b'{"name": "a_1", "cwd": ""}', {"name": "a_1", "cwd": ""}),
    ],
)  # fmt: skip
def test_a_terminal_is_started_by_name_and_folder(raw: bytes, kept: dict[str, str]) -> None:
    """What JupyterLab sends passes, written anew."""
    assert json.loads(check_start(raw)) == kept


@pytest.mark.parametrize(
    "raw",
    [
        b'{"shell_command": ["sh", "-c", "id"]}', b'{"name": "1", "env": {}}', b'{"name": "../1"}', b'{"name": 1}', b'{"name": ""}', b'{"cwd": 1}', b'{"cwd": "a\\u0000b"}',
        b'{"cwd": "' + b"x" * 1025 + b'"}', b"[]", b"null", b"{", b"\xff", b'{"name": "' + b"x" * 41 + b'"}', b'{"name": "1\\n"}', b"[" * 50_000,
    ],
)  # fmt: skip
def test_a_terminal_runs_no_program_of_the_requests(raw: bytes) -> None:
    """A program named there would run unrecorded; names and folders are plain."""
    with pytest.raises(Refused) as refused:
        check_start(raw)
    assert refused.value.reason == "terminal.request"


def test_answers_about_terminals_are_names_and_times() -> None:
    """Whatever else a session puts there is left out; what is no such answer is refused."""
    one = {"name": "1", "last_activity": "2026-11-25T12:00:00.000000Z"}
    assert json.loads(check_answer(json.dumps([{**one, "data": "QUJD"}, {"name": "2"}]).encode())) == [
        one,
        {"name": "2"},
    ]
    assert json.loads(check_answer(json.dumps(one).encode())) == one
    assert json.loads(check_answer(b"[]")) == []
    broken = [
        b"",
        b"{}",
        b"null",
        b'["1"]',
        b'[{"name": 1}]',
        b'[{"name": "a b"}]',
        b"\xff",
        b"[[]]",
        b'{"name": "1", "last_activity": "see QUJD"}',
        b"[" * 50_000,
    ]
    for raw in broken:
        with pytest.raises(Refused) as refused:
            check_answer(raw)
        assert refused.value.reason == "answer.malformed"


def test_the_table_and_the_reader_agree_on_names() -> None:
    """A name that a terminal may have is one that its address may hold."""
    patterns = [rule.pattern for rule in RULES if rule.name in ("terminal.stop", "terminal.socket")]
    assert len(patterns) == 2
    assert all(pattern.endswith(terminal_messages.NAME) for pattern in patterns)
    assert V1 not in terminal_messages.FROM_BROWSER
