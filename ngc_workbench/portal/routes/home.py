"""The front page, signing in and out, and the sign of life."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from ngc_workbench.errors import Unavailable
from ngc_workbench.model import ExportRequest
from ngc_workbench.policy.roles import may
from ngc_workbench.portal import queries, security
from ngc_workbench.portal.hub import Status
from ngc_workbench.portal.pages import as_json, wants_json
from ngc_workbench.portal.portal import portal_of

router = APIRouter()


@router.get("/health")
async def health(_request: Request) -> Response:
    """Says that the portal answers; knows nothing else."""
    return PlainTextResponse("ok", headers=security.headers())


@router.get("/")
async def home(request: Request) -> Response:
    """The person's projects with their sessions, their export requests, and what waits for them."""
    portal = portal_of(request)
    guest = await portal.guest(request)

    def read() -> tuple[list[queries.MyProject], list[ExportRequest], int, set[str]]:
        with portal.database.reading() as db:
            waiting = queries.queue(db, guest.name) if may(guest.person.roles, "export.review") else []
            return (
                queries.my_projects(db, guest.name),
                queries.my_requests(db, guest.name),
                sum(not entry.voted for entry in waiting),
                queries.held_projects(db, guest.name),
            )

    projects, requests, waiting, held = await portal.read(read)
    sessions: dict[str, Status] = {}
    hub_silent = False
    if projects:
        try:
            sessions = await portal.sessions.all(guest.visitor)
        except Unavailable:
            # The page is still good for exports; starting needs the hub, and says so.
            hub_silent = True
    if wants_json(request):
        return as_json(
            {
                "person": guest.name,
                "roles": guest.person.roles,
                "csrf": guest.visitor.csrf,
                "projects": [
                    {
                        "name": item.name,
                        "state": item.state,
                        "session": "paused" if item.name in held else sessions.get(item.name, Status("stopped")).state,
                    }
                    for item in projects
                ],
                "requests": [{"id": item.id, "project": item.project_name, "state": item.state} for item in requests],
            }
        )
    return portal.pages.show(
        guest, "home.html", projects=projects, requests=requests, waiting=waiting, sessions=sessions, held=held, hub_silent=hub_silent,
        stopped=Status("stopped"), is_researcher="researcher" in guest.person.roles, is_checker=bool(may(guest.person.roles, "export.review")),
    )  # fmt: skip


@router.get("/oauth_callback")
async def callback(request: Request) -> Response:
    """Where the hub sends a person back to."""
    answer = await portal_of(request).auth.callback(request)
    for key, value in security.headers().items():
        answer.headers.setdefault(key, value)
    return answer


@router.get("/sign-out")
async def ask_sign_out(request: Request) -> Response:
    """Asks before signing out: a link alone changes nothing."""
    portal = portal_of(request)
    guest = await portal.guest(request)
    return portal.pages.show(guest, "sign_out.html")


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """Signs out, here and at the hub."""
    portal = portal_of(request)
    await portal.form(await portal.guest(request))
    return portal.auth.sign_out(request)
