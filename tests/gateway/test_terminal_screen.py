"""What a terminal may write on the screen."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ngc_workbench.gateway.terminal_screen import Screen

ESC, BEL, ST = "\x1b", "\x07", "\x1b\\"

STAYS = [
    "plain text, æøå, 汉字 and 🧬\r\n", "a\tb\bc\x07", f"{ESC}[0m{ESC}[1;31mred{ESC}[39;49m", f"{ESC}[38;2;255;0;10;48;5;17mtrue colour",
    f"{ESC}[4:3mcurly", f"{ESC}[?1049h{ESC}[H{ESC}[2J{ESC}[?25l{ESC}[?1049l", f"{ESC}[12;40H{ESC}[K{ESC}[1A{ESC}[3C{ESC}[2;20r",
    f"{ESC}7{ESC}8{ESC}M{ESC}D{ESC}E{ESC}={ESC}>{ESC}c", f"{ESC}(0lqqk{ESC}(B{ESC})0\x0e\x0f", f"{ESC}[?2004h", f"{ESC}[!p{ESC}[4l{ESC}[2 q",
    f"{ESC}[?1h{ESC}[?12;25h", f"{ESC}[5@{ESC}[2L{ESC}[3M{ESC}[4P{ESC}[7X{ESC}[99b{ESC}[5d{ESC}[6G", f"{ESC}[3J{ESC}[s{ESC}[u", f"{ESC}#8",
]  # fmt: skip

GOES = [
    # titles, clipboard, links, files, colours asked for
    f"{ESC}]0;title{BEL}", f"{ESC}]2;title{ST}", f"{ESC}]52;c;QUJD{BEL}", f"{ESC}]52;c;?{BEL}", f"{ESC}]8;;http://203.0.113.9/?d=1{ST}",
    f"{ESC}]1337;File=inline=1:QUJD{BEL}", f"{ESC}]11;?{BEL}", f"{ESC}]4;1;?{ST}", "\x9d52;c;QUJD\x9c", f"{ESC}]52;c;{'Q' * 9000}{BEL}",
    # device strings
    f"{ESC}P$q m{ST}", f"{ESC}P1$r0m{ST}", f"{ESC}Pq#0;2;0;0;0{ST}", f"{ESC}_Gf=100;QUJD{ST}", f"{ESC}^private{ST}", f"{ESC}Xstring{ST}",
    f"{ESC}P{BEL}still inside{ST}", "\x90q\x9c", "\x9fG\x9c", "\x98x\x9c", "\x9ep\x9c", f"{ESC}kscreen title{ST}",
    # questions whose answers would be typed back
    f"{ESC}[c", f"{ESC}[0c", f"{ESC}[>c", f"{ESC}[=c", f"{ESC}[5n", f"{ESC}[6n", f"{ESC}[?6n", f"{ESC}[?25$p", f"{ESC}[4$p", f"{ESC}[14t", f"{ESC}[18t",
    f"{ESC}[21t", f"{ESC}[>0q", f"{ESC}[x", f"{ESC}[1x", f"{ESC}Z", "\x9a", "\x9b6n", "\x9bc", f"{ESC}[?u", f"{ESC}[6\x00n", f"{ESC}[6\x7fn",
    # mouse, focus, printing, windows, keyboards
    f"{ESC}[?1000h", f"{ESC}[?1003;1006h", f"{ESC}[?25;1004h", f"{ESC}[5i", f"{ESC}[?5i", f"{ESC}[8;10;10t", f"{ESC}[22;0t", f"{ESC}[>4;2m", f"{ESC}[2h",
    # what no terminal knows, and half a character
    f"{ESC}[1;2;3z", f"{ESC}[<5h", f"{ESC}[{'1;' * 200}m", f"{ESC}[999999999A", f"{ESC}N", f"{ESC}O", f"{ESC}!x", "\x80\x84"[:1], "\x18\x1a",
]  # fmt: skip


def filtered(*pieces: str) -> str:
    screen = Screen()
    return "".join(screen.shown(piece) for piece in pieces)


@pytest.mark.parametrize("text", STAYS)
def test_text_colours_and_the_cursor_pass(text: str) -> None:
    """What draws on the screen arrives as it was sent."""
    assert filtered(text) == text
    assert filtered(*text) == text


@pytest.mark.parametrize("text", GOES)
def test_what_reaches_beyond_the_screen_is_taken_out(text: str) -> None:
    """Whole, letter by letter and between other text, nothing of it is left, and the text around it stays."""
    assert filtered(text) == ""
    assert filtered(*text) == ""
    assert filtered(f"before{text}after") == "beforeafter"


def test_half_a_sequence_waits_for_its_other_half() -> None:
    """Nothing of a sequence passes before it is whole, so what follows can't make another of it."""
    screen = Screen()
    assert screen.shown(f"a{ESC}[3") == "a"
    assert screen.shown("1") == ""
    assert screen.shown("mb") == f"{ESC}[31mb"
    assert screen.shown(f"{ESC}]52;c;QUJD") == ""
    assert screen.shown("RUZH\r\n more") == ""
    assert screen.shown(f"{BEL}b") == "b"


def test_a_sequence_that_breaks_off_does_not_silence_the_terminal() -> None:
    """Escape begins anew, and cancel ends whatever went on."""
    assert filtered(f"{ESC}]52;c;QUJD{ESC}[31mred") == f"{ESC}[31mred"
    assert filtered(f"{ESC}[3\x18text") == "text"
    assert filtered(f"{ESC}Pq{ESC}{ESC}[Hx") == f"{ESC}[Hx"


def test_half_a_character_is_replaced() -> None:
    """It could not be sent, and would end the connection."""
    assert filtered("a\ud800b") == "a\ufffdb"
    assert filtered(f"{ESC}[\ud8001m") == f"{ESC}[1m"


def test_memory_is_bounded() -> None:
    """A sequence without end is not kept."""
    screen = Screen()
    for begin in (f"{ESC}[", f"{ESC}]", f"{ESC}P", f"{ESC}(", f"{ESC}]1;"):
        screen.shown(begin)
        for _ in range(100):
            screen.shown("1" * 10_000)
            screen.shown(" " * 10_000)
        assert len(screen._held) < 1000
        assert sum(map(len, screen.taken())) < 1000
    assert screen.shown("\x18ok") == "ok"


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        (f"{ESC}]52;c;QUJD{BEL}", ["OSC 52"]), (f"{ESC}]1337;File=:QUJD{BEL}", ["OSC 1337"]), (f"{ESC}]0;title{BEL}{ESC}]2;x{ST}{ESC}kx{ST}", []),
        (f"{ESC}Pq{ST}{ESC}_G{ST}{ESC}^x{ST}{ESC}Xx{ST}", ["APC", "DCS", "PM", "SOS"]), ("text", []), (f"{ESC}[6n", []),
        (f"{ESC}]8;id=1;http://x{ST}", ["OSC 8"]),
    ],
)  # fmt: skip
def test_what_was_taken_out_is_named_once(text: str, taken: list[str]) -> None:
    """Strings are named for the record; titles, which every prompt sets, are not."""
    screen = Screen()
    screen.shown(text)
    assert screen.taken() == taken
    assert screen.taken() == []


# Pieces of which control sequences are made, so that chance finds whole ones.
PARTS = st.one_of(
    st.sampled_from(
        ["\x1b", "\x1b[", "\x1b]", "\x1bP", "\x1b_", "\x1b^", "\x1bX", "\x1bk", "\x1b\\", "\x07", "\x18", "\x1a", "\x9b", "\x9d", "\x90", "\x9c", "52;c;", "?", ">", ";",
         "1", "6n", "0c", "m", "H", "25h", "1049h", "1000h", "$p", " q", "(", "B", "x", "\r\n", "\x00", "\x7f", "æ", "\ud83d", "\ude00"]
    ),
    st.text(max_size=3),
    st.sampled_from(STAYS + GOES),
)  # fmt: skip
TEXTS = st.lists(PARTS, max_size=12)


@given(TEXTS, st.data())
@example(["\x1b[", "31m"], None)
def test_filtering_in_pieces_equals_filtering_whole(parts: list[str], data: st.DataObject | None) -> None:
    """Where a message ends doesn't matter."""
    text = "".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6))) if data else [2]
    pieces = [text[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert filtered(*pieces) == filtered(text) == filtered(*text)


@given(TEXTS)
def test_filtering_twice_changes_nothing_more(parts: list[str]) -> None:
    """What passed holds no second layer."""
    once = filtered("".join(parts))
    assert filtered(once) == once


# Written apart from the filter: every escape that is left must begin one of these.
HARMLESS = re.compile(
    r"\x1b(?:\[[0-9;:]*[@A-MPSTXZ`abdefgmrsu]|\[\??(?:[0-9]|12|20|25|45|47|1047|1048|1049|2004|2026)(?:;(?:12|25|[0-9]+))*[hlJK]|\[!p|\[[0-9]*[ \"'][qA@}~]|[78DEHM=>cno|}~]|[()*+][0AB]|#8|%[@G])"
)
FOCUS_OR_MOUSE = re.compile(r"\x1b\[\?[0-9;]*\b(?:9|1000|1002|1003|1004|1005|1006|1015|1016)\b[0-9;]*h")


@given(TEXTS)
def test_nothing_of_the_forbidden_kinds_remains(parts: list[str]) -> None:
    """No C1 control, no control beyond those of text, and no escape but of the harmless sequences."""
    left = filtered("".join(parts))
    assert not re.search(r"[\x00-\x06\x10-\x1a\x1c-\x1f\x7f-\x9f\ud800-\udfff]", left)
    assert not FOCUS_OR_MOUSE.search(left)
    assert "\x1b" not in HARMLESS.sub("", left)
