"""One reading of a request's path, taken once and passed on.

A proxy that judges one spelling and forwards another can be talked past (`/api/../files`, `%2e%2e`, `//`, `%252f`). Three
ways out were weighed: judge the raw text (every spelling needs a rule), normalise and forward the result (what was asked
for is silently something else), or normalise and refuse whatever was not written plainly. This takes the third: a browser
running JupyterLab writes plain paths, so an odd spelling is a mistake or an attack, and what is forwarded is written anew
from what was judged.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote_to_bytes

from ngc_workbench.errors import Refused

_MAX_PATH = 4096
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
# Space and what follows it are unprintable or split a header; backslash is a slash to some servers.
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\\\u0080-\u009f\u2028\u2029]")
_RAW = re.compile(r"[!$&'()*+,;=:@/A-Za-z0-9._~%\-\[\]]*")

Pairs = tuple[tuple[str, str], ...]


def clean(raw: str) -> str:
    """The decoded path of a request target without its query; begins with `/`.

    Raises Refused with reason `path.unclear` when the path is written in a way that two programs could read differently:
    dot segments, empty segments, encoded slashes, double encoding, control characters, invalid UTF-8.
    """
    if len(raw) > _MAX_PATH or not raw.startswith("/") or not _RAW.fullmatch(raw):
        raise _unclear()
    segments = [_segment(part) for part in raw[1:].split("/")]
    if any(not part for part in segments[:-1]):
        raise _unclear()
    return "/" + "/".join(segments)


def _segment(raw: str) -> str:
    if "%" in _ESCAPE.sub("", raw):
        raise _unclear()
    try:
        text = unquote_to_bytes(raw).decode("utf-8")
    except UnicodeDecodeError:
        raise _unclear() from None
    if text in (".", "..") or "/" in text or _FORBIDDEN.search(text) or _ESCAPE.search(text):
        raise _unclear()
    return text


def written(path: str) -> str:
    """The one spelling in which a cleaned path is forwarded."""
    return quote(path, safe="/@:")


def query_pairs(raw: str) -> Pairs:
    """The decoded pairs of a query string, in their order.

    Raises Refused with reason `path.unclear` for control characters, invalid escapes or more than 8 kB.
    """
    if len(raw) > 2 * _MAX_PATH or not raw.isascii() or "%" in _ESCAPE.sub("", raw):
        raise _unclear()
    pairs = []
    for part in raw.split("&"):
        if not part:
            continue
        name, _, value = part.partition("=")
        try:
            pair = tuple(unquote_to_bytes(item.replace("+", " ")).decode("utf-8") for item in (name, value))
        except UnicodeDecodeError:
            raise _unclear() from None
        if any(_FORBIDDEN.search(item) for item in pair):
            raise _unclear()
        pairs.append((pair[0], pair[1]))
    return tuple(pairs)


def _unclear() -> Refused:
    return Refused(
        "path.unclear",
        "The address is written in an unclear way.",
        "Use the plain address, without `..`, `//` or doubly encoded characters.",
    )
