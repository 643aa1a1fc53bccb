"""docs/gateway-policy.md, written from the tables: `python -m ngc_workbench.gateway.handbook`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ngc_workbench.gateway import (
    cells,
    contents,
    messages,
    outputs,
    policy,
    session_side,
    terminal_flow,
    terminal_keys,
    terminal_messages,
)
from ngc_workbench.gateway.policy import Handling, Rule
from ngc_workbench.settings import ROOT

PAGE = ROOT / "docs" / "gateway-policy.md"

_HEAD = """# What passes the gateway

Written from the tables in `ngc_workbench/gateway` by `python -m ngc_workbench.gateway.handbook`: change the tables, not this page.

A session's container is hostile ground. Between it and a browser passes what is listed here, and nothing else. Every refusal is an
audit event `gateway.refused` with the name of the rule; of identical ones within a minute the first is written at once, the others as
one event with their count. Addresses are judged in decoded form; one that is written in an unclear way (`..`, `//`, an encoded slash,
double encoding, control characters) is refused as `path.unclear`, whatever it leads to. Query parameters that a row doesn't name are
left out.
"""

_TERMINALS = """**What is typed is recorded before it is run.** Keys reach the shell as they are typed, but what ends a line (Enter, line feed, Ctrl-C, Ctrl-D,
Ctrl-O, Ctrl-Z, Ctrl-\\) goes on only after the event `session.terminal` is committed; a line that can't be recorded isn't run. The event holds
`typed`, the keystrokes since the last line's end as they were sent with control characters made visible (`^M` is Enter, `^[[A` the up arrow, `^^` a
caret), up to {line} k characters; `sha256` and `length` of all of them; the terminal's name; and `lines`, a reading of them in which backspace, Ctrl-U
and Ctrl-W are carried out. A paste of many lines is one event. What was typed without an end is recorded when the connection closes.

What a record of keystrokes can't say: which line the history or a completion brought back (in `lines` a mark such as `⟨up⟩` or `⟨tab⟩` stands in its
place), what a key means in a program that takes the whole screen, and whether a program showed what was typed. **A password typed into a terminal is
recorded like any line.** Typed text is read as code of cells is: by security officers, in the audit log. Don't type passwords in a session; none is needed
there.

**What a terminal may show** is text, colours, the cursor and the alternate screen: a list of sequences, each passed whole or not at all, also when it comes in
several messages. Taken out is what reaches beyond the screen: titles, the clipboard (OSC 52), links (OSC 8), files (OSC 1337) and every other OSC, DCS, APC,
PM and SOS; questions whose answers the browser would type back; mouse and focus reports; printing and window sizes. Strings other than titles are
recorded as `terminal.sequence`.

{burst} show at once, {rate} a second after that, for each terminal over all connections to it. Beyond that the output is a flood: a notice says so, what
comes until half a second after its end is dropped, then the amount and the last lines are shown and `terminal.flood` is recorded with the bytes.
"""


def render() -> str:
    """The page's Markdown."""
    listed = [rule for rule in policy.RULES if rule.handling is not Handling.REFUSED]
    shut = [rule for rule in policy.RULES if rule.handling is Handling.REFUSED]
    parts = [
        _HEAD,
        "## HTTP: what may pass\n",
        _table(
            (
                "Rule",
                "Methods",
                "Address below the session's prefix",
                "Why",
                "Answer",
                "Parameters",
                "Sent, at most",
                "Answered, at most",
            ),
            map(_row, listed),
        ),
        "## HTTP: what is refused, and what a person is told\n",
        _table(
            ("Rule", "Methods", "Address below the session's prefix", "What is said"),
            (
                (f"`{rule.name}`", _methods(rule), _code(rule.pattern), f"{rule.why} {rule.remedy}")
                for rule in (*shut, *policy.GENERAL)
            ),
        ),
        "## Contents of files\n",
        (
            f"Notebooks up to {_size(32 * policy.MB)}, text up to {_size(contents.TEXT_LIMIT)}, folders of up to "
            f"{contents.NAMES_LIMIT:,} entries. The answer is judged, not the question: base64, and whatever is neither notebook nor text, "
            "is refused in both directions. A text file that JupyterLab uploads as base64 is passed on as text.\n"
        ),
        "## Kernel messages from the browser\n",
        _table(("Type", "Channels", "What for"), ((f"`{kind}`", *row) for kind, row in messages.FROM_BROWSER.items())),
        (
            f"An `execute_request` is recorded as `session.cell` (hash, length, and the code up to {messages.CODE_LIMIT // 1024} k characters) "
            "before it is passed on; one that can't be recorded isn't run. Other types are answered with an error.\n"
        ),
        "## Kernel messages to the browser\n",
        _table(("Type", "Channels", "What for"), ((f"`{kind}`", *row) for kind, row in messages.TO_BROWSER.items())),
        f"A message above {_size(messages.MESSAGE_LIMIT)} is replaced by a notice. All bytes are added up per session and kind.\n",
        (
            f"**One cell** shows up to {_size(cells.CELL_LIMIT)}, of which {_size(cells.PRINT_LIMIT)} may be printed text; both grow by {_size(cells.TRICKLE)} "
            "with each second, so that a progress bar may run for hours. What updates or clears a display counts as well. Beyond that stands one notice in the "
            "output, the rest is dropped, and when the cell ends `cell.printed` or `cell.shown` is recorded with the bytes. A cell is known by the id of the "
            "request that passed here, over all connections to its kernel. What a kernel says in answer to no such request counts together "
            f"(the same amounts, growing by {_size(cells.STRAY_RATE)} a second). Replies, errors and states have 1 MB more, so that a page never waits for an end that was cut.\n"
        ),
        "## Media types of outputs\n",
        _table(("Type", "What for"), ((f"`{kind}`", why) for kind, why in messages.MEDIA.items())),
        "What is said in place of a type that isn't listed (it is recorded as `message.media`):\n",
        _table(
            ("Type begins with", "Text"),
            ((f"`{begin}`" if begin else "anything else", text) for begin, text in outputs.INSTEAD.items()),
        ),
        "## Terminals\n",
        (
            f"A session has up to {terminal_flow.TERMINALS} terminals open, each shown in up to {terminal_flow.SOCKETS} places. A request to start one may "
            "name it and its folder, and nothing else. On its WebSocket pass JSON arrays of these kinds, written anew from what was read; anything else is "
            f"refused and recorded. A message from the browser has up to {_size(terminal_messages.TYPED_LIMIT)}; a longer paste is not passed on, and the terminal says so.\n"
        ),
        _table(
            ("Kind", "Direction", "What for"),
            (
                *((f"`{kind}`", "to the session", why) for kind, why in terminal_messages.FROM_BROWSER.items()),
                *((f"`{kind}`", "to the browser", why) for kind, why in terminal_messages.TO_BROWSER.items()),
            ),
        ),
        _TERMINALS.format(
            line=terminal_keys.LINE_LIMIT // 1024, burst=_size(terminal_flow.BURST), rate=_size(terminal_flow.RATE)
        ),
        "## What a session may ask the hub\n",
        _table(
            ("Rule", "Method", "Path", "What for"),
            ((f"`{call.name}`", call.method, f"`{call.path}`", call.why) for call in session_side.CALLS),
        ),
        "The session is known by its network address. Bodies are read, and written anew for that very server; everything else is refused.",
    ]
    return "\n".join(parts) + "\n"


def _row(rule: Rule) -> tuple[str, ...]:
    return (
        f"`{rule.name}`", _methods(rule), _code(rule.pattern), rule.why, rule.handling.value,
        ", ".join(f"`{name}`" for name in rule.query) or "none", _size(rule.request_limit), _size(rule.response_limit),
    )  # fmt: skip


def _methods(rule: Rule) -> str:
    return "any" if len(rule.methods) > 5 else " ".join(rule.methods)


def _code(pattern: str) -> str:
    return f"`{pattern}`".replace("|", "\\|") if pattern else "(the prefix itself)"


def _size(count: int) -> str:
    if not count:
        return "nothing"
    return f"{count // policy.MB} MB" if count >= policy.MB else f"{count // policy.KB} kB"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(render(), encoding="utf-8")
