"""Roles, and what each may do: one table. A person has the actions of all their roles, and no others."""

from __future__ import annotations

from collections.abc import Iterable

from ngc_workbench.policy.decision import Decision, allow, deny

ROLES: dict[str, str] = {
    "researcher": "works in the projects that they are a member of",
    "support_officer": "provisions, changes and closes projects",
    "custodian": "ingests genomes, publishes releases, honours opt-outs, holds the keys",
    "output_checker": "reviews export requests of projects that they are not a member of",
    "security_officer": "watches sessions, audits, suspends",
}

ACTIONS: dict[str, frozenset[str]] = {
    "session.start": frozenset({"researcher"}),
    "export.request": frozenset({"researcher"}),
    "export.review": frozenset({"output_checker"}),
    "project.provision": frozenset({"support_officer"}),
    "project.suspend": frozenset({"support_officer", "security_officer"}),
    "project.limit": frozenset({"support_officer", "security_officer"}),
    "genomes.ingest": frozenset({"custodian"}),
    "genomes.publish": frozenset({"custodian"}),
    "genomes.describe": frozenset({"custodian"}),
    "genomes.optout": frozenset({"custodian"}),
    "genomes.view": frozenset({"custodian", "support_officer"}),
    "pseudonyms.reverse": frozenset({"custodian"}),
    "pseudonyms.rotate": frozenset({"custodian"}),
    "audit.read": frozenset({"security_officer"}),
    "session.watch": frozenset({"security_officer"}),
    "session.pause": frozenset({"security_officer"}),
    "session.release": frozenset({"security_officer"}),
    "session.stop": frozenset({"security_officer"}),
}


def may(roles: Iterable[str], action: str) -> Decision:
    """Whether somebody with these roles may do `action`. An action that is not in the table is refused."""
    holders = ACTIONS.get(action)
    if holders is None:
        return deny("action.unknown", f"Nobody may do {action!r}: it is not in the table of actions.")
    if holders & set(roles):
        return allow("role.holds", f"{action} is theirs by role")
    names = ", ".join(sorted(holders)).replace("_", " ")
    return deny("role.missing", f"This takes the role {names}.", "Ask your data support centre for it.")
