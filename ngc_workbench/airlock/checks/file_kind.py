"""Formats that hold a row a person or hide their content are blocked; what no check reads goes to a person."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ngc_workbench.airlock.checks import kinds
from ngc_workbench.airlock.checks.finding import Finding, Text
from ngc_workbench.airlock.checks.subject import Context, Subject

_AS_TEXT = Text("Hand in the results as CSV, TSV or text.", "Aflever resultaterne som CSV, TSV eller tekst.")
_LOOK = Text(
    "A checker looks at it as a whole; a table as CSV is decided faster.",
    "En kontrollant ser det hele igennem; en tabel som CSV afgøres hurtigere.",
)
# Encoded content inside text: longer than any word, with both cases and digits (a long allele has neither).
_ENCODED = re.compile(
    r"(?<![A-Za-z0-9+/=])(?=[A-Za-z0-9+/]*[a-z])(?=[A-Za-z0-9+/]*[A-Z])(?=[A-Za-z0-9+/]*\d)[A-Za-z0-9+/]{200,}={0,2}"
)
_HEX = re.compile(r"(?<![0-9A-Za-z])(?=[0-9]*[a-fA-F])(?=[a-fA-F]*[0-9])[0-9a-fA-F]{256,}(?![0-9A-Za-z])")


def check(subject: Subject, _context: Context) -> Iterator[Finding]:
    """kind.closed, kind.unread, kind.empty, kind.encoded, kind.trailing."""
    kind = subject.kind
    if kind.family == "closed":
        yield Finding(
            "kind.closed", "block",
            Text(f"The content is {kind.en}, which can't be reviewed.", f"Indholdet er {kind.da}, som ikke kan gennemses."),
            _AS_TEXT,
        )  # fmt: skip
    elif kind is kinds.EMPTY:
        yield Finding(
            "kind.empty",
            "info",
            Text("The file is empty.", "Filen er tom."),
            Text("Check what was written.", "Se efter, hvad der blev skrevet."),
        )
    elif kind.family in ("other", "image"):
        yield Finding(
            "kind.unread", "warn",
            Text(f"The content is {kind.en}; no check reads it.", f"Indholdet er {kind.da}; ingen kontrol læser det."),
            _LOOK,
        )  # fmt: skip
        if kind.family == "image" and (extra := _behind_image(kind.name, subject.content)):
            yield Finding(
                "kind.trailing", "block",
                Text(f"{extra} bytes follow behind the end of the image.", f"Der ligger {extra} byte efter billedets slutning."),
                Text("Save the image again.", "Gem billedet igen."),
            )  # fmt: skip
    if subject.text and kind.family != "closed":
        for pattern in (_ENCODED, _HEX):
            for place, _ in subject.search(pattern):
                yield Finding(
                    "kind.encoded", "block",
                    Text("A long run of encoded characters can hide any content.", "En lang række kodede tegn kan skjule hvad som helst."),
                    Text("Leave it out, or hand in what it encodes.", "Udelad den, eller aflever det, den koder."),
                    place.row, place.column,
                )  # fmt: skip
                break


def _behind_image(kind: str, content: bytes) -> int:
    """Bytes behind the image's own end."""
    if kind == "png":
        end = content.find(b"IEND")
        return len(content) - (end + 8) if end >= 0 else len(content)
    end = content.rfind(b"\xff\xd9")
    return len(content) - (end + 2) if end >= 0 else len(content)
