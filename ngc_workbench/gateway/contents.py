"""What of the contents API passes: notebooks and text below a size, and names of files; never bytes of other files.

The answer is judged, not the question: a Jupyter server gives base64 for any binary file when no format is asked for, and
a server that its user replaced gives what it likes. What passes is written anew from what was judged.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any

from ngc_workbench.errors import Refused

TEXT_LIMIT = 1024 * 1024
"""Largest text file that is shown or taken in, in bytes of UTF-8."""

NAMES_LIMIT = 10_000
"""Most entries of a folder that are shown."""

_ASK = "Put the file into the outbox and ask for its release in the portal."
_BRING = "Bring it in through the portal."
_KEYS = ("name", "path", "last_modified", "created", "size", "writable", "hash", "hash_algorithm", "type")
_NAME_LIMIT = 1024
_TYPE = re.compile(r"[a-z]+/[A-Za-z0-9.+-]{1,100}")
# Text as people write it: no control characters but tab, line feed, form feed, carriage return and (ANSI colours) escape.
_NO_TEXT = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")


def check_answer(raw: bytes) -> bytes:
    """A contents model that may pass to the browser, written anew. Raises Refused."""
    model = _json(raw, "answer.malformed", "The session's answer can't be read.")
    if isinstance(model, list):  # a list of checkpoints
        raise Refused("contents.shape", "The session's answer has an unknown shape.")
    return json.dumps(_checked(model)).encode()


def _checked(model: dict[str, Any]) -> dict[str, Any]:
    kept = _description(model)
    kind, form, content = model.get("type"), model.get("format"), model.get("content")
    kept["mimetype"] = None
    if content is None:
        # Names, sizes and times alone; JupyterLab chooses by `mimetype` and name how it would open the file.
        kept.update(content=None, format=None, mimetype=_mimetype(model))
    elif kind == "directory" and isinstance(content, list):
        if len(content) > NAMES_LIMIT:
            raise Refused(
                "contents.too_many", f"The folder has more than {NAMES_LIMIT} entries.", "Open a smaller folder."
            )
        kept.update(content=[_entry(entry) for entry in content], format="json")
    elif kind == "notebook" and form == "json" and isinstance(content, dict):
        kept.update(content=content, format="json")
    elif kind == "file" and form == "text" and isinstance(content, str):
        _check_text(content, "contents.not_text", "Only text files are shown.", _ASK)
        kept.update(content=content, format="text", mimetype=_mimetype(model) or "text/plain")
    else:
        raise Refused("contents.not_text", "Only notebooks and text files are shown.", _ASK)
    return kept


def _entry(entry: Any) -> dict[str, Any]:
    if not isinstance(entry, dict) or entry.get("content") is not None:
        raise Refused("contents.shape", "The session's answer has an unknown shape.")
    return {**_description(entry), "content": None, "format": None, "mimetype": _mimetype(entry)}


def _description(model: dict[str, Any]) -> dict[str, Any]:
    kept = {key: model[key] for key in _KEYS if key in model}
    for value in kept.values():
        plain = (
            value is None or isinstance(value, (bool, int)) or (isinstance(value, str) and len(value) <= _NAME_LIMIT)
        )
        if not plain:
            raise Refused("contents.shape", "The session's answer has an unknown shape.")
    return kept


def _mimetype(model: dict[str, Any]) -> str | None:
    kind = model.get("mimetype")
    return kind if isinstance(kind, str) and _TYPE.fullmatch(kind) else None


def check_error(raw: bytes) -> bytes:
    """Of a failed call's answer: the message and reason, as text of bounded length. Never raises."""
    try:
        body = _json(raw, "", "")
    except Refused:
        body = {}
    fields = body if isinstance(body, dict) else {}
    kept = {key: str(fields[key])[:1000] for key in ("message", "reason") if isinstance(fields.get(key), str)}
    return json.dumps(kept or {"message": "The session could not do this.", "reason": None}).encode()


def check_write(raw: bytes) -> bytes:
    """A contents model that may pass to the session, written anew. Raises Refused.

    JupyterLab uploads text files as base64: text below TEXT_LIMIT passes as text, whatever else is refused.
    """
    model = _json(raw or b"{}", "request.malformed", "What was sent can't be read.")
    if not isinstance(model, dict):
        raise Refused("request.malformed", "What was sent can't be read.")
    if model.get("chunk") not in (None, 1, -1):
        raise Refused("contents.upload_large", "A file of more than 1 MB can't be brought in from the browser.", _BRING)
    chunk = model.pop("chunk", None)
    if model.get("format") == "base64":
        if chunk == 1:  # the first of several pieces
            raise Refused(
                "contents.upload_large", "A file of more than 1 MB can't be brought in from the browser.", _BRING
            )
        model.update(format="text", type="file", content=_decoded(model.get("content")))
    form, content = model.get("format"), model.get("content")
    if isinstance(content, str):
        _check_text(
            content, "contents.upload_binary", "Only text below 1 MB can be brought in from the browser.", _BRING
        )
    elif not (content is None or (isinstance(content, dict) and form in ("json", None))):
        raise Refused("contents.upload_binary", "Only notebooks and text can be saved from the browser.", _BRING)
    if form not in (None, "json", "text"):
        raise Refused("contents.upload_binary", "Only notebooks and text can be saved from the browser.", _BRING)
    return json.dumps(model).encode()


def _decoded(content: Any) -> str:
    try:
        text = base64.b64decode(content if isinstance(content, str) else "", validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        raise Refused("contents.upload_binary", "Only text can be brought in from the browser.", _BRING) from None
    return text


def _check_text(text: str, reason: str, what: str, remedy: str) -> None:
    if _NO_TEXT.search(text):
        raise Refused(reason, what, remedy)
    # surrogatepass: a lone surrogate is no reason to fall over while measuring
    if len(text) > TEXT_LIMIT or len(text.encode("utf-8", "surrogatepass")) > TEXT_LIMIT:
        raise Refused(f"{reason}_large", f"The text has more than {TEXT_LIMIT // 1024} kB.", remedy)


def _json(raw: bytes, reason: str, what: str) -> Any:
    def no_constant(name: str) -> None:
        raise ValueError(f"{name} is no JSON")

    try:
        value = json.loads(raw.decode("utf-8"), parse_constant=no_constant)
    except (ValueError, RecursionError):
        raise Refused(reason, what) from None
    if not isinstance(value, (dict, list)):
        raise Refused(reason, what)
    return value
