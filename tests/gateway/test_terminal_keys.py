"""What is typed into a terminal, as it is recorded."""

from __future__ import annotations

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngc_workbench.gateway.terminal_keys import LINE_LIMIT, Typed, after_last_end, lines, visible


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("ls -l\r", ["ls -l"]),
        ("lx\x7fs\r", ["ls"]),
        ("lx\x08s\r", ["ls"]),
        ("\x7f\x7fls\r", ["ls"]),
        ("rm -rf x\x15ls\r", ["ls"]),
        ("cat one two \x17\x17three\r", ["cat three"]),
        ("   \x17ls\r", ["ls"]),
        ("\x17ls\r", ["ls"]),
        ("one\rtwo\rthree", ["one", "two", "three"]),
        ("one\ntwo\r", ["one", "two"]),
        ("\r", [""]),
        ("\x1b[200~one\rtwo\x1b[201~\r", ["one", "two"]),
        ("sleep 9\x03ls\r", ["sleep 9^C", "ls"]),
        ("cat\x04", ["cat^D"]),
        ("fetch\x0f", ["fetch^O"]),
        ("\x1b[A\r", ["⟨up⟩"]),
        ("\x1bOA\x1bOB\r", ["⟨up⟩⟨down⟩"]),
        ("ls\x1b[D\x1b[D\x7f\r", ["ls⟨left⟩⟨left⟩⟨backspace⟩"]),
        ("\x1b[Ax\x15\x17\r", ["⟨up⟩x⟨^U⟩⟨^W⟩"]),
        ("ca\t fi\t\r", ["ca⟨tab⟩ fi⟨tab⟩"]),
        ("\x12ls\r", ["⟨^R⟩ls"]),
        ("\x1b[3~\x1b[H\x1b[F\x1b[5~\r", ["⟨delete⟩⟨home⟩⟨end⟩⟨page-up⟩"]),
        ("\x1bb\x1b[1;5C\r", ["⟨esc b⟩⟨esc [1;5C⟩"]),
        ("\x1b", ["⟨^[⟩"]),
        ("\x1b[", ["⟨esc [⟩"]),
        ("æble 🧬\r", ["æble 🧬"]),
        ("", []),
    ],
)
def test_keystrokes_are_read_as_lines(typed: str, read: list[str]) -> None:
    """Editing is carried out; what the keystrokes don't say by themselves is a mark."""
    assert lines(typed) == read


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ls\r", "ls^M"),
        ("\x1b[A\x7f\x00\t", "^[[A^?^@^I"),
        ("2^3", "2^^3"),
        ("\x1e", "^~"),
        ("\x9b", "\\x9b"),
        ("æ", "æ"),
    ],
)
def test_control_characters_are_visible(text: str, shown: str) -> None:
    """No control character stands in the record."""
    assert visible(text) == shown


@given(st.text())
def test_every_text_is_recorded_without_control_characters(text: str) -> None:
    """Whatever is typed, its record is plain text, and the reading never fails."""
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", visible(text))
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", "".join(lines(text)))


@given(st.text(alphabet=st.characters(exclude_categories=["C"], exclude_characters="⟨⟩"), max_size=50))
def test_a_line_without_editing_reads_as_it_was_typed(text: str) -> None:
    """Plain text is not changed."""
    assert lines(f"{text}\r") == [text]


@pytest.mark.parametrize("end", list("\r\n\x03\x04\x0f\x1a\x1c"))
def test_what_hands_over_a_line_ends_it(end: str) -> None:
    """Enter is not the only key that makes a shell act."""
    assert after_last_end(f"ab{end}c") == 3


def test_a_line_that_goes_on_has_no_end() -> None:
    """Letters, arrows, tabs and backspace stay in the line."""
    assert after_last_end("ab\t\x7f\x1b[A\x15\x17 c") == 0


def whole(details: dict[str, object], key: str) -> str:
    value = details[key]
    assert isinstance(value, list)
    return "".join(value)


def test_a_record_holds_text_hash_and_length() -> None:
    """All keystrokes since the last end, however they came."""
    typed = Typed()
    assert not typed
    for sign in "lx\x7fs æ\r":
        typed.add(sign)
    assert typed
    raw = "lx\x7fs æ\r".encode()
    assert typed.details("1") == {
        "terminal": "1", "sha256": hashlib.sha256(raw).hexdigest(), "length": len(raw), "typed": ["lx^?s æ^M"], "lines": ["ls æ"],
    }  # fmt: skip


def test_a_copy_goes_its_own_way() -> None:
    """What is tried on a copy leaves no trace when it comes to nothing."""
    typed = Typed()
    typed.add("one")
    other = typed.copy()
    other.add("two")
    assert whole(typed.details("1"), "typed") == "one"
    assert whole(other.details("1"), "typed") == "onetwo"
    assert other.details("1")["sha256"] == hashlib.sha256(b"onetwo").hexdigest()


def test_a_long_line_is_cut_with_the_hash_of_the_whole() -> None:
    """Memory and record are bounded; length and hash are of all that was typed, and the pieces fit the log."""
    typed = Typed()
    for _ in range(30):
        typed.add("x" * 10_000)
    for _ in range(2000):
        typed.add("y")
    details = typed.details("1")
    raw = b"x" * 300_000 + b"y" * 2000
    assert (details["length"], details["sha256"]) == (len(raw), hashlib.sha256(raw).hexdigest())
    assert whole(details, "typed") == "x" * LINE_LIMIT
    assert sum(map(len, typed._kept)) == LINE_LIMIT
    assert len(typed._kept) <= 257
    assert max(map(len, details["typed"])) <= 1000  # type: ignore[arg-type]


def test_keys_one_by_one_take_little_memory() -> None:
    """A list of single letters would take fifty times their room."""
    typed = Typed()
    for _ in range(5000):
        typed.add("k")
    assert len(typed._kept) <= 257
    assert whole(typed.details("1"), "typed") == "k" * 5000
