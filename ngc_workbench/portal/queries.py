"""What pages show, read from the database in one go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from ngc_workbench.airlock import facts
from ngc_workbench.model import Approval, ExportFile, ExportRequest, Membership, Project, Release, View, utcnow
from ngc_workbench.model import Session as WorkSession
from ngc_workbench.policy import airlock as policy
from ngc_workbench.policy.meter import Pause, Reading, near
from ngc_workbench.portal.i18n import day_begin
from ngc_workbench.sessions import pause, traffic
from ngc_workbench.settings import Settings

_REQUESTS = 50


@dataclass(frozen=True)
class Data:
    """What a project may use: the release, until when, and whether its view is ready."""

    release: str
    until: date
    people: int | None


@dataclass(frozen=True)
class MyProject:
    """A project as one of its members sees it."""

    name: str
    title: str
    state: str
    lead: bool
    data: tuple[Data, ...]


@dataclass(frozen=True)
class Running:
    """The person's session in a project, as the gateway has it. `shown` is the bytes sent to the browser today, by Danish clocks.

    `ends` is when it will be stopped because a view that it mounts was replaced. `near` is the threshold that it comes near to, `pause`
    what holds it, or holds the next one back.
    """

    started: datetime | None
    shown: int
    ends: datetime | None = None
    near: Reading | None = None
    pause: Pause | None = None

    @property
    def minutes_left(self) -> int | None:
        """Whole minutes until `ends`, never below 0; None without an end."""
        if self.ends is None:
            return None
        return max(0, int((self.ends - utcnow()).total_seconds() // 60))


def my_projects(db: Session, person: str) -> list[MyProject]:
    """The projects that the person is a member of now, by title."""
    now = utcnow()
    rows = db.scalars(
        select(Membership)
        .where(Membership.person_name == person)
        .options(selectinload(Membership.project).selectinload(Project.approvals))
    )
    found = []
    for membership in rows:
        if membership.until is not None and membership.until <= now:
            continue
        project = membership.project
        found.append(MyProject(project.name, project.title, project.state, membership.lead, _data(db, project)))
    return sorted(found, key=lambda project: project.title)


def _data(db: Session, project: Project) -> tuple[Data, ...]:
    data = []
    for approval in project.approvals:
        if approval.withdrawn is not None:
            continue
        release = db.get(Release, approval.release_id)
        view = db.scalar(
            select(View.people)
            .where(View.project_name == project.name, View.release_id == approval.release_id, View.retired.is_(None))
            .order_by(View.id.desc())
            .limit(1)
        )
        name = f"{release.dataset_name}/{release.name}" if release else ""
        data.append(Data(name, approval.valid_until, view))
    return tuple(data)


def running(db: Session, settings: Settings, person: str, project: str) -> Running:
    """The newest session of the person in the project that isn't stopped, and what was shown today over all of them."""
    newest = db.execute(
        select(WorkSession.started, WorkSession.ends)
        .where(WorkSession.person_name == person, WorkSession.project_name == project, WorkSession.state != "stopped")
        .order_by(WorkSession.started.desc())
        .limit(1)
    ).first()
    held = pause.held(db, person, project)
    allowed = traffic.allowed(db, traffic.default_thresholds(settings), project)
    return Running(
        newest.started if newest else None,
        traffic.shown_since(db, person, project, day_begin(utcnow())),
        newest.ends if newest else None,
        near(traffic.used(db, person, project, utcnow()), allowed),
        pause.pause_of(held) if held else None,
    )


def held_projects(db: Session, person: str) -> set[str]:
    """The projects in which a pause of the person's session was not released."""
    return set(
        db.scalars(
            select(WorkSession.project_name).where(
                WorkSession.person_name == person, WorkSession.paused_at.is_not(None)
            )
        )
    )


def last_stop(db: Session, person: str, project: str) -> str:
    """Why the person's last session in the project ended; empty when there was none, or one runs."""
    row = db.execute(
        select(WorkSession.state, WorkSession.stop_reason)
        .where(WorkSession.person_name == person, WorkSession.project_name == project)
        .order_by(WorkSession.started.desc())
        .limit(1)
    ).first()
    return row.stop_reason if row is not None and row.state == "stopped" else ""


def my_requests(db: Session, person: str) -> list[ExportRequest]:
    """The person's newest requests, with their files."""
    return list(
        db.scalars(
            select(ExportRequest)
            .where(ExportRequest.requester == person)
            .options(selectinload(ExportRequest.files))
            .order_by(ExportRequest.created.desc())
            .limit(_REQUESTS)
        )
    )


@dataclass(frozen=True)
class Waiting:
    """A request in a checker's queue. `voted`: this checker has; `votes`: how many checkers have."""

    request: ExportRequest
    verdict: str
    voted: bool
    votes: int
    age: timedelta


def queue(db: Session, checker: str) -> list[Waiting]:
    """The requests in review that this checker may review, oldest first."""
    rows = db.scalars(
        select(ExportRequest)
        .where(ExportRequest.state == "in_review")
        .options(selectinload(ExportRequest.files), selectinload(ExportRequest.votes))
        .order_by(ExportRequest.submitted)
        .limit(500)
    )
    now = utcnow()
    found = []
    for request in rows:
        if not policy.may_review(facts.checker(db, checker, request.project_name), facts.facts(db, request)):
            continue
        found.append(
            Waiting(
                request, worst(request.files), any(vote.checker == checker for vote in request.votes),
                len(request.votes), now - (request.submitted or request.created),
            )
        )  # fmt: skip
    return found


def worst(files: list[ExportFile]) -> str:
    """The gravest verdict among files."""
    verdicts = {file.verdict for file in files}
    return next((verdict for verdict in ("block", "review", "pass") if verdict in verdicts), "")


def request_json(request: ExportRequest, base: str, csrf: str) -> dict[str, Any]:
    """A request for programs. `base` is the portal's path; `download` answers once the file is released."""
    return {
        "id": request.id,
        "project": request.project_name,
        "requester": request.requester,
        "state": request.state,
        "purpose": request.purpose,
        "submitted": request.submitted.isoformat() if request.submitted else None,
        "decided": request.decided.isoformat() if request.decided else None,
        "csrf": csrf,
        "files": [
            {
                "id": file.id,
                "name": file.name,
                "size": file.size,
                "sha256": file.sha256,
                "description": file.description,
                "verdict": file.verdict,
                "findings": file.findings,
                "released": file.released is not None,
                "downloads": file.downloads,
                "download": f"{base}exports/{request.id}/files/{file.id}",
            }
            for file in request.files
        ],
    }


@dataclass(frozen=True)
class Overview:
    """A project as a support officer sees it."""

    project: Project
    members: tuple[tuple[str, bool], ...]
    data: tuple[Data, ...]


def overview(db: Session) -> list[Overview]:
    """All projects, newest first."""
    now = utcnow()
    rows = db.scalars(
        select(Project)
        .options(selectinload(Project.members), selectinload(Project.approvals))
        .order_by(Project.created.desc(), Project.name)
        .limit(500)
    )
    return [
        Overview(
            project,
            tuple(
                (member.person_name, member.lead)
                for member in project.members
                if member.until is None or member.until > now
            ),
            _data(db, project),
        )
        for project in rows
    ]


def unbuilt(db: Session, project: str) -> list[tuple[str, str]]:
    """(dataset, release) pairs for which the project has an approval that stands, and no view."""
    rows = db.execute(
        select(Release.dataset_name, Release.name)
        .join(Approval, Approval.release_id == Release.id)
        .outerjoin(View, (View.release_id == Release.id) & (View.project_name == project) & View.retired.is_(None))
        .where(
            Approval.project_name == project,
            Approval.withdrawn.is_(None),
            Release.state == "published",
            View.id.is_(None),
        )
        .distinct()
    )
    return [(row[0], row[1]) for row in rows]
