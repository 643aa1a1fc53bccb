"""What is true of a request and of the people around it: read in the transaction in which it is decided on."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from ngc_workbench import people
from ngc_workbench.airlock.checks import Context
from ngc_workbench.errors import NotFound
from ngc_workbench.model import ExportRequest, Membership, Person, View
from ngc_workbench.policy import airlock as policy
from ngc_workbench.projects.facts import is_member
from ngc_workbench.settings import Settings


def find(db: Session, request_id: str) -> ExportRequest:
    """The request of that id. Raises NotFound."""
    request = db.get(ExportRequest, request_id)
    if request is None:
        raise NotFound("There is no such export request.", "Look at your list of requests.")
    return request


def requester(db: Session, name: str, project: str) -> policy.Requester:
    """The facts about a person who asks for, or fetches, an export of the project; also of one who doesn't exist."""
    person = db.get(Person, name)
    return policy.Requester(
        name=name,
        roles=tuple(person.roles) if person else (),
        disabled=person is None or person.disabled,
        member=is_member(db, name, project),
    )


def checker(db: Session, name: str, project: str) -> policy.Checker:
    """The facts about a person who wants to review a request of the project. Raises NotFound."""
    person = people.get(db, name)
    membership = db.scalar(
        select(Membership.id).where(Membership.project_name == project, Membership.person_name == name).limit(1)
    )
    return policy.Checker(
        name=name,
        roles=tuple(person.roles),
        disabled=person.disabled,
        research_group=person.research_group,
        ever_member=membership is not None,
    )


def facts(db: Session, request: ExportRequest) -> policy.Request:
    """The facts about a request."""
    asker = db.get(Person, request.requester)
    return policy.Request(
        requester=request.requester,
        requester_group=asker.research_group if asker else "",
        state=request.state,
        digest=policy.digest((file.name, file.sha256) for file in request.files),
        releasable=sum(file.verdict in ("pass", "review") for file in request.files),
        votes=tuple(policy.CastVote(vote.checker, vote.approve) for vote in request.votes),
    )


def context(db: Session, settings: Settings, project: str) -> Context:
    """What the checks are told about the project."""
    counted = db.scalars(select(View.people).where(View.project_name == project))
    return Context(people=frozenset(counted), small_count=settings.small_count)
