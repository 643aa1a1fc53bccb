"""A session: start, watch it come up, work in it, stop it."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from ngc_workbench.errors import Conflict
from ngc_workbench.model import Project, utcnow
from ngc_workbench.policy.meter import Pause, Thresholds, Used, may_start
from ngc_workbench.policy.names import is_slug
from ngc_workbench.policy.sessions import may_run
from ngc_workbench.portal import queries
from ngc_workbench.portal.hub import Status
from ngc_workbench.portal.i18n import marked
from ngc_workbench.portal.pages import Guest, as_json, wants_json
from ngc_workbench.portal.portal import Portal, portal_of
from ngc_workbench.projects import SessionFacts, session_facts
from ngc_workbench.sessions import pause as sessions_pause

router = APIRouter(prefix="/projects/{project}/session")
_STOPPED = Status("stopped")


async def _allowed(portal: Portal, guest: Guest, project: str) -> SessionFacts:
    """Raises Refused unless the person may run a session in the project now. The spawner asks again; this answers at once."""

    def read() -> SessionFacts:
        with portal.database.reading() as db:
            return session_facts(db, guest.name, project if is_slug(project) else "", utcnow().date())

    found = await portal.read(read)
    may_run(
        found.applicant, found.project_state, found.grants, today=utcnow().date(),
        assurance_levels=portal.settings.assurance_levels, mfa_methods=portal.settings.mfa_methods,
    ).or_refuse()  # fmt: skip
    return found


@router.post("/start")
async def start(request: Request, project: str) -> Response:
    """Begins to start the session; one that runs is opened. Refused as `policy.sessions.may_run` says."""
    portal = portal_of(request)
    guest = await portal.guest(request)
    await portal.form(guest)
    await _allowed(portal, guest, project)
    sessions = await portal.sessions.all(guest.visitor)
    state = sessions.get(project, _STOPPED).state
    other = next(
        (name for name, status in sessions.items() if name != project and status.state in ("starting", "running")), None
    )
    if state not in ("starting", "running"):
        if state == "stopping":
            raise Conflict(marked("The session is being stopped."), marked("Wait a moment, then start it."))
        if other is not None:
            raise Conflict(
                marked("You have a session in another project: one runs at a time."),
                marked("Stop that one first, on the front page."),
            )
        await portal.read(lambda: _not_held(portal, guest.name, project))
        await portal.sessions.start(guest.visitor, project)
        state = "starting"
    if wants_json(request):
        return as_json({"project": project, "state": state, "csrf": guest.visitor.csrf}, 202)
    return portal.to(f"projects/{project}/session")


@router.post("/stop")
async def stop(request: Request, project: str) -> Response:
    """Stops the person's own session, whatever the project's state."""
    portal = portal_of(request)
    guest = await portal.guest(request)
    await portal.form(guest)
    await portal.sessions.stop(guest.visitor, project)
    if wants_json(request):
        return as_json({"project": project, "state": "stopping", "csrf": guest.visitor.csrf}, 202)
    return portal.to("")


@router.get("/status")
async def status(request: Request, project: str) -> Response:
    """How the session stands: JSON for programs, a fragment for the page that waits for it."""
    portal = portal_of(request)
    guest = await portal.guest(request)
    found = (await portal.sessions.all(guest.visitor)).get(project, _STOPPED)
    if "hx-request" in request.headers:
        if found.state in ("running", "stopped"):
            return Response(headers={"HX-Redirect": f"{portal.prefix}projects/{project}/session"})
        return portal.pages.show(guest, "parts/progress.html", project=project, stand=found)
    return as_json({"project": project, "state": found.state, "percent": found.percent, "message": found.message})


@router.get("/bar")
async def bar(request: Request, project: str) -> Response:
    """The bar's figures, as a fragment."""
    portal = portal_of(request)
    guest = await portal.guest(request)
    found = await portal.read(lambda: _running(portal, guest.name, project))
    return portal.pages.show(guest, "parts/figures.html", project=project, running=found, minutes=_minutes(found))


@router.get("/notice")
async def notice(request: Request, project: str, held: bool = False) -> Response:
    """What the person must know about the running session: JSON for programs, a fragment that the page asks for again.

    `reason` is `session.paused`, with what is known of the pause under `paused`; or `view.replaced`, with `ends` as the time when the
    session will be stopped because a view was replaced; else null. When the session has ended, was paused or released, the page
    is told to show it: `held` says that the page asking is the one of a pause.
    """
    portal = portal_of(request)
    guest = await portal.guest(request)
    found = await portal.read(lambda: _running(portal, guest.name, project))
    if "hx-request" in request.headers:
        if (found.pause is not None) != held or (found.started is None and not held):
            return Response(headers={"HX-Redirect": f"{portal.prefix}projects/{project}/session"})
        return portal.pages.show(guest, "parts/notice.html", project=project, running=found)
    told = {
        "project": project,
        "reason": "view.replaced" if found.ends else None,
        "ends": found.ends.isoformat(timespec="seconds") if found.ends else None,
        "minutes_left": found.minutes_left,
    }
    return as_json(told if found.pause is None else {**told, "reason": "session.paused", "paused": _told(found.pause)})


def _told(pause: Pause) -> dict[str, str | int]:
    return {
        "reason": pause.reason, "since": pause.since.isoformat(timespec="seconds"), "kind": pause.kind,
        "shown": pause.shown, "limit": pause.limit, "why": pause.why,
    }  # fmt: skip


@router.get("")
async def page(request: Request, project: str) -> Response:
    """JupyterLab in its frame; or what holds it; or how the start goes; or why there is no session, and a button to start one."""
    portal = portal_of(request)
    guest = await portal.guest(request)
    await _allowed(portal, guest, project)
    found = (await portal.sessions.all(guest.visitor)).get(project, _STOPPED)

    def read() -> tuple[str, queries.Running, str]:
        with portal.database.reading() as db:
            known = db.get(Project, project)
            return (
                known.title if known else project,
                queries.running(db, portal.settings, guest.name, project),
                queries.last_stop(db, guest.name, project),
            )

    title, running, stopped_because = await portal.read(read)
    if running.pause is not None and found.state in ("running", "stopped", "failed"):
        return portal.pages.show(
            guest, "paused.html", project=project, title=title, pause=running.pause, stands=found.state == "running"
        )
    if found.state != "running":
        return portal.pages.show(
            guest, "starting.html", project=project, title=title, stand=found, stopped_because=stopped_because
        )
    origin = portal.settings.subdomain_url(guest.name)
    return portal.pages.show(
        guest, "session.html", project=project, title=title, running=running, minutes=_minutes(running),
        lab=f"{origin}/user/{guest.name}/{project}/lab", frames=(origin, portal.settings.public_url),
    )  # fmt: skip


def _running(portal: Portal, person: str, project: str) -> queries.Running:
    with portal.database.reading() as db:
        return queries.running(db, portal.settings, person, project)


def _not_held(portal: Portal, person: str, project: str) -> None:
    """Raises Refused when a pause was not released. The spawner asks again, in the transaction of the start."""
    with portal.database.reading() as db:
        held = sessions_pause.held(db, person, project) is not None
    may_start(held=held, used=Used(), allowed=Thresholds()).or_refuse()


def _minutes(running: queries.Running) -> int:
    return 0 if running.started is None else int((utcnow() - running.started).total_seconds() // 60)
