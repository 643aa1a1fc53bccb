"""Whether a project's purpose fits a dataset's terms: asked before each approval is given.

Who provisions sees a refusal, or the conditions that a person must judge; the judgement is given in words and stands
in the audit log beside the approval.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database
from ngc_workbench.errors import InputError, Refused
from ngc_workbench.model import Dataset, Project, utcnow
from ngc_workbench.policy.purpose import Facts, Match, match

_WORDS = {"yes": True, "no": False}
_FLAGS = ("commercial", "non_profit", "publication", "embargo", "collaboration", "return_of_results", "genotypes")
_TEXTS = ("institution", "country")


def facts_from(words: Sequence[str]) -> Facts:
    """Facts as typed: `country=DK`, `commercial=no`. Raises InputError for a name or a value that is none."""
    found: dict[str, Any] = {}
    for word in words:
        name, _, value = word.partition("=")
        if name in _FLAGS and value in _WORDS:
            found[name] = _WORDS[value]
        elif name in _TEXTS and value.strip():
            found[name] = value.strip()
        else:
            raise InputError(
                f"{word[:40]!r} is no fact about a project.",
                f"Write NAME=yes or NAME=no for {', '.join(_FLAGS)}; NAME=TEXT for {', '.join(_TEXTS)}.",
            )
    return Facts(**found)


def judge(
    db: Session, dataset: str, terms: Sequence[Mapping[str, Any]], facts: Facts, known: Sequence[tuple[str, str]] = ()
) -> Match:
    """The match of a purpose with a dataset's terms, today."""
    row = db.get(Dataset, dataset)
    return match(row.terms if row is not None else [], terms, facts, utcnow().date(), known)


def judge_project(db: Session, project: Project, dataset: str, facts: Facts, valid_until: date) -> Match:
    """The match of a project with a dataset's terms; what the project itself says is added to `facts`."""
    whole = replace(
        facts, ethics_approval=project.ethics_approval, project=project.name, text=project.purpose, until=valid_until,
        persons=tuple(member.person_name for member in project.members if member.until is None),
    )  # fmt: skip
    return judge(db, dataset, project.terms, whole)


def stated(facts: Facts) -> list[str]:
    """The facts that somebody stated, as typed, for the audit log."""
    words = {True: "yes", False: "no"}
    flags = [f"{name}={words[getattr(facts, name)]}" for name in _FLAGS if getattr(facts, name) is not None]
    return flags + [f"{name}={getattr(facts, name)}" for name in _TEXTS if getattr(facts, name)]


@contextmanager
def recorded(database: Database, log: AuditLog, *, actor: str, project: str) -> Iterator[None]:
    """Records a refusal for the purpose's sake as `approval.granted`, deny; in a transaction of its own, after the block's."""
    try:
        yield
    except Refused as refused:
        if refused.reason.startswith("purpose."):
            with database.writing() as db:
                log.append(
                    db, "approval.granted", actor=actor, decision="deny", reason=refused.reason, project=project,
                    subject=project, details={"why": refused.what},
                )  # fmt: skip
        raise
