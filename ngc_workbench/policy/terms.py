"""How terms of use and purposes are written, and what can't be written: the vocabulary of purposes is closed.

A dataset's terms are a list of {"term": "DUO:0000007", "diseases": ["MONDO:0005148"], …}; a project's purpose is a
list of {"term": "DUO:0000040", "diseases": […]}, made of kinds of investigation (and care of patients). Uses that the
law rules out have no term, and whoever writes one in words is refused: insurance, pension, employment, credit and
marketing (Regulation (EU) 2025/327 on the European Health Data Space, article 54; the Danish Health Act gives the
National Genome Centre's data to care and to research).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from ngc_workbench.errors import InputError, Refused
from ngc_workbench.policy import duo

CARE = "DUO:0000043"
PURPOSES = frozenset(term.id for term in duo.TERMS.values() if term.kind == "investigation") | {CARE}
"""What a project may state."""
CONDITIONS = frozenset(term.id for term in duo.TERMS.values() if term.kind in ("permission", "modifier"))
"""What a dataset may carry."""

_DETAILS = {
    "DUO:0000007": ("diseases",), "DUO:0000012": ("research",), "DUO:0000022": ("regions",), "DUO:0000024": ("until",),
    "DUO:0000025": ("until",), "DUO:0000026": ("persons",), "DUO:0000027": ("projects",), "DUO:0000028": ("institutions",),
}  # fmt: skip
"""Which details a dataset's term takes; any other is refused."""

RULED_OUT: tuple[tuple[str, str], ...] = (
    ("insurance", r"insur|underwrit|forsikring"),
    ("pension", r"pension"),
    ("employment", r"employ(?:er|ment|ee)|recruitment|job ?applica|ansættelse|arbejdsgiver|rekruttering"),
    ("credit", r"credit|creditworth|mortgage|bank loan|kreditv|låneansøg|kreditgiv|kreditopl"),
    ("marketing", r"marketing|advertis|markedsføring|reklame"),
)
"""Uses that the law rules out, and how they are recognised in words (English, Danish; any case)."""

_DISEASE = re.compile(r"(?:MONDO:\d{7}|ICD10:[A-Z]\d[0-9A-Z](?:\.[0-9A-Z]{1,4})?|ORPHA:\d{1,7}|DOID:\d{1,7})")


@dataclass(frozen=True)
class Terms:
    """One term of a dataset or of a purpose, with its details."""

    term: str
    diseases: tuple[str, ...] = ()
    research: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    institutions: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    persons: tuple[str, ...] = ()
    until: date | None = None

    def stored(self) -> dict[str, Any]:
        """As it stands in the database: what is empty is left out."""
        found: dict[str, Any] = {"term": self.term}
        for name in ("diseases", "research", "regions", "institutions", "projects", "persons"):
            if getattr(self, name):
                found[name] = list(getattr(self, name))
        return found | ({"until": self.until.isoformat()} if self.until else {})


def ruled_out(text: str) -> str | None:
    """The use ruled out by law that `text` names, None when it names none."""
    lowered = text.lower()
    return next((name for name, pattern in RULED_OUT if re.search(pattern, lowered)), None)


def dataset_terms(raw: Sequence[Mapping[str, Any]]) -> tuple[Terms, ...]:
    """A dataset's terms, checked. Raises InputError for one that a dataset can't carry, or details it does not take."""
    found = []
    for item in raw:
        term = _known(item, CONDITIONS, "A dataset carries permissions and modifiers; docs/purpose.md lists them.")
        found.append(_read(term, item, _DETAILS.get(term.id, ())))
    return tuple(found)


def purpose_terms(raw: Sequence[Mapping[str, Any]]) -> tuple[Terms, ...]:
    """A project's purpose, checked. Raises InputError, and Refused for a use that the law rules out."""
    found = []
    for item in raw:
        law = ruled_out(str(item.get("term", "")))
        if law is not None:
            raise Refused("purpose.ruled_out", f"Use for {law} is ruled out by law.", "There is no way to ask for it.")
        term = _known(
            item,
            PURPOSES,
            _INSTEAD.get(_word(item), "A purpose is a kind of investigation; docs/purpose.md lists them."),
        )
        found.append(_read(term, item, ("diseases",)))
        if term.id == "DUO:0000040" and not found[-1].diseases:
            raise InputError(
                "Research into particular diseases names none.", 'Write it as "DUO:0000040 MONDO:0005148".'
            )
    return tuple(found)


_INSTEAD = {
    "DUO:0000006": "State DUO:0000037, biomedical research.",
    "DUO:0000007": 'State "DUO:0000040 MONDO:…", research into particular diseases.',
    "DUO:0000011": "State DUO:0000033, ancestry research.",
    "DUO:0000042": "State DUO:0000030, general research.",
    "DUO:0000004": "State what the project does; DUO:0000030 is research of any kind.",
}
"""What to state for a dataset's term that somebody gives as a purpose."""


def from_text(text: str) -> dict[str, Any]:
    """A term as typed: `DUO:0000007 MONDO:0005148`, `TS until=2027-01-01`, `GS regions=DK,SE`. Bare codes are diseases.

    Raises InputError for a detail without a value. Meaning is checked by `dataset_terms` or `purpose_terms`.
    """
    words = text.split()
    found: dict[str, Any] = {"term": words[0] if words else ""}
    for word in words[1:]:
        name, equals, value = word.partition("=")
        if not equals:
            found.setdefault("diseases", []).append(word)
        elif not value:
            raise InputError(f"{name[:20]!r} has no value.", "Write it as NAME=VALUE,VALUE.")
        else:
            found[name] = value if name == "until" else [part for part in value.split(",") if part]
    if ruled_out(text):
        found["term"] = text
    return found


def _word(item: Mapping[str, Any]) -> str:
    term = duo.find(str(item.get("term", "")))
    return term.id if term else ""


def _known(item: Mapping[str, Any], allowed: frozenset[str], remedy: str) -> duo.Term:
    word = str(item.get("term", ""))
    if word in duo.OBSOLETE:
        instead = duo.OBSOLETE[word]
        raise InputError(f"DUO has given up {word}.", f"It says {instead} now." if instead else remedy)
    term = duo.find(word)
    if term is None:
        raise InputError(f"{word[:40]!r} is no term of DUO.", remedy)
    if term.id not in allowed:
        raise InputError(f"{term.id} ({term.label}) can't stand here.", remedy)
    return term


def _read(term: duo.Term, item: Mapping[str, Any], takes: Sequence[str]) -> Terms:
    surplus = sorted(set(item) - {"term", *takes})
    if surplus:
        raise InputError(f"{term.id} takes no {surplus[0][:20]!r}.", f"It takes: {', '.join(takes) or 'nothing'}.")
    values: dict[str, Any] = {}
    for name in takes:
        raw = item.get(name)
        if raw is None or raw == []:
            continue
        values[name] = _day(raw) if name == "until" else _texts(name, raw)
    for disease in values.get("diseases", ()):
        if not _DISEASE.fullmatch(disease):
            raise InputError(
                f"{disease[:40]!r} is no code of a disease.", "Write MONDO:0005148, ICD10:E11, ORPHA:558 or DOID:9352."
            )
    research = [duo.find(word) for word in values.get("research", ())]
    if any(kind is None or kind.kind != "investigation" for kind in research):
        raise InputError(
            "A kind of research is no kind of investigation.", "docs/purpose.md lists DUO:0000030 to DUO:0000040."
        )
    if research:
        values["research"] = tuple(kind.id for kind in research if kind is not None)
    return Terms(term.id, **values)


def _texts(name: str, raw: Any) -> tuple[str, ...]:
    if not isinstance(raw, (list, tuple)) or not all(isinstance(part, str) and part.strip() for part in raw):
        raise InputError(f"{name!r} is not a list of texts.", "Give one or more.")
    return tuple(part.strip() for part in raw)


def _day(raw: Any) -> date:
    try:
        return date.fromisoformat(str(raw))
    except ValueError as error:
        raise InputError(f"{str(raw)[:20]!r} is not a date.", "Write it as YYYY-MM-DD.") from error
