"""What is true of a person and a project now: read from the database each time, never remembered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from ngc_workbench.model import Approval, Membership, Person, Project, Release, View, utcnow
from ngc_workbench.policy.sessions import Applicant, Grant, current_grants


@dataclass(frozen=True)
class SessionFacts:
    """Facts for `policy.sessions.may_run`. `views` are the views of the grants that count today."""

    applicant: Applicant
    project_state: str | None
    grants: tuple[Grant, ...]
    views: tuple[View, ...]


def is_member(db: Session, person_name: str, project_name: str) -> bool:
    """Whether the person is a member of the project now."""
    membership = db.scalar(
        select(Membership).where(Membership.project_name == project_name, Membership.person_name == person_name)
    )
    return membership is not None and (membership.until is None or membership.until > utcnow())


def session_facts(db: Session, person_name: str, project_name: str, today: date) -> SessionFacts:
    """The facts for one person's session in one project; for a person or project that does not exist too."""
    person = db.get(Person, person_name)
    project = db.get(Project, project_name)
    applicant = Applicant(
        name=person_name,
        roles=tuple(person.roles) if person else (),
        assurance=person.assurance if person else "",
        methods=tuple(person.methods) if person else (),
        training_until=person.training_until if person else None,
        disabled=person is None or person.disabled,
        member=is_member(db, person_name, project_name),
    )
    grants: list[Grant] = []
    views: dict[int, View] = {}
    rows = db.execute(
        select(Approval, Release)
        .join(Release, Approval.release_id == Release.id)
        .where(Approval.project_name == project_name)
    )
    for approval, release in rows:
        view = db.scalar(
            select(View)
            .where(View.project_name == project_name, View.release_id == release.id, View.retired.is_(None))
            .order_by(View.id.desc())
            .limit(1)
        )
        if view is not None:
            views[view.id] = view
        grants.append(
            Grant(
                release=f"{release.dataset_name}/{release.name}",
                release_state=release.state,
                valid_until=approval.valid_until,
                withdrawn=approval.withdrawn is not None,
                view_id=view.id if view else None,
            )
        )
    counting = {grant.view_id for grant in current_grants(grants, today) if grant.view_id is not None}
    return SessionFacts(
        applicant=applicant,
        project_state=project.state if project else None,
        grants=tuple(grants),
        views=tuple(view for key, view in sorted(views.items()) if key in counting),
    )
