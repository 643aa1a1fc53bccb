"""Finding the patient behind a pseudonym: the custodian alone, for a reason, and always recorded."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from sqlalchemy import select

from ngc_workbench import people
from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database
from ngc_workbench.errors import InputError, IntegrityError, NotFound
from ngc_workbench.model import Individual, Project
from ngc_workbench.pseudonyms.keyring import Keyring
from ngc_workbench.pseudonyms.rendering import parse
from ngc_workbench.settings import Settings


@dataclass(frozen=True)
class Identity:
    """Who a pseudonym stands for: the dataset, the sample's name there, and the CPR number (None: never given)."""

    dataset: str
    sample: str
    cpr: str | None


def reverse(
    settings: Settings,
    database: Database,
    log: AuditLog,
    *,
    project: str,
    pseudonym: str,
    reason: str,
    actor: str,
) -> Identity:
    """The person behind a project's pseudonym. The look-up is recorded before its answer is given.

    The pseudonym may be typed in any case, with O for 0 and so on (`rendering.parse`). Raises Refused without the role
    (recorded), InputError without a reason or for a mistyped pseudonym, NotFound for an unknown project or a pseudonym
    that is nobody's in this project, IntegrityError when it is that of two people.
    """
    people.require(database, log, actor, "pseudonyms.reverse", kind="pseudonym.reversed", project=project)
    if not reason.strip():
        raise InputError("A reversal needs a reason.", "Say what for, for instance the clinical finding's case number.")
    right = parse(pseudonym)
    keyring = Keyring.of(settings)
    # Searched before the transaction that records it: some 60,000 hashes, while nobody waits to write.
    with database.reading() as db:
        row = db.get(Project, project)
        if row is None:
            raise NotFound(f"There is no project {project!r}.", "`ngc-workbench project list` shows them.")
        of = keyring.pseudonymiser(project, row.key_version).of
        ids = [one for one in db.scalars(select(Individual.internal_id)) if hmac.compare_digest(of(one), right)]
        if len(ids) > 1:
            raise IntegrityError(
                "Two people have this pseudonym, so nobody can say whose it is.", "Call the security officer."
            )
        found = db.get_one(Individual, ids[0]) if ids else None
    with database.writing() as db:
        # Asked again in the transaction that answers: a role may have been taken away since.
        people.holds(people.get(db, actor), "pseudonyms.reverse").or_refuse()
        log.append(
            db, "pseudonym.reversed", actor=actor, decision="allow", reason="role.holds", project=project,
            subject=right, details={"purpose": reason.strip(), "found": found is not None},
        )  # fmt: skip
    if found is None:
        raise NotFound("That pseudonym is nobody's in this project.", "Compare the project and the pseudonym.")
    content = keyring.unseal(found.sealed)
    return Identity(found.dataset_name, str(content["sample"]), content.get("cpr"))
