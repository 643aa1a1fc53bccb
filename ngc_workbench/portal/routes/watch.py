"""The security officer's watch: paused sessions, running ones, and the hand on each."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from ngc_workbench.portal import watching
from ngc_workbench.portal.pages import as_json, wants_json
from ngc_workbench.portal.portal import portal_of
from ngc_workbench.sessions import pause

router = APIRouter(prefix="/watch")


@router.get("")
async def board(request: Request) -> Response:
    """Sessions that are held, sessions that run, and notices that could not be delivered."""
    portal = portal_of(request)
    guest = await portal.holder(request, "session.watch")

    def read() -> watching.Board:
        with portal.database.reading() as db:
            return watching.board(db, portal.settings)

    found = await portal.read(read)
    if wants_json(request):
        return as_json(watching.board_json(found, guest.visitor.csrf))
    return portal.pages.show(guest, "watch.html", board=found)


@router.post("/{session}/release")
async def release(request: Request, session: str) -> Response:
    """Releases a pause. The reason is recorded."""
    return await _act(request, session, "session.release", "released", pause.release)


@router.post("/{session}/stop")
async def stop(request: Request, session: str) -> Response:
    """Stops a session: the gateway turns its back at once, the warden takes the container away."""
    return await _act(request, session, "session.stop", "stopped", pause.stop)


@router.post("/{session}/pause")
async def hold(request: Request, session: str) -> Response:
    """Pauses a running session; its person reads the reason."""
    return await _act(request, session, "session.pause", "paused", pause.pause)


async def _act(request: Request, session: str, action: str, done: str, deed: Callable[..., object]) -> Response:
    portal = portal_of(request)
    guest = await portal.holder(request, action)
    form = await portal.form(guest)

    def work() -> None:
        with portal.database.writing() as db:
            deed(db, portal.log, session=session, actor=guest.name, reason=str(form.get("reason") or ""))

    await portal.read(work)
    if wants_json(request):
        return as_json({"session": session, "done": done})
    return portal.to("watch")
