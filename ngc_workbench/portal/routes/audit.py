"""The security officer's page: the latest events, by kind and project."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from ngc_workbench.audit import KINDS, Event
from ngc_workbench.policy.names import is_slug
from ngc_workbench.portal.pages import as_json, wants_json
from ngc_workbench.portal.portal import portal_of

router = APIRouter(prefix="/audit")
_PAGE = 50


@router.get("")
async def latest(request: Request, kind: str = "", project: str = "", before: int = 0) -> Response:
    """The newest events first, fifty a page; `before` is the number of the last one seen."""
    portal = portal_of(request)
    guest = await portal.holder(request, "audit.read")
    chosen = kind if kind in KINDS else ""
    of_project = project.strip() if is_slug(project.strip()) else ""

    def read() -> list[Event]:
        with portal.database.reading() as db:
            return portal.log.read(db, kind=chosen, project=of_project, before=max(0, before), limit=_PAGE)

    events = await portal.read(read)
    if wants_json(request):
        return as_json([event.__dict__ for event in events])
    older = events[-1].seq if len(events) == _PAGE and events[-1].seq > 1 else 0
    return portal.pages.show(
        guest, "audit.html", events=events, kinds=KINDS, kind=chosen, project=of_project, older=older
    )
