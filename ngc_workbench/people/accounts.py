"""People as the workbench knows them, and the check that stands before each privileged action."""

from __future__ import annotations

from sqlalchemy.orm import Session

from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database
from ngc_workbench.errors import NotFound
from ngc_workbench.model import Person
from ngc_workbench.policy import Decision, deny
from ngc_workbench.policy.roles import may


def get(db: Session, name: str) -> Person:
    """The person of that name. Raises NotFound."""
    person = db.get(Person, name)
    if person is None:
        raise NotFound(f"There is no person {name!r} in the workbench.", "A person is known after their first log-in.")
    return person


def holds(person: Person, action: str) -> Decision:
    """Whether the person may do `action` by their roles; a disabled account may do nothing."""
    if person.disabled:
        return deny("person.disabled", "This account is disabled.", "Ask the security officer.")
    return may(person.roles, action)


def require(
    database: Database,
    log: AuditLog,
    name: str,
    action: str,
    *,
    kind: str = "command.refused",
    project: str = "",
    subject: str = "",
) -> Person:
    """The person, when they may do `action`.

    A refusal is recorded as an event of `kind` in a transaction of its own (so that it stays when the caller's work
    is rolled back) and raised as Refused. Raises NotFound for an unknown person.
    """
    with database.writing() as db:
        person = get(db, name)
        decision = holds(person, action)
        if not decision:
            log.append(
                db, kind, actor=name, decision="deny", reason=decision.reason, project=project, subject=subject,
                details={"action": action},
            )  # fmt: skip
    decision.or_refuse()
    return person
