"""The application: routes, static files, headers, and the worker that lives as long as it does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database
from ngc_workbench.errors import WorkbenchError
from ngc_workbench.portal import i18n, security
from ngc_workbench.portal.auth import Auth
from ngc_workbench.portal.hub import Sessions
from ngc_workbench.portal.pages import VENDOR, Pages
from ngc_workbench.portal.portal import Portal, SignedOut
from ngc_workbench.portal.routes import audit, exports, home, review, session, support, watch
from ngc_workbench.portal.worker import Worker
from ngc_workbench.settings import Settings

PREFIX = "/services/portal/"
_LARGEST_FORM = 1 << 20
_HERE = Path(__file__).parent


class _Files(StaticFiles):
    """Files that are the same for everybody, kept by browsers for an hour."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        answer = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        answer.headers["Cache-Control"] = "public, max-age=3600"
        return answer


def create_app(
    settings: Settings, database: Database, log: AuditLog, *, auth: Auth, sessions: Sessions, prefix: str = PREFIX
) -> FastAPI:
    """The portal's ASGI application. `auth` says who asks, `sessions` starts and stops; both are the hub's in production."""
    worker = Worker(settings, database, log)
    portal = Portal(settings, database, log, auth, sessions, worker, Pages(settings, prefix, i18n.Languages()))

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        worker.start()
        yield
        worker.stop()
        await sessions.close()

    app = FastAPI(lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None)
    app.state.portal = portal
    for room in (home, session, exports, review, support, watch, audit):
        app.include_router(room.router, prefix=prefix.rstrip("/"))
    app.mount(f"{prefix}static", _Files(directory=_HERE / "static"))
    # Two packages of the design, and no other: the folder holds the servers' own programs too.
    for package in ("dkfds/dist", "htmx.org/dist"):
        app.mount(f"{prefix}vendor/{package}", _Files(directory=VENDOR / package, check_dir=False))
    _handlers(app, portal)
    return app


def _handlers(app: FastAPI, portal: Portal) -> None:
    @app.middleware("http")
    async def around(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        length = request.headers.get("content-length", "0")
        if (
            not length.isdigit()
            or int(length) > _LARGEST_FORM
            or "chunked" in request.headers.get("transfer-encoding", "")
        ):
            return await portal.not_served(request, HTTPException(413))
        chosen = request.query_params.get("lang", "")
        if request.method == "GET" and chosen in i18n.LANGUAGES:
            return _choose(request, chosen, secure=portal.settings.public_scheme == "https")
        answer = await call_next(request)
        for key, value in security.headers().items():
            answer.headers.setdefault(key, value)
        return answer

    @app.exception_handler(SignedOut)
    async def signed_out(request: Request, _error: Exception) -> Response:
        return await portal.signed_out(request)

    @app.exception_handler(WorkbenchError)
    async def failed(request: Request, error: WorkbenchError) -> Response:
        return await portal.failed(request, error)

    @app.exception_handler(HTTPException)
    async def not_served(request: Request, error: HTTPException) -> Response:
        return await portal.not_served(request, error)

    @app.exception_handler(Exception)
    async def broken(request: Request, error: Exception) -> Response:
        return await portal.broken(request, error)


def _choose(request: Request, language: str, *, secure: bool) -> Response:
    """The same page again, in the language that was chosen."""
    query = "&".join(part for part in request.url.query.split("&") if not part.startswith("lang="))
    answer = Response(
        status_code=303, headers={**security.headers(), "Location": request.url.path + (f"?{query}" if query else "")}
    )
    answer.set_cookie(
        i18n.COOKIE, language, max_age=365 * 86400, httponly=True, samesite="lax", secure=secure, path=PREFIX
    )
    return answer
