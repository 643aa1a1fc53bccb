"""What is typed into a terminal, gathered into lines: for the record, before the end of a line reaches the shell.

A terminal's keystrokes are no lines: they are edited, completed and recalled in the shell, which the gateway doesn't see into and
doesn't trust. So two things are kept: the keystrokes as they were sent, control characters made visible (that is the evidence), and a
reading of them as lines (that is what a person reads first). Where the reading can't know what stood in the line (history, completion, a
cursor that moved), it holds a mark in place of a guess.

Not told apart: input that a program doesn't echo (a password) looks like any other.
"""

from __future__ import annotations

import hashlib
import re

from ngc_workbench.audit.events import Detail

LINE_LIMIT = 64 * 1024
"""Characters of one line's keystrokes that are kept; of longer ones the hash and the length say the rest."""

ENDS = "\r\n\x03\x04\x0f\x1a\x1c"
"""Keystrokes that hand over what was typed: Enter, line feed, Ctrl-C, Ctrl-D (end of input), Ctrl-O (run and fetch the next line), Ctrl-Z, Ctrl-\\."""

_MARKS = {
    "A": "up", "B": "down", "C": "right", "D": "left", "H": "home", "F": "end", "3~": "delete", "5~": "page-up", "6~": "page-down",
}  # fmt: skip
_PASTE = ("\x1b[200~", "\x1b[201~")
# One keystroke: a control sequence, an application key, Escape with a letter, or one character.
_KEY = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1bO[@-~]|\x1b[^\x1b]?|.", re.DOTALL)


class Typed:
    """Keystrokes since the last end of a line, with bounded memory."""

    def __init__(self) -> None:
        self._kept: list[str] = []
        self._room = LINE_LIMIT
        self._length = 0
        self._hash = hashlib.sha256()

    def __bool__(self) -> bool:
        return self._length > 0

    def copy(self) -> Typed:
        """The same keystrokes once more."""
        other = Typed()
        other._kept, other._room, other._length = list(self._kept), self._room, self._length
        other._hash = self._hash.copy()
        return other

    def add(self, text: str) -> None:
        """Takes in what was typed."""
        raw = text.encode()
        self._hash.update(raw)
        self._length += len(raw)
        if self._room and text:
            self._kept.append(text[: self._room])
            self._room -= len(self._kept[-1])
        if len(self._kept) > 256:  # keys come one by one: a list of them takes more room than their text
            self._kept = ["".join(self._kept)]

    def details(self, terminal: str) -> dict[str, Detail]:
        """What the audit log gets of them.

        `sha256` and `length` (bytes) are of all keystrokes as UTF-8; `typed` holds them up to LINE_LIMIT, control characters visible, and
        `lines` their reading, both in pieces that make the text when joined.
        """
        text = "".join(self._kept)
        return {
            "terminal": terminal,
            "sha256": self._hash.hexdigest(),
            "length": self._length,
            "typed": _pieces(visible(text)),
            "lines": _pieces("\n".join(lines(text))),
        }


def after_last_end(text: str) -> int:
    """Where what comes after the last end of a line begins; 0 when there is no end in it."""
    return max(text.rfind(end) for end in ENDS) + 1


def visible(text: str) -> str:
    """The text with control characters written as `^M`, `^[`, `^?`, and a caret of its own as `^^`, so that it can be read back."""
    return "".join(_visible(sign) for sign in text)


def _visible(sign: str) -> str:
    number = ord(sign)
    if sign == "^":
        return "^^"
    if number < 0x20:
        # Ctrl-^ (0x1e) would be written as a caret itself is
        return f"^{chr(number + 64)}" if number != 0x1E else "^~"
    if number == 0x7F:
        return "^?"
    return f"\\x{number:02x}" if 0x80 <= number < 0xA0 else sign


def lines(text: str) -> list[str]:
    """The lines that these keystrokes make, as far as they say it by themselves.

    Backspace, Ctrl-W and Ctrl-U take away what stands in the line; after a mark (`⟨up⟩`, `⟨tab⟩`) nobody knows what stands there, so they are
    written as marks too.
    """
    done: list[str] = []
    line: list[str] = []
    for key in _KEY.findall(text):
        if key in "\r\n":
            done.append("".join(line))
            line = []
        elif key in ENDS:
            done.append("".join(line) + visible(key))
            line = []
        elif key not in _PASTE:
            _press(line, key)
    return [*done, "".join(line)] if line else done


def _press(line: list[str], key: str) -> None:
    if key in ("\x7f", "\x08"):
        _erase(line, 1, "⟨backspace⟩")
    elif key == "\x15":
        _erase(line, len(line), "⟨^U⟩")
    elif key == "\x17":
        _erase(line, _word(line), "⟨^W⟩")
    elif key == "\t":
        line.append("⟨tab⟩")
    elif len(key) > 1:
        name = key[2:] if key[1] in "[O" else ""
        line.append(f"⟨{_MARKS.get(name) or 'esc ' + visible(key[1:])}⟩")
    elif key < " " or "\x80" <= key < "\xa0":
        line.append(f"⟨{visible(key)}⟩")
    else:
        line.append(key)


def _erase(line: list[str], count: int, mark: str) -> None:
    if any(len(item) > 1 for item in line):
        line.append(mark)
    elif count:
        del line[-count:]


def _word(line: list[str]) -> int:
    """How many characters Ctrl-W takes: the last word, and the blanks after it."""
    text = "".join(line)
    return len(text) - len(re.sub(r"\S*\s*\Z", "", text)) if text.strip() else len(text)


def _pieces(text: str) -> list[str]:
    # The audit log bounds a text to 2,000 characters.
    return [text[begin : begin + 1000] for begin in range(0, len(text), 1000)]
