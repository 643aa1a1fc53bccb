"""HTTP between browser and session: judged by the table, streamed with bounded memory, headers ours.

JupyterLab's page and files are the gateway's own (`frontend`); of what a container answers, JSON alone reaches the browser.
"""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import aiohttp
import structlog
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from ngc_workbench.errors import Refused, Unavailable
from ngc_workbench.gateway import contents, frontend_page, headers, refusal, terminal_messages
from ngc_workbench.gateway.frontend import FrontEnd
from ngc_workbench.gateway.paths import clean, query_pairs, written
from ngc_workbench.gateway.policy import Handling, RouteDecision, decide
from ngc_workbench.gateway.record import Recorder
from ngc_workbench.gateway.routes import Route, Routes, ended
from ngc_workbench.gateway.websocket import Relay
from ngc_workbench.settings import Settings

_log = structlog.get_logger("gateway")
_PIECE = 64 * 1024
_OFF_LOOP = 128 * 1024  # bodies above this are looked into in a thread, in bytes
_STATUSES = frozenset({200, 201, 202, 204, 301, 302, 303, 307, 308, *range(400, 512)})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_WAYS = ("copy", "cut", "drag")
_LONGEST = 10**9  # characters; more fits into no browser


@dataclass(frozen=True)
class _Asked:
    """A request that has been read: where it goes, and what the table says."""

    route: Route
    below: str
    decision: RouteDecision

    @property
    def url(self) -> URL:
        query = urlencode(self.decision.query)
        path = written(self.route.prefix + self.below)
        return URL(f"{self.route.upstream}{path}{'?' + query if query else ''}", encoded=True)


class BrowserSide:
    """The listener behind the hub's proxy."""

    def __init__(
        self,
        settings: Settings,
        routes: Routes,
        recorder: Recorder,
        client: aiohttp.ClientSession,
        front: FrontEnd,
    ) -> None:
        self._settings = settings
        self._routes = routes
        self._recorder = recorder
        self._client = client
        self._front = front
        self._relay = Relay(settings, routes, recorder, client)
        self._own_hosts = frozenset(f"{name}:{settings.gateway_port}" for name in ("127.0.0.1", "localhost"))

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Any request. A refusal is recorded and said; a session that isn't there is said."""
        route: Route | None = None
        try:
            route = await self._routes.by_path(_loosely(request.path))
            asked = await self._read(request)
            route = asked.route
            return await self._pass_on(request, asked)
        except Refused as refused:
            what = f"{request.method} {request.raw_path}"
            self._recorder.refused(refused.reason, route, request.method, side="browser", what=what)
            status = 413 if refused.reason == "request.too_large" else 403
            return refusal.answer(refused, request.headers, self._settings.portal_url, status)
        except Unavailable as error:
            _log.warning("gateway.unavailable", what=error.what)
            silent = Refused("session.silent", error.what, error.remedy)
            return refusal.answer(silent, request.headers, self._settings.portal_url, 503)

    async def _read(self, request: web.BaseRequest) -> _Asked:
        raw_path, _, raw_query = request.raw_path.partition("?")
        path = clean(raw_path)
        route = await self._routes.by_path(path)
        if route is None:
            raise Unavailable("No session runs at this address.", "Start it from the portal.")
        below = path[len(route.prefix) :]
        decision = decide(request.method, below, query_pairs(raw_query), request.headers)
        decision.or_refuse()
        own_host = request.host == urlsplit(route.origin).netloc
        if not own_host and not (decision.rule.probe and request.host in self._own_hosts):
            raise Refused("request.host", "A session is served at its own address only.", "Open it from the portal.")
        return _Asked(route, below, decision)

    async def _pass_on(self, request: web.BaseRequest, asked: _Asked) -> web.StreamResponse:
        rule = asked.decision.rule
        if rule.handling is Handling.ANSWERED:
            return web.Response(text=rule.answer, headers={**headers.own_data(), "Content-Type": "application/json"})
        if rule.handling is Handling.STATIC:
            return await self._static(request, asked)
        if rule.handling is Handling.REPORTED:
            return await self._reported(request, asked)
        if rule.handling is Handling.SILENT:
            return await self._relay.silent(request, asked.route)
        outgoing = headers.to_session(request.headers, asked.route, self._settings)
        if rule.handling is Handling.CHANNELS:
            return await self._relay.channels(request, asked.route, asked.url, outgoing)
        if rule.handling is Handling.TERMINAL:
            return await self._relay.terminal(request, asked.route, asked.url, outgoing)
        if rule.name == "terminals.start":
            self._relay.check_terminals(asked.route)
        try:
            async with (
                self._routes.while_open(asked.route),
                self._client.request(
                    request.method,
                    asked.url,
                    headers=outgoing,
                    data=await self._body(request, asked),
                    allow_redirects=False,
                ) as answer,
            ):
                return await self._answer(request, asked, answer)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable(
                "The session does not answer.", "Wait a moment, or start it again from the portal."
            ) from error

    # -- what the gateway answers by itself ----------------------------------------------------------

    async def _static(self, request: web.BaseRequest, asked: _Asked) -> web.StreamResponse:
        """A file of the gateway's own copy, in pieces: what waits for a slow browser is one piece, not the file."""
        file = self._front.files.get(asked.below)
        if file is None:
            # Not recorded: kernels that a person adds have pictures that are in no copy.
            missing = Refused(
                "frontend.no_such_file", "JupyterLab has no such file.", "Reload the page from the portal."
            )
            return refusal.answer(missing, request.headers, self._settings.portal_url, 404)
        own = headers.own_static(file)
        if headers.unchanged(request.headers, file):
            return web.Response(status=304, headers=own)
        response = web.StreamResponse(headers=own)
        response.content_length = len(file.body)
        await response.prepare(request)
        if request.method != "HEAD":
            body = memoryview(file.body)
            for start in range(0, len(body), _PIECE):
                await response.write(body[start : start + _PIECE])
        await response.write_eof()
        return response

    async def _reported(self, request: web.BaseRequest, asked: _Asked) -> web.StreamResponse:
        """The guard's report. Whoever can reach the session's origin can send one: it adds to the log and opens nothing."""
        raw = await self._whole(request, asked)
        how, length = _copied(raw)
        what = f"{how} of {length} characters"
        self._recorder.refused("copy.too_large", asked.route, request.method, side="browser", what=what)
        return web.Response(status=204, headers=headers.own_data())

    # -- the request's body ------------------------------------------------------------------------

    async def _body(self, request: web.BaseRequest, asked: _Asked) -> io.BytesIO | None:
        """The body, whole: it is bounded by the rule, and what is judged must not change while it is sent."""
        if not request.can_read_body:
            return None
        raw = await self._whole(request, asked)
        if asked.decision.rule.handling is Handling.TERMINALS:
            return io.BytesIO(terminal_messages.check_start(raw))
        judged = asked.decision.rule.handling is Handling.CONTENTS
        return io.BytesIO(await _off_loop(contents.check_write, raw) if judged else raw)

    async def _whole(self, request: web.BaseRequest, asked: _Asked) -> bytes:
        limit = asked.decision.rule.request_limit
        pieces = _bounded(request.content, limit, "request.too_large", "What was sent is too large.")
        return b"".join([piece async for piece in pieces])

    # -- the answer --------------------------------------------------------------------------------

    async def _answer(
        self, request: web.BaseRequest, asked: _Asked, answer: aiohttp.ClientResponse
    ) -> web.StreamResponse:
        rule = asked.decision.rule
        if answer.status not in _STATUSES:
            raise Refused("answer.status", "The session gave an unknown kind of answer.")
        own = headers.to_browser(answer.headers, rule, asked.route, self._settings)
        page = rule.handling in (Handling.DOCUMENT, Handling.CALLBACK)
        if answer.status in _REDIRECTS:
            if not page:
                raise Refused("answer.redirect", "The session wanted to send your browser elsewhere.")
            own["Location"] = headers.location(answer.headers.get("Location", ""), asked.route, self._settings)
            return web.Response(status=answer.status, headers=own)
        if page:
            return self._page(request, asked, answer.status, own)
        if answer.status == 204 or request.method == "HEAD":
            return web.Response(status=answer.status, headers=own)
        pieces = self._while_open(
            asked.route,
            _bounded(
                answer.content,
                rule.response_limit,
                "answer.too_large",
                "The session's answer is too large to be shown.",
            ),
        )
        if rule.handling in (Handling.CONTENTS, Handling.TERMINALS):
            raw = b"".join([piece async for piece in pieces])
            check = contents.check_answer if rule.handling is Handling.CONTENTS else terminal_messages.check_answer
            body = await _off_loop(check, raw) if answer.status < 400 else contents.check_error(raw)
            self._recorder.sent(asked.route, len(body), "contents")
            return web.Response(body=body, status=answer.status, headers=own)
        length = answer.content_length
        if length is not None and length > rule.response_limit:
            raise Refused("answer.too_large", "The session's answer is too large to be shown.")
        return await self._stream(request, asked, web.StreamResponse(status=answer.status, headers=own), pieces)

    async def _while_open(self, route: Route, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The pieces. Raises Refused as soon as the session was stopped or paused: an answer under way ends there."""
        async for piece in pieces:
            if not self._routes.open(route):
                raise ended()
            yield piece

    def _page(self, request: web.BaseRequest, asked: _Asked, status: int, own: CIMultiDict[str]) -> web.StreamResponse:
        """The page that the gateway writes where the session answered with `status`; the session's own is never read."""
        if status >= 400:
            broken = Refused(
                "session.page",
                f"The session can't show JupyterLab: it answered {status}.",
                "Wait a moment and reload; else stop the session in the portal and start it again.",
            )
            response = refusal.answer(broken, request.headers, self._settings.portal_url, status)
            # A failed sign-in takes its cookies back.
            response.headers.extend(("Set-Cookie", cookie) for cookie in own.getall("Set-Cookie", []))
            return response
        if asked.decision.rule.handling is Handling.CALLBACK:
            raise Refused("answer.callback", "Signing in ends with a redirect, and with nothing else.")
        if status != 200:
            raise Refused("answer.status", "The session gave an unknown kind of answer.")
        body = frontend_page.page(self._front, asked.route, self._settings, asked.below)
        return web.Response(body=body, headers=own)

    async def _stream(
        self, request: web.BaseRequest, asked: _Asked, response: web.StreamResponse, pieces: AsyncIterator[bytes]
    ) -> web.StreamResponse:
        await response.prepare(request)
        try:
            async for piece in pieces:
                self._recorder.sent(asked.route, len(piece), "json")
                await response.write(piece)
        except Refused as refused:
            # Too late for a message: the connection is cut, so the browser knows that the body isn't whole.
            self._recorder.refused(refused.reason, asked.route, request.method, side="browser", what=request.raw_path)
            if request.transport is not None:
                request.transport.abort()
            return response
        except (aiohttp.ClientError, TimeoutError):
            if request.transport is not None:
                request.transport.abort()
            return response
        except asyncio.CancelledError:
            if request.transport is not None:
                request.transport.abort()
            raise
        await response.write_eof()
        return response


async def _bounded(stream: aiohttp.StreamReader, limit: int, reason: str, what: str) -> AsyncIterator[bytes]:
    """The stream's pieces. Raises Refused once it holds more than `limit` bytes."""
    total = 0
    async for piece in stream.iter_chunked(_PIECE):
        total += len(piece)
        if total > limit:
            raise Refused(reason, what)
        yield piece


def _copied(raw: bytes) -> tuple[str, int]:
    """How and how much was to be copied, by the guard's report. Raises Refused for anything but these two."""
    try:
        report = json.loads(raw)
    except (ValueError, RecursionError):
        report = None
    if isinstance(report, dict) and set(report) == {"length", "how"}:
        how, length = report["how"], report["length"]
        # `True` is a number to Python.
        if how in _WAYS and type(length) is int and 0 < length <= _LONGEST:
            return how, length
    raise Refused("copy.report", "This is no report of a copy.", "Report it to your data support centre.")


async def _off_loop(check: Callable[[bytes], bytes], raw: bytes) -> bytes:
    return check(raw) if len(raw) < _OFF_LOOP else await asyncio.to_thread(check, raw)


def _loosely(path: str) -> str:
    """A path good enough to say whose session a refused request was for; nothing is forwarded by it."""
    return "/" + "/".join(part for part in path.split("/") if part)
