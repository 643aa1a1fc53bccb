"""HTTP between browser and session: judged by the table, streamed with bounded memory, headers ours."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import aiohttp
import structlog
from aiohttp import web
from yarl import URL

from ngc_workbench.errors import Refused, Unavailable
from ngc_workbench.gateway import contents, headers, refusal
from ngc_workbench.gateway.paths import clean, query_pairs, written
from ngc_workbench.gateway.policy import Handling, RouteDecision, decide
from ngc_workbench.gateway.record import Recorder
from ngc_workbench.gateway.routes import Route, Routes
from ngc_workbench.gateway.websocket import Relay
from ngc_workbench.settings import Settings

_log = structlog.get_logger("gateway")
_PIECE = 64 * 1024
_OFF_LOOP = 128 * 1024  # bodies above this are looked into in a thread, in bytes
_STATUSES = frozenset({200, 201, 202, 204, 301, 302, 303, 307, 308, 304, *range(400, 512)})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


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

    def __init__(self, settings: Settings, routes: Routes, recorder: Recorder, client: aiohttp.ClientSession) -> None:
        self._settings = settings
        self._routes = routes
        self._recorder = recorder
        self._client = client
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
        if rule.handling is Handling.SILENT:
            return await self._relay.silent(request, asked.route)
        outgoing = headers.to_session(request.headers, asked.route, self._settings)
        if rule.handling is Handling.CHANNELS:
            return await self._relay.channels(request, asked.route, asked.url, outgoing)
        try:
            async with self._client.request(
                request.method,
                asked.url,
                headers=outgoing,
                data=await self._body(request, asked),
                allow_redirects=False,
            ) as answer:
                return await self._answer(request, asked, answer)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable(
                "The session does not answer.", "Wait a moment, or start it again from the portal."
            ) from error

    # -- the request's body ------------------------------------------------------------------------

    async def _body(self, request: web.BaseRequest, asked: _Asked) -> io.BytesIO | None:
        """The body, whole: it is bounded by the rule, and what is judged must not change while it is sent."""
        rule = asked.decision.rule
        if not request.can_read_body:
            return None
        pieces = _bounded(request.content, rule.request_limit, "request.too_large", "What was sent is too large.")
        raw = b"".join([piece async for piece in pieces])
        return io.BytesIO(await _off_loop(contents.check_write, raw) if rule.handling is Handling.CONTENTS else raw)

    # -- the answer --------------------------------------------------------------------------------

    async def _answer(
        self, request: web.BaseRequest, asked: _Asked, answer: aiohttp.ClientResponse
    ) -> web.StreamResponse:
        rule = asked.decision.rule
        if answer.status not in _STATUSES:
            raise Refused("answer.status", "The session gave an unknown kind of answer.")
        own = headers.to_browser(answer.headers, rule, asked.below, asked.route, self._settings)
        if answer.status in _REDIRECTS:
            if rule.handling not in (Handling.DOCUMENT, Handling.CALLBACK):
                raise Refused("answer.redirect", "The session wanted to send your browser elsewhere.")
            own["Location"] = headers.location(answer.headers.get("Location", ""), asked.route, self._settings)
            return web.Response(status=answer.status, headers=own)
        if answer.status in (204, 304) or request.method == "HEAD":
            return web.Response(status=answer.status, headers=own)
        if rule.handling is Handling.CALLBACK and answer.status < 400:
            raise Refused("answer.callback", "Signing in ends with a redirect, and with nothing else.")
        pieces = _bounded(
            answer.content, rule.response_limit, "answer.too_large", "The session's answer is too large to be shown."
        )
        if rule.handling is Handling.CONTENTS:
            raw = b"".join([piece async for piece in pieces])
            body = await _off_loop(contents.check_answer, raw) if answer.status < 400 else contents.check_error(raw)
            self._recorder.sent(asked.route, len(body))
            return web.Response(body=body, status=answer.status, headers=own)
        length = answer.content_length
        if length is not None and length > rule.response_limit:
            raise Refused("answer.too_large", "The session's answer is too large to be shown.")
        return await self._stream(request, asked, web.StreamResponse(status=answer.status, headers=own), pieces)

    async def _stream(
        self, request: web.BaseRequest, asked: _Asked, response: web.StreamResponse, pieces: AsyncIterator[bytes]
    ) -> web.StreamResponse:
        await response.prepare(request)
        try:
            async for piece in pieces:
                self._recorder.sent(asked.route, len(piece))
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


async def _off_loop(check: Callable[[bytes], bytes], raw: bytes) -> bytes:
    return check(raw) if len(raw) < _OFF_LOOP else await asyncio.to_thread(check, raw)


def _loosely(path: str) -> str:
    """A path good enough to say whose session a refused request was for; nothing is forwarded by it."""
    return "/" + "/".join(part for part in path.split("/") if part)
