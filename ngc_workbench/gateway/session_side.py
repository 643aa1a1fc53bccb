"""The session side: the only address that a container can reach, and of the hub only what a single-user server calls.

Who calls is known by the source address alone: each session has a network of its own, and no capability to forge addresses.
What passes is written anew from what was judged, for that very server; the hub checks the token besides.
"""

from __future__ import annotations

import json
import re
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

import aiohttp
import structlog
from aiohttp import web

from ngc_workbench.errors import Refused, Unavailable
from ngc_workbench.gateway import headers
from ngc_workbench.gateway.paths import clean
from ngc_workbench.gateway.record import Recorder
from ngc_workbench.gateway.routes import Route, Routes
from ngc_workbench.settings import Settings

_log = structlog.get_logger("gateway")
_BODY_LIMIT = 8 * 1024
_ANSWER_LIMIT = 64 * 1024
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:?\d\d)?")
_TOKEN = re.compile(r"(?:token|Bearer) [0-9A-Za-z._~+/=-]{8,128}")
_SHORT = re.compile(r"[\x21-\x7e]{1,300}")


@dataclass(frozen=True)
class Call:
    """One call of a single-user server's. `path` holds `{person}`, which stands for the session's own."""

    name: str
    method: str
    path: str
    why: str


CALLS: tuple[Call, ...] = (
    Call("hub.version", "GET", "/hub/api", "see that the hub is there, and its version"),
    Call(
        "hub.whoami",
        "GET",
        "/hub/api/user",
        "whose token a browser's is: passed on when it is the session's own person's",
    ),
    Call("hub.activity", "POST", "/hub/api/users/{person}/activity", "tell that this server was used, and when"),
    Call("hub.token", "POST", "/hub/api/oauth2/token", "end of the sign-in hop, as this server's own client"),
)
"""All that passes from a session to the hub."""

_RATE = 20.0  # calls a second that one session may make for long
_BURST = 60.0


class SessionSide:
    """The listener that sessions reach."""

    def __init__(self, settings: Settings, routes: Routes, recorder: Recorder, client: aiohttp.ClientSession) -> None:
        self._settings = settings
        self._routes = routes
        self._recorder = recorder
        self._client = client
        self._hub = f"http://127.0.0.1:{settings.hub_api_port}"
        self._allowance: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Any call of a container. A refusal is recorded."""
        source = _source(request)
        route: Route | None = None
        try:
            route = await self._routes.by_source(source)
            self._within_rate(source)
            return await self._pass_on(request, _known(route))
        except Refused as refused:
            unknown = "" if route else source
            what = f"{request.method} {request.raw_path}"
            self._recorder.refused(refused.reason, route, request.method, side="session", what=what, source=unknown)
            return _say(403, refused.what, refused.reason)
        except Unavailable as error:
            _log.warning("gateway.unavailable", what=error.what)
            return _say(503, str(error), "hub.silent")

    async def _pass_on(self, request: web.BaseRequest, route: Route) -> web.StreamResponse:
        call = find(request.method, request.raw_path, route)
        outgoing = {"Accept": "application/json"}
        token = request.headers.get("Authorization", "")
        if token:
            if not _TOKEN.fullmatch(token):
                raise Refused("hub.token_form", "The token has an unknown form.")
            outgoing["Authorization"] = token
        raw = await _limited(request.content, _BODY_LIMIT, "hub.body")
        body: bytes | None = None
        if call.name == "hub.activity":
            body = activity(raw, route)
            outgoing["Content-Type"] = "application/json"
        elif call.name == "hub.token":
            body = token_request(raw, route)
            outgoing["Content-Type"] = "application/x-www-form-urlencoded"
        elif raw:
            raise Refused("hub.body", "This call has no body.")
        path = call.path.format(person=route.person)
        try:
            async with self._client.request(
                call.method, f"{self._hub}{path}", headers=outgoing, data=body, allow_redirects=False
            ) as answer:
                text = await _limited(answer.content, _ANSWER_LIMIT, "hub.answer")
                if call.name == "hub.whoami" and answer.status == 200 and _name(text) != route.person:
                    raise Refused("hub.other_person", "That token is not of the person whose session this is.")
                kept = {**headers.own_data(), "Content-Type": "application/json"}
                if version := answer.headers.get("X-JupyterHub-Version"):
                    kept["X-JupyterHub-Version"] = version
                return web.Response(body=text, status=answer.status, headers=kept)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable("The hub does not answer.", "Try again in a moment.") from error

    def _within_rate(self, source: str) -> None:
        now = time.monotonic()
        left, seen = self._allowance.pop(source, (_BURST, now))
        left = min(_BURST, left + (now - seen) * _RATE)
        self._allowance[source] = (max(0.0, left - 1), now)
        if len(self._allowance) > 4096:
            self._allowance.popitem(last=False)
        if left < 1:
            raise Refused("hub.too_often", "The session calls the hub too often.")


def _known(route: Route | None) -> Route:
    if route is None:
        raise Refused("source.unknown", "No session has this address.")
    return route


def find(method: str, raw_path: str, route: Route) -> Call:
    """The call that this is. Raises Refused."""
    path, mark, _ = raw_path.partition("?")
    path = clean(path)
    path = path.rstrip("/") if path == "/hub/api/" else path
    for call in CALLS:
        if method == call.method and path == call.path.format(person=route.person) and not mark:
            return call
    raise Refused("hub.unlisted", "A session may not call this.")


def activity(raw: bytes, route: Route) -> bytes:
    """The report of activity, written anew: times alone, of this server alone. Raises Refused."""
    body = _json(raw)
    servers = body.get("servers", {})
    if not isinstance(servers, dict) or set(servers) - {route.project} or set(body) - {"servers", "last_activity"}:
        raise Refused("hub.activity", "A session reports its own activity only.")
    kept: dict[str, Any] = {"last_activity": _moment(body.get("last_activity"))}
    if servers:
        own = servers[route.project]
        kept["servers"] = {
            route.project: {"last_activity": _moment(own.get("last_activity") if isinstance(own, dict) else None)}
        }
    return json.dumps(kept).encode()


def token_request(raw: bytes, route: Route) -> bytes:
    """The request that turns a sign-in code into a token, as this server's own client. Raises Refused."""
    try:
        pairs = parse_qsl(raw.decode("ascii"), strict_parsing=True, max_num_fields=10)
    except ValueError:
        raise Refused("hub.token_form", "The request for a token can't be read.") from None
    fields = dict(pairs)
    callback = f"{route.prefix}oauth_callback"
    known = {"client_id", "client_secret", "grant_type", "code", "redirect_uri", "code_verifier"}
    own = (
        len(fields) == len(pairs)
        and not set(fields) - known
        and fields.get("client_id") == route.client_id
        and fields.get("grant_type") == "authorization_code"
        and fields.get("redirect_uri") in (callback, f"{route.origin}{callback}")
        and all(_SHORT.fullmatch(value) for value in fields.values())
    )
    if not own:
        raise Refused("hub.other_client", "A session signs people in at itself only.")
    return urlencode(pairs).encode()


def _moment(value: object) -> str:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise Refused("hub.activity", "A session reports times only.")
    return value


def _json(raw: bytes) -> dict[str, Any]:
    try:
        value = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Refused("hub.body", "What was sent can't be read.") from None
    if not isinstance(value, dict):
        raise Refused("hub.body", "What was sent can't be read.")
    return value


def _name(text: bytes) -> str:
    try:
        return str(json.loads(text.decode("utf-8")).get("name", ""))
    except (ValueError, AttributeError):
        return ""


async def _limited(stream: aiohttp.StreamReader, limit: int, reason: str) -> bytes:
    pieces = []
    total = 0
    async for piece in stream.iter_chunked(limit):
        total += len(piece)
        if total > limit:
            raise Refused(reason, "That is too large.")
        pieces.append(piece)
    return b"".join(pieces)


def _source(request: web.BaseRequest) -> str:
    # The connection's own, never a header's.
    peer = request.transport.get_extra_info("peername") if request.transport else None
    return str(peer[0]) if peer else ""


def _say(status: int, message: str, reason: str) -> web.Response:
    return web.json_response(
        {"message": message, "reason": reason, "status": status}, status=status, headers=headers.own_data()
    )
