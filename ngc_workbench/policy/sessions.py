"""Whether a person may run a session in a project, and which views it mounts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from ngc_workbench.policy.decision import Decision, allow, deny
from ngc_workbench.policy.roles import may


@dataclass(frozen=True)
class Applicant:
    """What is known of the person who wants a session."""

    name: str
    roles: tuple[str, ...]
    assurance: str
    methods: tuple[str, ...]
    training_until: date | None
    disabled: bool
    member: bool


@dataclass(frozen=True)
class Grant:
    """One approval of the project: its end, whether it was withdrawn, and the view made for it (None: not built)."""

    release: str
    release_state: str
    valid_until: date
    withdrawn: bool
    view_id: int | None


def current_grants(grants: Sequence[Grant], today: date) -> tuple[Grant, ...]:
    """The grants that count today: neither withdrawn nor expired, release published, view built."""
    return tuple(
        grant
        for grant in grants
        if not grant.withdrawn and grant.valid_until >= today and grant.release_state == "published" and grant.view_id
    )


def may_run(
    applicant: Applicant,
    project_state: str | None,
    grants: Sequence[Grant],
    *,
    today: date,
    assurance_levels: Sequence[str],
    mfa_methods: Sequence[str],
) -> Decision:
    """Whether `applicant` may start, or go on running, a session now. The first rule that fails gives the reason."""
    support = "Ask your data support centre."
    if applicant.disabled:
        return deny("person.disabled", "This account is disabled.", "Ask the security officer.")
    role = may(applicant.roles, "session.start")
    if not role:
        return role
    # A project that does not exist and one that is not theirs read alike: names of projects are nobody else's business.
    if project_state is None or not applicant.member:
        return deny("project.not_a_member", "You are not a member of a project of that name.", support)
    if project_state != "active":
        return deny("project.not_active", f"The project is {project_state}.", support)
    if applicant.assurance not in assurance_levels:
        return deny(
            "login.assurance",
            "Your log-in does not prove who you are well enough.",
            "Log in again with MitID at level substantial.",
        )
    if not set(applicant.methods) & set(mfa_methods):
        return deny("login.mfa", "Your log-in did not use a second factor.", "Log in again with two factors.")
    if applicant.training_until is None or applicant.training_until < today:
        return deny(
            "training.missing",
            "Your training in data protection is missing or has expired.",
            "Take the course, then log in again.",
        )
    if not grants:
        return deny("approval.none", "The project has no approval for any data.", support)
    if not current_grants(grants, today):
        return deny(
            "approval.not_current",
            "No approval of the project counts today: each is expired, withdrawn, or its view is not ready.",
            support,
        )
    return allow("session.may_run", "member of an active project with a current approval")


def may_keep_views(
    *,
    mounted: Collection[int],
    current: Collection[int],
    replaced: Collection[int],
    ends: datetime | None,
    now: datetime,
) -> Decision:
    """Whether a running session may go on with the views that it mounts, all of them ids.

    `current` are those that the project's approvals cover now; `replaced` those of the mounted that gave way to one of
    these: with such a one a session may go on until `ends`, when it was told so. Any other view ends it at once.
    """
    gone = set(mounted) - set(current)
    if not gone:
        return allow("view.current", "each mounted view is current")
    if not gone <= set(replaced) or ends is None:
        return deny(
            "view.not_current",
            "A view that the session mounts was retired or its approval ended.",
            "Start the session again.",
        )
    if now >= ends:
        return deny(
            "view.replaced",
            "A view that the session mounts was replaced, and the time to save work is over.",
            "Start the session again: it mounts the new view.",
        )
    return allow("view.replaced_until", "a mounted view was replaced; the session ends at the time that it was told")
