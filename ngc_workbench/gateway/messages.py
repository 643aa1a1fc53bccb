"""Which kernel messages pass, in both directions, and what is taken out of them: three tables and pure functions.

Comms (widgets), the debugger and whatever else a kernel may invent are refused: they are channels with no shape that
could be looked into.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

from ngc_workbench.audit.events import Detail
from ngc_workbench.gateway.cells import CELL_LIMIT, PRINT_LIMIT
from ngc_workbench.gateway.frames import Malformed, Message, answer_to
from ngc_workbench.gateway.outputs import harmless, instead, is_blank
from ngc_workbench.policy.decision import Decision, allow, deny

MESSAGE_LIMIT = 16 * 1024 * 1024
"""Largest message that reaches the browser, in bytes. A figure of Bokeh's with many points takes some."""

CODE_LIMIT = 64 * 1024
"""Characters of a cell's code that are recorded; of longer code the hash and the length say the rest."""

FROM_BROWSER: dict[str, tuple[str, str]] = {
    "kernel_info_request": ("shell control", "what the kernel is"),
    "execute_request": ("shell", "run a cell; recorded before it is passed on"),
    "complete_request": ("shell", "complete a name"),
    "inspect_request": ("shell", "help on a name"),
    "is_complete_request": ("shell", "whether code is complete"),
    "history_request": ("shell", "what was run before"),
    "input_reply": ("stdin", "answer to input(); recorded"),
    "interrupt_request": ("control", "interrupt"),
    "shutdown_request": ("control shell", "stop the kernel"),
}
"""Type of message → channels on which it may come, and what it is for."""

TO_BROWSER: dict[str, tuple[str, str]] = {
    "status": ("iopub", "busy or idle"),
    "stream": ("iopub", "printed text"),
    "display_data": ("iopub", "an output; its media types are looked at"),
    "update_display_data": ("iopub", "an output that changes; its media types are looked at"),
    "execute_result": ("iopub", "a cell's value; its media types are looked at"),
    "execute_input": ("iopub", "the code that runs"),
    "error": ("iopub", "an error's text"),
    "clear_output": ("iopub", "empty the output"),
    "iopub_welcome": ("iopub", "the channel is open"),
    "execute_reply": ("shell", "a cell has ended"),
    "complete_reply": ("shell", "names"),
    "inspect_reply": ("shell", "help"),
    "is_complete_reply": ("shell", "whether code is complete"),
    "history_reply": ("shell", "what was run before"),
    "kernel_info_reply": ("shell control", "what the kernel is"),
    "input_request": ("stdin", "input() asks"),
    "interrupt_reply": ("control", "interrupted"),
    "shutdown_reply": ("control shell iopub", "stopped"),
}
"""Type of message → channels on which it may come, and what it is for."""

MEDIA: dict[str, str] = {
    "text/plain": "text",
    "text/markdown": "text",
    "text/latex": "formulas",
    "text/html": "tables and text, made harmless: no script, no link, nothing that loads",
    "image/png": "pictures",
    "image/jpeg": "pictures",
    "image/gif": "pictures",
    "image/svg+xml": "drawings, shown as pictures; the page's policy lets no script in it run",
    "application/json": "trees of values",
    "application/vnd.ngc.bokeh+json": "a Bokeh figure as data; a trusted extension of the image draws it",
    "application/vnd.jupyter.stdout": "printed text",
    "application/vnd.jupyter.stderr": "printed text",
}
"""Media types of outputs that reach the browser."""

_DISPLAYS = frozenset({"display_data", "update_display_data", "execute_result"})


def from_browser(message: Message) -> Decision:
    """Whether a message of the browser's may go to the kernel."""
    return _listed(message, FROM_BROWSER, "message.to_kernel")


def to_browser(message: Message) -> Decision:
    """Whether a message of the kernel's may go to the browser."""
    return _listed(message, TO_BROWSER, "message.to_browser")


def _listed(message: Message, table: dict[str, tuple[str, str]], reason: str) -> Decision:
    row = table.get(message.kind)
    if row is not None and message.channel in row[0].split():
        return allow(reason, row[1])
    if message.kind.startswith("comm_"):
        what = "Widgets and other live connections to a kernel are closed in this version of the workbench."
    elif message.kind.startswith("debug_"):
        what = "The debugger is closed in this version of the workbench."
    else:
        what = "This kind of message doesn't pass the gateway."
    return deny(f"{reason}_unlisted", what, "Ask your data support centre if you need it.")


def is_looked_into(message: Message) -> bool:
    """Whether a message to the browser is changed by `shown`, and so has to be read whole."""
    return message.kind in _DISPLAYS or message.kind == "kernel_info_reply"


def shown(message: Message) -> tuple[Message, tuple[str, ...]]:
    """The message as the browser gets it, and the media types that were taken out of it. Raises Malformed."""
    return (
        _without_closed_features(message) if message.kind == "kernel_info_reply" else _without_unlisted_media(message)
    )


def _without_closed_features(message: Message) -> tuple[Message, tuple[str, ...]]:
    # JupyterLab asks for a debugger, or opens subshells, only where the kernel says that it has them.
    content = {**message.body(), "debugger": False, "supported_features": []}
    return replace(message, content=content), ()


def _without_unlisted_media(message: Message) -> tuple[Message, tuple[str, ...]]:
    content = message.body()
    data = content.get("data")
    if not isinstance(data, dict):
        return replace(message, content={**content, "data": {}}), ()
    cut = tuple(sorted(str(kind)[:100] for kind in data if kind not in MEDIA))
    if not cut and "text/html" not in data:
        return message, ()
    kept: dict[str, Any] = {kind: value for kind, value in data.items() if kind in MEDIA}
    emptied = False
    if "text/html" in kept:
        before = _joined(kept["text/html"])
        kept["text/html"] = harmless(before)
        if emptied := bool(before.strip()) and is_blank(kept["text/html"]):
            del kept["text/html"]
    if (cut or emptied) and not set(kept) - {"text/plain"}:
        kept["text/plain"] = f"{_joined(kept.get('text/plain', ''))}\n[{instead(cut)}]".strip()
    return replace(message, content={**content, "data": kept}), cut


def _joined(text: object) -> str:
    # nbformat allows a list of lines in place of a text.
    return "".join(str(line) for line in text) if isinstance(text, list) else str(text)


def traffic_of(message: Message) -> str:
    """What kind of traffic a message is, for the meter: `stream`, the media type that carries most of it, or `message`.

    A display must have gone through `shown`: its types are those of MEDIA.
    """
    if message.kind not in _DISPLAYS:
        return "stream" if message.kind == "stream" else "message"
    data = message.body().get("data")
    if not isinstance(data, dict) or not data:
        return "message"
    # A value that is no text is a document (a figure's data), beside which its other forms are small.
    sizes = {str(kind): len(value) if isinstance(value, str) else CELL_LIMIT for kind, value in data.items()}
    return max(sizes, key=sizes.__getitem__)


def ends_cell(message: Message) -> bool:
    """Whether a kernel says that it is done with what it was asked."""
    try:
        return message.kind == "status" and message.body().get("execution_state") == "idle"
    except Malformed:
        return False


def begun(message: Message, room: int) -> Message:
    """Printed text, of which as much is left as fits into `room` bytes of JSON. Raises Malformed."""
    content = message.body()
    text = str(content.get("text", ""))[:room]
    while (size := len(json.dumps(text))) > room and text:
        text = text[: min(len(text) - 1, len(text) * room // size)]
    return replace(message, content={**content, "text": text})


def cell_notice(message: Message, limit: str) -> Message:
    """What is said once where a cell's printed text is cut (`limit` is `printed`), or all of its outputs (`shown`)."""
    if limit == "printed":
        what = f"The printed text of this cell is cut here: {PRINT_LIMIT // 1024 // 1024} MB of it may be shown. Figures still show."
    else:
        what = f"The outputs of this cell are cut here: {CELL_LIMIT // 1024 // 1024} MB may be shown."
    text = f"\n[{what} To have the rest reviewed, save it to a file below /outbox and ask for its release in the portal.]\n"
    return replace(
        answer_to(message, "stream", {"name": "stderr", "text": text}, channel="iopub"), parent=message.parent
    )


def cut_notice(message: Message, size: int) -> Message:
    """What the browser gets in place of a message that is too large. `size` is in bytes."""
    text = (
        f"[This output was cut: it has {size / 1024 / 1024:.1f} MB, and {MESSAGE_LIMIT // 1024 // 1024} MB may be shown at once. "
        "Save it below /outbox and ask for its release in the portal.]\n"
    )
    if message.channel == "iopub":
        answer = answer_to(message, "stream", {"name": "stderr", "text": text})
    else:
        answer = answer_to(
            message, message.kind, {"status": "error", "ename": "OutputCut", "evalue": text, "traceback": []}
        )
    return replace(answer, parent=message.parent)


def refusal_of(message: Message, decision: Decision) -> tuple[Message, ...]:
    """What the browser gets in answer to a request that wasn't passed on: an error reply, then the end of busy."""
    if not message.kind.endswith("_request"):
        return ()
    text = f"{decision.text} {decision.remedy}".strip()
    content: dict[str, Any] = {
        "status": "error",
        "ename": "Refused",
        "evalue": text,
        "traceback": [text],
        "execution_count": None,
    }
    if message.kind == "debug_request":
        # JupyterLab asks at each start whether a debugger was left on; the debug adapter protocol has its own form of "no".
        state = {
            "isStarted": False,
            "breakpoints": [],
            "hashMethod": "Murmur2",
            "hashSeed": 0,
            "tmpFilePrefix": "",
            "tmpFileSuffix": "",
        }
        content |= {"type": "response", "success": False, "message": text, "body": {**state, "stoppedThreads": []}}
    replies = [answer_to(message, f"{message.kind.removesuffix('request')}reply", content)]
    if message.kind == "execute_request":
        shown = {"ename": "Refused", "evalue": text, "traceback": [f"Refused: {text}"]}
        replies.insert(0, answer_to(message, "error", shown, channel="iopub"))
    return (*replies, answer_to(message, "status", {"execution_state": "idle"}, channel="iopub"))


def recorded(message: Message, kernel: str) -> dict[str, Detail] | None:
    """What the audit log gets of a message that carries code or input to the kernel; None for others. Raises Malformed.

    Code stands in `code`, in pieces that make the text when joined, up to CODE_LIMIT characters; `sha256` and `length`
    (bytes) are of the whole UTF-8 text.
    `expressions` are evaluated beside the code. Input is kept as hash and length only: it may be a password.
    """
    if message.kind not in ("execute_request", "input_reply"):
        return None
    body = message.body()
    text = str(body.get("code" if message.kind == "execute_request" else "value", ""))
    raw = text.encode("utf-8", "surrogatepass")
    details: dict[str, Detail] = {
        "sha256": hashlib.sha256(raw).hexdigest(),
        "length": len(raw),
        "kernel": kernel,
        "channel": message.channel,
    }
    if message.kind == "input_reply":
        details["input"] = True
        return details
    details["code"] = _pieces(text[:CODE_LIMIT])
    details["silent"] = bool(body.get("silent", False))
    if body.get("user_expressions"):
        details["expressions"] = _pieces(str(body["user_expressions"])[:CODE_LIMIT])
    return details


def _pieces(text: str) -> list[str]:
    # The audit log bounds a text to 2,000 characters, and writes tags in place of names, which are longer.
    return [text[begin : begin + 1000] for begin in range(0, len(text), 1000)]
