"""Whether a session may run: each rule, on both sides."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from ngc_workbench.policy.sessions import Applicant, Grant, current_grants, may_run

TODAY = date(2026, 11, 25)
LEVELS, METHODS = ("substantial", "high"), ("mfa",)
GOOD = Applicant("alma", ("researcher",), "substantial", ("pwd", "mfa"), TODAY, disabled=False, member=True)
GRANT = Grant("cohort/r1", "published", TODAY, withdrawn=False, view_id=1)


def decide(applicant=GOOD, state="active", grants=(GRANT,), today=TODAY):
    return may_run(applicant, state, grants, today=today, assurance_levels=LEVELS, mfa_methods=METHODS)


def test_member_with_everything_may_run():
    """A member of an active project with proof, training and a current approval may run a session."""
    assert decide().allowed


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"disabled": True}, "person.disabled"),
        ({"roles": ("custodian", "support_officer")}, "role.missing"),
        ({"member": False}, "project.not_a_member"),
        ({"assurance": "low"}, "login.assurance"),
        ({"assurance": ""}, "login.assurance"),
        ({"methods": ("pwd",)}, "login.mfa"),
        ({"methods": ()}, "login.mfa"),
        ({"training_until": None}, "training.missing"),
        ({"training_until": TODAY - timedelta(days=1)}, "training.missing"),
    ],
)
def test_a_missing_proof_of_the_person_refuses(change, reason):
    """Each thing that the person lacks refuses by its own rule."""
    decision = decide(replace(GOOD, **change))
    assert (decision.allowed, decision.reason) == (False, reason)
    assert decision.text


@pytest.mark.parametrize("state", ["draft", "submitted", "approved", "suspended", "closed", "archived", "refused"])
def test_only_an_active_project_runs(state):
    """No state but active lets a session run."""
    assert decide(state=state).reason == "project.not_active"


def test_a_project_that_does_not_exist_reads_like_one_of_others():
    """Somebody who is not a member can't tell whether a project exists."""
    assert decide(state=None) == decide(replace(GOOD, member=False))


@pytest.mark.parametrize(
    "change",
    [
        {"withdrawn": True},
        {"valid_until": TODAY - timedelta(days=1)},
        {"release_state": "building"},
        {"release_state": "withdrawn"},
        {"view_id": None},
    ],
)
def test_an_approval_that_does_not_count_refuses_and_mounts_nothing(change):
    """Withdrawn, expired, unpublished or unbuilt: not mounted, and no session without another grant."""
    bad = replace(GRANT, **change)
    assert current_grants([bad, GRANT], TODAY) == (GRANT,)
    assert decide(grants=(bad,)).reason == "approval.not_current"


def test_an_approval_counts_on_its_last_day():
    """The last day of an approval is included."""
    assert current_grants([replace(GRANT, valid_until=TODAY)], TODAY)


def test_no_approval_refuses():
    """A project without any approval runs no session."""
    assert decide(grants=()).reason == "approval.none"
