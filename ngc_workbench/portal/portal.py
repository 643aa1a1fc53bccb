"""What every route shares: the settings, the database, the log, who may come in, and how errors are told."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ngc_workbench import people
from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database
from ngc_workbench.errors import Conflict, InputError, IntegrityError, NotFound, Refused, Unavailable, WorkbenchError
from ngc_workbench.model import Person
from ngc_workbench.portal import security
from ngc_workbench.portal.auth import Auth
from ngc_workbench.portal.hub import Sessions
from ngc_workbench.portal.i18n import marked
from ngc_workbench.portal.pages import Guest, Pages, as_json, wants_json
from ngc_workbench.portal.worker import Worker
from ngc_workbench.settings import Settings

Result = TypeVar("Result")
_log = logging.getLogger(__name__)

_STATUS: tuple[tuple[type[WorkbenchError], int], ...] = (
    (Refused, 403),
    (NotFound, 404),
    (Conflict, 409),
    (InputError, 422),
    (Unavailable, 503),
    (IntegrityError, 500),
)
_HEADINGS = {
    401: marked("You are signed out"),
    403: marked("Not allowed"),
    404: marked("Not found"),
    405: marked("Not possible here"),
    409: marked("Not possible now"),
    413: marked("Too much"),
    422: marked("Something is missing"),
    503: marked("No answer"),
}


class SignedOut(Exception):
    """Nobody is signed in."""


@dataclass(frozen=True)
class Portal:
    """One portal. `prefix` is its path with a slash at the end, `origin` where browsers see it."""

    settings: Settings
    database: Database
    log: AuditLog
    auth: Auth
    sessions: Sessions
    worker: Worker
    pages: Pages

    @property
    def prefix(self) -> str:
        """The portal's path, with a slash at its end."""
        return self.pages.prefix

    @property
    def origin(self) -> str:
        """Scheme, host and port under which browsers see the portal."""
        parts = urlsplit(self.settings.portal_url)
        return f"{parts.scheme}://{parts.netloc}"

    async def guest(self, request: Request) -> Guest:
        """Who asks. Raises SignedOut, Refused (the account is disabled), NotFound (no such person)."""
        visitor = await self.auth.user(request)
        if visitor is None:
            raise SignedOut
        request.state.visitor = visitor.name
        person = await self.read(lambda: self._person(visitor.name))
        if person.disabled:
            raise Refused("person.disabled", marked("This account is disabled."), marked("Ask the security officer."))
        return Guest(request, visitor, person, self.pages.languages.of(request))

    def _person(self, name: str) -> Person:
        with self.database.reading() as db:
            return people.get(db, name)

    async def holder(self, request: Request, action: str) -> Guest:
        """Who asks, when their roles allow `action`. Raises as `guest`, and Refused."""
        guest = await self.guest(request)
        people.holds(guest.person, action).or_refuse()
        return guest

    async def form(self, guest: Guest) -> FormData:
        """The form that was sent, from our own page. Raises Refused."""
        form = await guest.request.form(max_files=0, max_fields=1000)
        given = form.get("csrf") or guest.request.headers.get("x-csrf-token") or ""
        security.check_form(guest.request, guest.visitor.csrf, str(given), self.origin)
        return form

    async def read(self, work: Callable[[], Result]) -> Result:
        """Runs blocking work in a thread."""
        return await run_in_threadpool(work)

    def to(self, path: str) -> Response:
        """Sends the browser to another page of the portal, with GET."""
        return RedirectResponse(self.prefix + path, 303, headers=security.headers())

    # -- what went wrong ----------------------------------------------------------------------------

    async def signed_out(self, request: Request) -> Response:
        """A page asks to sign in; a program, a fragment or a form is told that nobody is."""
        if request.method == "GET" and not wants_json(request) and "hx-request" not in request.headers:
            answer = self.auth.sign_in(request)
            for key, value in security.headers().items():
                answer.headers.setdefault(key, value)
            return answer
        if "hx-request" in request.headers:
            return Response(status_code=401, headers={**security.headers(), "HX-Refresh": "true"})
        return self.problem(
            request,
            401,
            "sign_in.needed",
            marked("Nothing was changed."),
            marked("Open the portal again, sign in, and repeat it."),
        )

    async def failed(self, request: Request, error: WorkbenchError) -> Response:
        """A plain page for an error meant for people. Refusals are recorded."""
        status = next((code for kind, code in _STATUS if isinstance(error, kind)), 500)
        if isinstance(error, Refused):
            await self.read(lambda: self._record(request, error))
        elif status >= 500:
            _log.error("%s %s: %s", request.method, request.url.path, error)
        reason = error.reason if isinstance(error, Refused) else type(error).__name__.lower()
        return self.problem(request, status, reason, error.what, error.remedy)

    def _record(self, request: Request, error: Refused) -> None:
        with self.database.writing() as db:
            self.log.append(
                db, "portal.refused", actor=getattr(request.state, "visitor", ""), decision="deny", reason=error.reason,
                project=str(request.path_params.get("project", "")), subject=str(request.path_params.get("request_id", "")),
                details={"method": request.method, "path": request.url.path.removeprefix(self.prefix)[:200]},
            )  # fmt: skip

    async def not_served(self, request: Request, error: HTTPException) -> Response:
        """What the framework itself turns down: no such page, no such method, too large a form."""
        if error.status_code == 404:
            return self.problem(
                request, 404, "page.unknown", marked("There is no such page."), marked("Start from the front page.")
            )
        return self.problem(
            request,
            error.status_code,
            "request.unfit",
            marked("The portal can't answer this request."),
            marked("Start from the front page."),
        )

    async def broken(self, request: Request, error: Exception) -> Response:
        """A fault of ours: the log gets all of it, the person a plain page."""
        _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return self.problem(
            request, 500, "fault", marked("Something went wrong on our side; nothing was changed."),
            marked("Try again; else tell your data support centre the time."),
        )  # fmt: skip

    def problem(self, request: Request, status: int, reason: str, what: str, remedy: str) -> Response:
        """A page (or JSON) that says what happened and what to do next."""
        language = self.pages.languages.of(request)
        if wants_json(request):
            return as_json({"error": reason, "message": what, "remedy": remedy}, status)
        return self.pages.render(
            "problem.html", language, request=request, status=status, heading=_HEADINGS.get(status, marked("Something went wrong")),
            what=what, remedy=remedy, reason=reason,
        )  # fmt: skip


def portal_of(request: Request) -> Portal:
    """The portal that serves this request."""
    found = request.app.state.portal
    assert isinstance(found, Portal)  # noqa: S101 - set once in create_app; here for the type checker
    return found
