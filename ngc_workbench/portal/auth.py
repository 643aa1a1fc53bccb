"""Who is asking. The hub signs people in (OAuth); the portal keeps what it got on its own side, behind an unguessable cookie.

The hub's token never reaches the browser. It is asked about again at the hub (at most half a minute old), so a person who is
logged out or locked out there is out here within a minute. A restart of the portal forgets these sessions; the
next page goes through the hub once more and comes back, mostly without the person seeing it.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlencode

from jupyterhub.services.auth import HubOAuth
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from tornado.web import HTTPError

from ngc_workbench.errors import Refused, Unavailable
from ngc_workbench.portal.i18n import marked

IDLE_S = 8 * 3600
_STATE_S = 600


@dataclass(frozen=True)
class Visitor:
    """A person who is signed in: their name, the token of their forms, and the hub's token for acting in their name."""

    name: str
    csrf: str
    token: str = field(repr=False)


class Auth(Protocol):
    """Signs people in."""

    async def user(self, request: Request) -> Visitor | None:
        """Who asks; None when nobody is signed in."""

    def sign_in(self, request: Request) -> Response:
        """Sends the browser to where people sign in, and from there back to this page."""

    async def callback(self, request: Request) -> Response:
        """Takes the browser back from there. Raises Refused, Unavailable."""

    def sign_out(self, request: Request) -> Response:
        """Forgets who asked."""


@dataclass
class _Visit:
    token: str = field(repr=False)
    csrf: str
    seen: float


class HubAuth:
    """Signs in at the hub. `secure`: cookies go over HTTPS alone. `sign_out_url`: where the hub signs out."""

    def __init__(self, *, secure: bool, prefix: str, sign_out_url: str) -> None:
        self._hub = HubOAuth.instance(cache_max_age=30)
        self._secure = secure
        # A name with this prefix can't be set by another host; browsers keep it to HTTPS.
        self._cookie = "__Host-ngc-portal" if secure else "ngc-portal"
        self._prefix = prefix
        self._sign_out_url = sign_out_url
        self._visits: dict[str, _Visit] = {}

    async def user(self, request: Request) -> Visitor | None:
        """Who asks, by cookie and, at the hub, by token. Raises Unavailable when the hub doesn't answer."""
        visit = self._visits.get(request.cookies.get(self._cookie, ""))
        if visit is None or time.monotonic() - visit.seen > IDLE_S:
            return None
        try:
            model = await self._hub.user_for_token(visit.token, sync=False)
        except HTTPError as error:
            raise Unavailable(
                marked("The hub does not answer."), marked("Wait a moment, then load the page again.")
            ) from error
        if model is None:
            return None
        visit.seen = time.monotonic()
        return Visitor(model["name"], visit.csrf, visit.token)

    def sign_in(self, request: Request) -> Response:
        """To the hub's page, with a state that ties the way back to this browser."""
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        verifier, challenge, method = self._hub.generate_pkce_code_challenge()
        state = self._hub.generate_state(target, code_verifier=verifier)
        query = urlencode({"state": state, "code_challenge": challenge, "code_challenge_method": method})
        answer = RedirectResponse(f"{self._hub.login_url}&{query}", 302)
        self._set(answer, f"{self._cookie}-{state[:8]}", state, _STATE_S)
        return answer

    async def callback(self, request: Request) -> Response:
        """From the hub: its code becomes a token, kept here."""
        state, code = request.query_params.get("state", ""), request.query_params.get("code", "")
        marker = f"{self._cookie}-{state[:8]}"
        if (
            not state
            or not code
            or not secrets.compare_digest(request.cookies.get(marker, "").encode(), state.encode())
        ):
            raise Refused(
                "sign_in.state",
                marked("This sign-in did not start here, or took too long."),
                marked("Open the portal again."),
            )
        verifier, target = self._hub.get_code_verifier(state), self._hub.get_next_url(state)
        self._hub.clear_oauth_state(state)
        try:
            token = await self._hub.token_for_code(code, code_verifier=verifier, sync=False)
            model = await self._hub.user_for_token(token, use_cache=False, sync=False)
        except HTTPError as error:
            raise Unavailable(marked("The hub could not sign you in."), marked("Open the portal again.")) from error
        if model is None:
            raise Refused(
                "sign_in.unknown", marked("The hub does not know you."), marked("Ask your data support centre.")
            )
        self._forget_idle()
        visit = secrets.token_urlsafe(32)
        self._visits[visit] = _Visit(token, secrets.token_urlsafe(32), time.monotonic())
        # The target is a path of ours: it was taken from a request to us. A second slash would name another host.
        answer = RedirectResponse(target if target.startswith(self._prefix) else self._prefix, 302)
        self._set(answer, self._cookie, visit, None)
        answer.delete_cookie(marker, path=self._path)
        return answer

    def sign_out(self, request: Request) -> Response:
        """Forgets the visit, then signs out at the hub."""
        self._visits.pop(request.cookies.get(self._cookie, ""), None)
        answer = RedirectResponse(self._sign_out_url, 303)
        answer.delete_cookie(self._cookie, path=self._path, secure=self._secure, httponly=True, samesite="lax")
        return answer

    @property
    def _path(self) -> str:
        return "/" if self._secure else self._prefix

    def _set(self, answer: Response, name: str, value: str, age: int | None) -> None:
        answer.set_cookie(name, value, max_age=age, path=self._path, secure=self._secure, httponly=True, samesite="lax")

    def _forget_idle(self) -> None:
        limit = time.monotonic() - IDLE_S
        self._visits = {key: visit for key, visit in self._visits.items() if visit.seen > limit}
