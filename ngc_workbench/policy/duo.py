"""The GA4GH Data Use Ontology (DUO): its terms, from duo.json, which names source and version.

Three kinds: permissions and modifiers say on what terms a dataset may be used; kinds of investigation say what a
project does.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files

_TABLE = json.loads(files("ngc_workbench.policy").joinpath("duo.json").read_text(encoding="utf-8"))

SOURCE: str = _TABLE["source"]
VERSION: str = _TABLE["version"]


@dataclass(frozen=True)
class Term:
    """A term: DUO's id, shorthand (may be empty) and label; `en` and `da` say in our words what it means.

    `kind` is root, permission, modifier or investigation; `parent` is the wider term's id, None at the top.
    """

    id: str
    shorthand: str
    label: str
    parent: str | None
    kind: str
    en: str
    da: str

    @property
    def iri(self) -> str:
        """The term's address."""
        return f"http://purl.obolibrary.org/obo/{self.id.replace(':', '_')}"


TERMS: dict[str, Term] = {row["id"]: Term(**row) for row in _TABLE["terms"]}
OBSOLETE: dict[str, str] = {row["id"]: row["instead"] for row in _TABLE["obsolete"]}
"""Ids that DUO has given up, with what is said instead (empty: nothing)."""

_BY_WORD = {word: term.id for term in TERMS.values() for word in (term.id, term.shorthand.upper()) if word}


def find(word: str) -> Term | None:
    """The term of that id or shorthand (any case), None when there is none."""
    found = _BY_WORD.get(word.strip().upper())
    return TERMS[found] if found else None


def within(term: str, wider: str) -> bool:
    """Whether `term` is `wider`, or one of the kinds below it."""
    at: str | None = term
    while at is not None:
        if at == wider:
            return True
        at = TERMS[at].parent if at in TERMS else None
    return False
