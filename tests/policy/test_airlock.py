"""The airlock's rules, each on both sides."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ngc_workbench.policy import airlock
from ngc_workbench.policy.airlock import CastVote, Checker, Request, Requester

ASKER = Requester("alma", ("researcher",), disabled=False, member=True)
CHECKER = Checker("oda", ("output_checker",), disabled=False, research_group="", ever_member=False)
DIGEST = airlock.digest([("a.csv", "00" * 32)])
REQUEST = Request("alma", "cardio", "in_review", DIGEST, releasable=1, votes=())


@pytest.mark.parametrize(
    ("asker", "state", "reason"),
    [
        (ASKER, "active", "export.may_request"),
        (replace(ASKER, disabled=True), "active", "person.disabled"),
        (replace(ASKER, roles=("output_checker",)), "active", "role.missing"),
        (replace(ASKER, member=False), "active", "project.not_a_member"),
        (ASKER, None, "project.not_a_member"),
        (ASKER, "suspended", "project.not_active"),
        (ASKER, "closed", "project.not_active"),
    ],
)
def test_who_may_ask(asker: Requester, state: str | None, reason: str) -> None:
    """A researcher who is a member of an active project, and nobody else."""
    decision = airlock.may_request(asker, state)
    assert (decision.reason, decision.allowed) == (reason, reason == "export.may_request")


@pytest.mark.parametrize(
    ("checker", "reason"),
    [
        (CHECKER, "review.independent"),
        (replace(CHECKER, research_group="lungs"), "review.independent"),
        (replace(CHECKER, research_group="cardio"), "review.same_group"),
        (replace(CHECKER, ever_member=True), "review.own_project"),
        (replace(CHECKER, name="alma"), "review.own_request"),
        (replace(CHECKER, roles=("researcher", "security_officer")), "role.missing"),
        (replace(CHECKER, disabled=True), "person.disabled"),
    ],
)
def test_who_may_review(checker: Checker, reason: str) -> None:
    """An output checker from outside the project and the requester's group."""
    decision = airlock.may_review(checker, REQUEST)
    assert (decision.reason, decision.allowed) == (reason, reason == "review.independent")


def test_two_people_without_a_group_are_not_of_one_group() -> None:
    """An empty group is nobody's group."""
    assert airlock.may_review(CHECKER, replace(REQUEST, requester_group=""))


@pytest.mark.parametrize(
    ("request_", "vote", "reason"),
    [
        (REQUEST, {}, "vote.counts"),
        (REQUEST, {"approve": False}, "vote.counts"),
        (REQUEST, {"seen": "f" * 64}, "vote.other_version"),
        (REQUEST, {"seen": ""}, "vote.other_version"),
        (REQUEST, {"reason": " "}, "vote.no_reason"),
        (replace(REQUEST, votes=(CastVote("oda", True),)), {}, "vote.twice"),
        (replace(REQUEST, votes=(CastVote("olav", True),)), {}, "vote.counts"),
        (replace(REQUEST, releasable=0), {}, "vote.nothing_releasable"),
        (replace(REQUEST, releasable=0), {"approve": False}, "vote.counts"),
        *[
            (replace(REQUEST, state=state), {}, "vote.not_in_review")
            for state in ("draft", "submitted", "checking", "approved", "released", "rejected", "withdrawn", "revoked")
        ],
    ],
)
def test_which_votes_count(request_: Request, vote: dict, reason: str) -> None:
    """A first vote with a reason, on the files that were shown, while the request is in review."""
    decision = airlock.may_vote(CHECKER, request_, **{"approve": True, "reason": "looked", "seen": DIGEST, **vote})
    assert (decision.reason, decision.allowed) == (reason, reason == "vote.counts")


@pytest.mark.parametrize(
    ("votes", "result"),
    [
        ([], "open"),
        ([True], "open"),
        ([False], "open"),
        ([True, True], "approved"),
        ([False, False], "rejected"),
        ([True, False], "open"),
        ([True, False, True], "approved"),
        ([False, True, False], "rejected"),
    ],
)
def test_what_votes_decide(votes: list[bool], result: str) -> None:
    """The side that first has two votes."""
    assert airlock.outcome(votes, 2) == result


def test_with_three_needed_two_decide_nothing() -> None:
    """The number of checkers is a setting; outcome follows it."""
    assert airlock.outcome([True, True], 3) == "open"
    assert airlock.outcome([True, True, True], 3) == "approved"


def test_checkers_are_blind_until_both_have_voted() -> None:
    """Before, a checker sees their own vote alone, voted or not; after, all votes."""
    one, two = CastVote("oda", True), CastVote("olav", False)
    assert airlock.visible_votes("olav", [one], 2) == ()
    assert airlock.visible_votes("oda", [one], 2) == (one,)
    assert airlock.visible_votes("ole", [one], 2) == ()
    assert airlock.visible_votes("olav", [one, two], 2) == (one, two)


@pytest.mark.parametrize(
    ("person", "state", "released", "reason"),
    [
        (ASKER, "released", True, "download.own_release"),
        (replace(ASKER, member=False), "released", True, "download.own_release"),
        (replace(ASKER, name="bo"), "released", True, "download.not_requester"),
        (replace(ASKER, disabled=True), "released", True, "person.disabled"),
        (ASKER, "released", False, "download.withheld"),
        (ASKER, "approved", True, "download.not_released"),
        (ASKER, "in_review", True, "download.not_released"),
        (ASKER, "revoked", True, "download.not_released"),
    ],
)
def test_who_may_download(person: Requester, state: str, released: bool, reason: str) -> None:
    """The requester, a released file, while the release stands."""
    decision = airlock.may_download(person, replace(REQUEST, state=state), file_released=released)
    assert (decision.reason, decision.allowed) == (reason, reason == "download.own_release")


def test_the_digest_tells_any_two_lists_of_files_apart() -> None:
    """Another name, another content, another file, or a name that plays with separators: another digest; order plays no part."""
    a, b = "00" * 32, "11" * 32
    lists = [[("x", a)], [("x", b)], [("y", a)], [("x", a), ("y", b)], [("x", b), ("y", a)], [("x\n" + a, b)]]
    assert len({airlock.digest(files) for files in lists}) == len(lists)
    assert airlock.digest([("x", a), ("y", b)]) == airlock.digest([("y", b), ("x", a)])
