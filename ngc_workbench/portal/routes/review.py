"""The checkers' queue, and the page on which a request is looked at and voted on."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from ngc_workbench import airlock
from ngc_workbench.airlock import facts
from ngc_workbench.airlock.outbox import store
from ngc_workbench.errors import InputError, NotFound
from ngc_workbench.model import ExportFile, ExportRequest, Project, Vote
from ngc_workbench.policy import airlock as policy
from ngc_workbench.portal import queries, security
from ngc_workbench.portal.i18n import marked
from ngc_workbench.portal.pages import Guest, as_json, wants_json
from ngc_workbench.portal.portal import Portal, portal_of
from ngc_workbench.portal.preview import Preview, preview

router = APIRouter(prefix="/review")
_IMAGES = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg"}


@dataclass(frozen=True)
class _Case:
    """A request as this checker may see it: the votes are those they may know."""

    request: ExportRequest
    title: str
    digest: str
    votes: tuple[Vote, ...]
    cast: int
    mine: Vote | None


@router.get("")
async def queue(request: Request) -> Response:
    """The requests in review that this checker may review."""
    portal = portal_of(request)
    guest = await portal.holder(request, "export.review")

    def read() -> list[queries.Waiting]:
        with portal.database.reading() as db:
            return queries.queue(db, guest.name)

    waiting = await portal.read(read)
    if wants_json(request):
        return as_json(
            [
                {
                    "id": entry.request.id,
                    "project": entry.request.project_name,
                    "verdict": entry.verdict,
                    "voted": entry.voted,
                }
                for entry in waiting
            ]
        )
    return portal.pages.show(guest, "queue.html", waiting=waiting)


async def _case(portal: Portal, guest: Guest, request_id: str) -> _Case:
    """The request, when this person may review it. Raises NotFound, Refused."""

    def read() -> _Case:
        with portal.database.reading() as db:
            found = facts.find(db, request_id)
            known = facts.facts(db, found)
            policy.may_review(facts.checker(db, guest.name, found.project_name), known).or_refuse()
            project = db.get(Project, found.project_name)
            visible = {
                vote.checker for vote in policy.visible_votes(guest.name, known.votes, portal.settings.checkers_needed)
            }
            votes = tuple(vote for vote in found.votes if vote.checker in visible)
            mine = next((vote for vote in votes if vote.checker == guest.name), None)
            list(found.files)
            return _Case(found, project.title if project else "", known.digest, votes, len(found.votes), mine)

    return await portal.read(read)


@router.get("/{request_id}")
async def show(request: Request, request_id: str, file: int = 0, start: int = 0) -> Response:
    """A request with its files, their content page by page (`file`, `start`), the findings, and the vote."""
    portal = portal_of(request)
    guest = await portal.guest(request)
    case = await _case(portal, guest, request_id)
    if wants_json(request):
        body = queries.request_json(case.request, portal.prefix, guest.visitor.csrf)
        votes = [{"checker": vote.checker, "approve": vote.approve, "reason": vote.reason} for vote in case.votes]
        return as_json({**body, "seen": case.digest, "votes": votes})
    previews = await portal.read(lambda: _previews(portal, case.request, file, max(0, start), guest.language.code))
    return portal.pages.show(guest, "review.html", case=case, previews=previews)


def _previews(portal: Portal, request: ExportRequest, turned: int, start: int, language: str) -> dict[int, Preview]:
    copies = store(portal.settings)
    return {
        file.id: preview(
            file.name,
            copies.verified(file.sha256).read_bytes(),
            file.findings,
            start if file.id == turned else 0,
            language,
        )
        for file in request.files
    }


@router.get("/{request_id}/files/{file_id}/image")
async def image(request: Request, request_id: str, file_id: int) -> Response:
    """An image of the request, to look at. Anything but PNG and JPEG is not served."""
    portal = portal_of(request)
    guest = await portal.guest(request)
    case = await _case(portal, guest, request_id)
    file = _file(case.request, file_id)
    content = await portal.read(lambda: store(portal.settings).verified(file.sha256).read_bytes())
    kind = next((kind for start, kind in _IMAGES.items() if content.startswith(start)), None)
    if kind is None:
        raise NotFound(marked("This file is not an image."), marked("Look at it on the request's page."))
    return Response(
        content,
        media_type=kind,
        headers={**security.headers(), "Content-Security-Policy": "default-src 'none'; sandbox"},
    )


def _file(request: ExportRequest, file_id: int) -> ExportFile:
    found = next((file for file in request.files if file.id == file_id), None)
    if found is None:
        raise NotFound(marked("There is no such file in the request."), marked("Open the request again."))
    return found


@router.post("/{request_id}/vote")
async def vote(request: Request, request_id: str) -> Response:
    """Casts this checker's vote on the files that they were shown."""
    portal = portal_of(request)
    guest = await portal.guest(request)
    form = await portal.form(guest)
    choice = str(form.get("vote") or "")
    if choice not in ("approve", "reject"):
        raise InputError(marked("The vote is missing."), marked("Choose to approve or to reject."))
    decided = await portal.read(
        lambda: airlock.vote(
            portal.database, portal.log, portal.settings, request_id=request_id, checker=guest.name, approve=choice == "approve",
            reason=str(form.get("reason") or ""), seen=str(form.get("seen") or ""),
        )
    )  # fmt: skip
    if wants_json(request):
        return as_json({"id": decided.id, "state": decided.state})
    return portal.to(f"review/{request_id}")
