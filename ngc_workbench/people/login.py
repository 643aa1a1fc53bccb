"""From the identity provider's claims to a person.

Claims used: `sub`-like user name (`preferred_username`, else `sub`), `name`, `roles` (names of `policy.roles`), `research_group`,
`training_until` (ISO date), `acr` (assurance level) and `amr` (methods). Roles follow the claims at each log-in, so a role
that the provider withdraws is gone at the next log-in or refresh. A log-in without any known role is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from ngc_workbench.audit import SERVICES, AuditLog
from ngc_workbench.errors import InputError
from ngc_workbench.model import Person, utcnow
from ngc_workbench.policy import Decision, allow, deny
from ngc_workbench.policy.names import is_slug
from ngc_workbench.policy.roles import ROLES


@dataclass(frozen=True)
class Claims:
    """The claims that count, checked for form."""

    name: str
    full_name: str
    research_group: str
    roles: tuple[str, ...]
    assurance: str
    methods: tuple[str, ...]
    training_until: date | None


def read_claims(raw: Mapping[str, Any]) -> Claims:
    """Reads an ID token's or userinfo's claims. Unknown roles are dropped. Raises InputError on a malformed claim."""
    name = raw.get("preferred_username") or raw.get("sub")
    # It becomes a subdomain, a path segment and a folder.
    if not isinstance(name, str) or not is_slug(name):
        raise InputError(
            "The identity provider gave no usable user name.", "Ask the operator to check the provider's claims."
        )
    until = raw.get("training_until") or None
    try:
        training = None if until is None else date.fromisoformat(until)
    except (TypeError, ValueError) as error:
        raise InputError(
            "The claim training_until is not a date.", "Ask the operator to check the provider's claims."
        ) from error
    return Claims(
        name=name,
        full_name=_text(raw, "name") or name,
        research_group=_text(raw, "research_group"),
        roles=tuple(role for role in _texts(raw, "roles") if role in ROLES),
        assurance=_text(raw, "acr"),
        methods=_texts(raw, "amr"),
        training_until=training,
    )


def _text(raw: Mapping[str, Any], key: str) -> str:
    value = raw.get(key, "")
    if not isinstance(value, str) or len(value) > 200:
        raise InputError(f"The claim {key} is not a short text.", "Ask the operator to check the provider's claims.")
    return value


def _texts(raw: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = raw.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InputError(f"The claim {key} is not a list of texts.", "Ask the operator to check the provider's claims.")
    return tuple(value)


def may_log_in(claims: Claims, *, disabled: bool) -> Decision:
    """Whether a person with these claims may log in at all. What they may do then, other rules say."""
    if disabled:
        return deny("person.disabled", "This account is disabled.", "Ask the security officer.")
    if claims.name in SERVICES:
        # In the log they would stand for a service of ours.
        return deny("login.reserved_name", "This user name belongs to a service.", "Ask the operator for another name.")
    if not claims.roles:
        return deny(
            "login.no_role",
            "Your organisation has given you no role in the workbench.",
            "Ask your data support centre.",
        )
    return allow("login.known_role")


def record_login(db: Session, log: AuditLog, raw: Mapping[str, Any]) -> Decision:
    """Stores what the log-in proved, and records it. The caller refuses the log-in when the decision says so.

    Raises InputError on malformed claims (nothing is stored then).
    """
    claims = read_claims(raw)
    person = db.get(Person, claims.name)
    decision = may_log_in(claims, disabled=person is not None and person.disabled)
    if decision:
        if person is None:
            person = Person(name=claims.name)
            db.add(person)
        person.full_name = claims.full_name
        person.research_group = claims.research_group
        person.roles = list(claims.roles)
        person.assurance = claims.assurance
        person.methods = list(claims.methods)
        person.training_until = claims.training_until
        person.last_login = utcnow()
    log.append(
        db,
        "login.allowed" if decision else "login.refused",
        actor=claims.name,
        decision="allow" if decision else "deny",
        reason=decision.reason,
        details={"assurance": claims.assurance, "methods": list(claims.methods), "roles": list(claims.roles)},
    )
    return decision
