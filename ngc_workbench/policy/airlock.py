"""Who may ask for an export, review it, and fetch what was released.

Two checkers decide, blind to each other until both have voted; a third decides a tie. Nobody who is or was a member of the
project reviews it, nor anybody of the requester's research group. A file with a blocking finding is never released,
however the votes fall.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from ngc_workbench.policy.decision import Decision, allow, deny
from ngc_workbench.policy.roles import may

Outcome = Literal["open", "approved", "rejected"]

_SUPPORT = "Ask your data support centre."


@dataclass(frozen=True)
class Requester:
    """What is known of the person who asks for an export."""

    name: str
    roles: tuple[str, ...]
    disabled: bool
    member: bool
    """A member of the project now."""


@dataclass(frozen=True)
class Checker:
    """What is known of the person who wants to review."""

    name: str
    roles: tuple[str, ...]
    disabled: bool
    research_group: str
    ever_member: bool
    """A member of the project now, or at any time before."""


@dataclass(frozen=True)
class CastVote:
    """A vote that stands."""

    checker: str
    approve: bool


@dataclass(frozen=True)
class Request:
    """The facts of a request on which votes and downloads are decided.

    `digest` is that of the files under review (`digest`), `releasable` the number of files without a blocking finding.
    """

    requester: str
    requester_group: str
    state: str
    digest: str
    releasable: int
    votes: tuple[CastVote, ...]


def digest(files: Iterable[tuple[str, str]]) -> str:
    """One SHA-256 over (name, SHA-256 of the content) of all files of a request: what a vote is cast on.

    Each name is hashed first, so no choice of names can make two lists of files look alike.
    """
    whole = hashlib.sha256()
    for name, content in sorted(files):
        whole.update(hashlib.sha256(name.encode()).digest())
        whole.update(bytes.fromhex(content))
    return whole.hexdigest()


def may_request(requester: Requester, project_state: str | None) -> Decision:
    """Whether the person may ask for an export from the project now."""
    if requester.disabled:
        return deny("person.disabled", "This account is disabled.", "Ask the security officer.")
    role = may(requester.roles, "export.request")
    if not role:
        return role
    # A project that does not exist and one that is not theirs read alike.
    if project_state is None or not requester.member:
        return deny("project.not_a_member", "You are not a member of a project of that name.", _SUPPORT)
    if project_state != "active":
        return deny("project.not_active", f"The project is {project_state}.", _SUPPORT)
    return allow("export.may_request", "member of an active project")


def may_review(checker: Checker, request: Request) -> Decision:
    """Whether the person may open a request as its checker (see its files, and its findings)."""
    if checker.disabled:
        return deny("person.disabled", "This account is disabled.", "Ask the security officer.")
    role = may(checker.roles, "export.review")
    if not role:
        return role
    if checker.name == request.requester:
        return deny("review.own_request", "Nobody reviews their own request.")
    if checker.ever_member:
        return deny("review.own_project", "You are or were a member of this project, so others review its requests.")
    if checker.research_group and checker.research_group == request.requester_group:
        return deny("review.same_group", "The requester is of your research group, so others review this request.")
    return allow("review.independent", "a checker from outside the project and the group")


def may_vote(checker: Checker, request: Request, *, approve: bool, reason: str, seen: str) -> Decision:
    """Whether this vote counts. `seen` is the digest of the files that the checker was shown."""
    review = may_review(checker, request)
    if not review:
        return review
    if any(vote.checker == checker.name for vote in request.votes):
        return deny("vote.twice", "You have voted on this request already.")
    if request.state != "in_review":
        return deny("vote.not_in_review", f"The request is {request.state.replace('_', ' ')}; it takes no votes now.")
    if seen != request.digest:
        return deny(
            "vote.other_version",
            "The files are not those that you were shown.",
            "Open the request again and look at it.",
        )
    if not reason.strip():
        return deny("vote.no_reason", "A vote needs a reason.", "Say in a sentence what you looked at.")
    if approve and request.releasable == 0:
        return deny(
            "vote.nothing_releasable",
            "Every file has a blocking finding, so there is nothing to approve.",
            "Reject the request, and say what would mend it.",
        )
    return allow("vote.counts", "an independent checker's first vote on these files")


def outcome(votes: Sequence[bool], needed: int) -> Outcome:
    """What the votes (True: approve) decide: the side that first has `needed` votes; till then it is open.

    With two needed, one vote for and one against wait for a third checker.
    """
    if sum(votes) >= needed:
        return "approved"
    if len(votes) - sum(votes) >= needed:
        return "rejected"
    return "open"


def visible_votes(viewer: str, votes: Sequence[CastVote], needed: int) -> tuple[CastVote, ...]:
    """The votes that a checker may see: their own; the others' once `needed` checkers have voted independently."""
    if len(votes) >= needed:
        return tuple(votes)
    return tuple(vote for vote in votes if vote.checker == viewer)


def may_download(person: Requester, request: Request, *, file_released: bool) -> Decision:
    """Whether the person may fetch a file of the request: the requester alone, and a released file alone."""
    if person.disabled:
        return deny("person.disabled", "This account is disabled.", "Ask the security officer.")
    if person.name != request.requester:
        return deny("download.not_requester", "Only the person who asked for the export may download it.")
    if request.state != "released":
        return deny(
            "download.not_released", f"The request is {request.state.replace('_', ' ')}; nothing of it was released."
        )
    if not file_released:
        return deny("download.withheld", "This file was withheld.", "Its findings say why, and what would mend it.")
    return allow("download.own_release", "the requester's own released file")
