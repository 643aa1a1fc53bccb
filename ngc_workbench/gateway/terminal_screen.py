"""What a terminal may write on the screen, and nothing that reaches beyond it.

A terminal emulator obeys control sequences of whoever writes to it. Text, colours, the cursor and the alternate screen pass. Taken out is
what reaches further: titles, the clipboard, links and files (OSC, DCS, APC, PM, SOS), questions whose answers the emulator would type
back in the person's name, printing, window sizes, mouse and focus reports.

An allow-list, not a block-list: a sequence is held back until it is whole, and then passes as a whole or not at all. So what passes holds no
half of a sequence, whatever comes next, and filtering it again changes nothing. What the emulator in JupyterLab (xterm.js) obeys was read
in its own table of handlers; C1 controls, which it obeys too, are treated as what they stand for.
"""

from __future__ import annotations

import re

_HELD_LIMIT = 200
"""Characters of one sequence that are held back; a longer one is dropped. Colours take 60 at most."""

# Text, and the controls that stay on the screen (0x07 to 0x0f: bell, backspace, tabs, line ends, shifts of the character set).
_PLAIN = re.compile(r"[^\x00-\x06\x10-\x1f\x7f-\x9f\ud800-\udfff]+")
# A whole control sequence: what a shell writes most, taken in one step.
_WHOLE = re.compile(r"\x1b\[[ -?]*[@-~]")
_NUMBERS = r"(?:[0-9]{0,5}(?:[;:][0-9]{0,5}){0,31})"
_MODES = r"(?:1|5|6|7|12|25|45|47|1047|1048|1049|2004|2026)"
_PASSES = re.compile(
    rf"""
      \x1b\[{_NUMBERS}[@A-MPSTXZ`abdefgmrsu]  # cursor, erase, scroll, colours
    | \x1b\[\?[0-3]?[JK]                         # erase what isn't protected
    | \x1b\[(?:4|20)(?:;(?:4|20))*[hl]           # insert mode, new-line mode
    | \x1b\[\?{_MODES}(?:;{_MODES})*[hl]         # cursor, alternate screen, bracketed paste
    | \x1b\[!p | \x1b\[[0-9]?[ ]q | \x1b\[[0-2]?"q | \x1b\[[0-9]{{0,5}}[ ][@A] | \x1b\[[0-9]{{0,5}}'[}}~]
    | \x1b[78DEHM=>cno|}}~]                      # cursor saved, index, keypad, reset, character sets
    | \x1b[()*+][0AB] | \x1b\#8 | \x1b%[@G]
    """,
    re.VERBOSE,
)

_GROUND, _ESCAPE, _CONTROL, _STRING = range(4)
# C1 controls are ESC and the letter 64 places below.
_C1 = {chr(number): chr(number - 64) for number in range(0x80, 0xA0)}
# The letter after ESC that begins a string; k: a title, in screen's and tmux's way.
_STRINGS = {"]": "OSC", "P": "DCS", "X": "SOS", "^": "PM", "_": "APC", "k": "title"}


class Screen:
    """The filter of one terminal's output. It remembers where in a sequence it stands; memory is bounded."""

    def __init__(self) -> None:
        self._state = _GROUND
        self._held = ""
        self._taken: set[str] = set()

    def taken(self) -> list[str]:
        """What reached beyond the screen and was taken out since it was asked last: `OSC 52` and the like. Titles are not told."""
        taken, self._taken = self._taken, set()
        return sorted(taken)

    def shown(self, text: str) -> str:
        """What of the text passes. A sequence that the text doesn't end passes, if at all, with the text that ends it."""
        out: list[str] = []
        at = 0
        while at < len(text):
            if self._state == _GROUND:
                if plain := _PLAIN.match(text, at):
                    out.append(plain[0])
                    at = plain.end()
                    continue
                if whole := _WHOLE.match(text, at):
                    self._pass(whole[0], out)
                    at = whole.end()
                    continue
            self._take(text[at], out)
            at += 1
        return "".join(out)

    def _take(self, sign: str, out: list[str]) -> None:
        if sign == "\x1b":
            self._begin(_ESCAPE, "\x1b")
        elif sign in "\x18\x1a\x9c":  # cancel, substitute, end of a string: whatever it was, it is over
            self._begin(_GROUND, "")
        elif sign in _C1:
            self._begin(_ESCAPE, "\x1b")
            self._take_escape(_C1[sign], out)
        elif self._state == _GROUND:
            if sign >= "\ud800":  # half a character
                out.append("\ufffd")
        elif self._state == _STRING:
            self._take_string(sign)
        elif " " <= sign <= "~":
            if self._state == _ESCAPE:
                self._take_escape(sign, out)
            else:
                self._take_control(sign, out)
        # Whatever else comes within a sequence (controls, letters beyond ASCII) is no part of it.

    def _take_escape(self, sign: str, out: list[str]) -> None:
        if self._held == "\x1b" and sign == "[":
            self._begin(_CONTROL, "\x1b[")
        elif self._held == "\x1b" and sign in _STRINGS:
            self._begin(_STRING, sign)
            if sign not in "]k":
                self._taken.add(_STRINGS[sign])
        elif " " <= sign <= "/":
            self._hold(sign)
        else:
            self._end(sign, out)

    def _take_control(self, sign: str, out: list[str]) -> None:
        if sign < "@":
            self._hold(sign)
        else:
            self._end(sign, out)

    def _take_string(self, sign: str) -> None:
        """What stands in a string: nothing of it passes. Of an OSC its number says what it is."""
        if self._held[0] != "]":
            return
        if sign == "\a":  # ends it too
            self._begin(_GROUND, "")
        elif self._held.endswith(";"):
            return
        elif sign.isascii() and sign.isdecimal() and len(self._held) < 5:
            self._held += sign
        else:
            if self._held[1:] not in ("0", "1", "2") and len(self._taken) < 8:
                self._taken.add(f"OSC {self._held[1:]}".strip())
            self._held += ";"

    def _begin(self, state: int, held: str) -> None:
        self._state, self._held = state, held

    def _hold(self, sign: str) -> None:
        # One sign too many makes it a sequence that never passes.
        if len(self._held) <= _HELD_LIMIT:
            self._held += sign

    def _end(self, sign: str, out: list[str]) -> None:
        self._pass(self._held + sign, out)
        self._begin(_GROUND, "")

    def _pass(self, whole: str, out: list[str]) -> None:
        if len(whole) <= _HELD_LIMIT and _PASSES.fullmatch(whole):
            out.append(whole)
