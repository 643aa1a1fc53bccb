"""docs/gateway-policy.md, written from the tables: `python -m ngc_workbench.gateway.handbook`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ngc_workbench.gateway import contents, messages, policy, session_side
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
        f"A message above {_size(messages.MESSAGE_LIMIT)} is replaced by a notice. All bytes are added up per session.\n",
        "## Media types of outputs\n",
        _table(("Type", "What for"), ((f"`{kind}`", why) for kind, why in messages.MEDIA.items())),
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
