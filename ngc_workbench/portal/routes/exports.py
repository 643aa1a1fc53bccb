"""Asking for an export, following it, and fetching what was released."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from ngc_workbench import airlock
from ngc_workbench.airlock import facts
from ngc_workbench.errors import Refused
from ngc_workbench.model import ExportRequest, Project, Vote
from ngc_workbench.policy import airlock as policy
from ngc_workbench.policy.names import is_slug
from ngc_workbench.portal import queries, security
from ngc_workbench.portal.i18n import marked
from ngc_workbench.portal.pages import Guest, as_json, wants_json
from ngc_workbench.portal.portal import Portal, portal_of

router = APIRouter()


async def _may_request(portal: Portal, guest: Guest, project: str) -> str:
    """The project's title, when the person may ask for an export from it. Raises Refused."""

    def read() -> tuple[policy.Requester, Project | None]:
        with portal.database.reading() as db:
            found = db.get(Project, project) if is_slug(project) else None
            return facts.requester(db, guest.name, project), found

    asker, found = await portal.read(read)
    policy.may_request(asker, found.state if found else None).or_refuse()
    return found.title if found else project


@router.get("/projects/{project}/exports/new")
async def new(request: Request, project: str) -> Response:
    """The person's outbox in the project, as a form."""
    portal = portal_of(request)
    guest = await portal.guest(request)
    title = await _may_request(portal, guest, project)
    entries = await portal.read(lambda: airlock.outbox(portal.settings, project, guest.name))
    if wants_json(request):
        return as_json(
            {
                "project": project,
                "csrf": guest.visitor.csrf,
                "files": [
                    {
                        "name": entry.name,
                        "size": entry.size,
                        "modified": entry.modified.isoformat(),
                        "problem": entry.problem,
                    }
                    for entry in entries
                ],
            }
        )
    return portal.pages.show(guest, "export_new.html", project=project, title=title, entries=entries)


@router.post("/projects/{project}/exports")
async def submit(request: Request, project: str) -> Response:
    """Takes copies of the chosen files and makes a request of them; its checks begin at once."""
    portal = portal_of(request)
    guest = await portal.guest(request)
    form = await portal.form(guest)
    if not is_slug(project):
        # The path may hold anything; a project's name can't.
        await _may_request(portal, guest, project)
    description = str(form.get("description") or "")
    files = [airlock.Wanted(str(name), description) for name in form.getlist("files")]
    purpose = str(form.get("purpose") or "")
    made = await portal.read(
        lambda: airlock.submit(
            portal.database,
            portal.log,
            portal.settings,
            project=project,
            person=guest.name,
            files=files,
            purpose=purpose,
        )
    )
    portal.worker.check(made.id)
    if wants_json(request):
        return as_json(queries.request_json(made, portal.prefix, guest.visitor.csrf), 201)
    return portal.to(f"exports/{made.id}")


async def _own(portal: Portal, guest: Guest, request_id: str) -> tuple[ExportRequest, list[Vote]]:
    """The person's own request, and its votes once it is decided. Raises NotFound, Refused."""

    def read() -> tuple[ExportRequest, list[Vote]]:
        with portal.database.reading() as db:
            found = facts.find(db, request_id)
            votes = list(found.votes) if found.decided else []
            list(found.files)
            return found, votes

    found, votes = await portal.read(read)
    if found.requester != guest.name:
        raise Refused(
            "request.not_yours",
            marked("This request is somebody else's."),
            marked("Your own requests stand on the front page."),
        )
    return found, votes


@router.get("/exports/{request_id}")
async def show(request: Request, request_id: str) -> Response:
    """The person's request: where it stands, the findings, and what can be fetched."""
    portal = portal_of(request)
    guest = await portal.guest(request)
    found, votes = await _own(portal, guest, request_id)
    if wants_json(request):
        return as_json(queries.request_json(found, portal.prefix, guest.visitor.csrf))
    # Checkers stay unnamed towards the requester; the audit log knows them.
    answers = [(vote.approve, vote.reason) for vote in votes]
    if "hx-request" in request.headers:
        if found.state in ("submitted", "checking"):
            return Response(status_code=204)
        return Response(headers={"HX-Refresh": "true"})
    return portal.pages.show(guest, "request.html", export=found, answers=answers)


@router.get("/exports/{request_id}/files/{file_id}")
async def download(request: Request, request_id: str, file_id: int) -> Response:
    """A released file, to the person who asked for it, hashed again before it is sent."""
    portal = portal_of(request)
    guest = await portal.guest(request)
    path, file = await portal.read(
        lambda: airlock.download(
            portal.database, portal.log, portal.settings, request_id=request_id, file_id=file_id, person=guest.name
        )
    )
    return FileResponse(
        path, filename=file.name, media_type="application/octet-stream", content_disposition_type="attachment",
        headers={**security.headers(), "Content-Security-Policy": "default-src 'none'; sandbox", "X-Content-SHA256": file.sha256},
    )  # fmt: skip
