"""Who may come in: the hub's authenticator over OpenID Connect, the same for MitID in production and for the demo's own provider.

Assurance (`acr`) and methods (`amr`) stand in the identity token; names and roles in userinfo. Both are read; they must be about the
same person (OpenID Connect Core 5.3.2), and the token must be by our issuer and for us. The token comes straight from the provider over
TLS (over loopback in the demo), which stands in for checking its signature (Core 3.1.3.7, 6).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import jwt
from oauthenticator.generic import GenericOAuthenticator
from tornado import web
from traitlets import Instance, Unicode, default

from ngc_workbench.errors import Unavailable, WorkbenchError
from ngc_workbench.people import read_claims, record_login
from ngc_workbench.sessions.runtime import Runtime, runtime
from ngc_workbench.settings import Settings

DEMO_SECRET = "demo-client-secret-known-to-all"  # noqa: S105  (as public as all of the demo; hub/identity/provider.js has the same)
_FROM_TOKEN = ("acr", "amr", "auth_time")


@dataclass(frozen=True)
class Endpoints:
    """Where the provider's parts are."""

    issuer: str
    authorize: str
    token: str
    userinfo: str


def endpoints(settings: Settings) -> Endpoints:
    """The demo's fixed ones, or what the provider publishes about itself. Raises Unavailable when that can't be had."""
    if not settings.oidc_issuer:
        issuer = f"http://identity.localhost:{settings.identity_port}"
        # The browser goes by name; the hub itself by address, since not every resolver knows *.localhost.
        inner = f"http://127.0.0.1:{settings.identity_port}"
        return Endpoints(issuer, f"{issuer}/auth", f"{inner}/token", f"{inner}/me")
    issuer = settings.oidc_issuer.rstrip("/")
    try:
        answer = httpx.get(f"{issuer}/.well-known/openid-configuration", timeout=15).raise_for_status().json()
        found = Endpoints(
            answer["issuer"], answer["authorization_endpoint"], answer["token_endpoint"], answer["userinfo_endpoint"]
        )
    except (httpx.HTTPError, KeyError, ValueError) as error:
        raise Unavailable(
            "The identity provider does not say where its parts are.", "Check oidc_issuer and the way to it."
        ) from error
    if found.issuer.rstrip("/") != issuer or not all(
        url.startswith("https://") for url in (found.authorize, found.token, found.userinfo)
    ):
        raise Unavailable("The identity provider's own description does not fit oidc_issuer.", "Check oidc_issuer.")
    return found


class NgcAuthenticator(GenericOAuthenticator):
    """Lets in whom `people.record_login` lets in, and records each log-in, refused ones too."""

    runtime = Instance(Runtime, help="The installation; by default the one that the configuration names.")
    issuer = Unicode("", config=True, help="What the identity token must name as its issuer.")

    @default("runtime")
    def _runtime(self) -> Runtime:
        return runtime()

    def user_info_to_username(self, user_info: Mapping[str, Any]) -> str:
        """The workbench's own name for the person."""
        try:
            return read_claims(user_info).name
        except WorkbenchError as error:
            raise web.HTTPError(403, str(error)) from None

    async def token_to_user(self, token_info: dict[str, Any]) -> dict[str, Any]:
        """Userinfo, with what only the identity token says of the log-in itself."""
        claims = dict(await super().token_to_user(token_info))
        token = token_info.get("id_token")
        if token:
            said = self._read(token)
            if said.get("sub") != claims.get("sub"):
                raise web.HTTPError(403, "The identity provider's answers are about different people.")
            claims.update({key: said[key] for key in _FROM_TOKEN if key in said})
        return claims

    async def check_allowed(self, username: str, auth_model: dict[str, Any]) -> bool:  # noqa: ARG002  (JupyterHub's signature)
        """True when the person may come in. Raises HTTPError 403 with the reason in the person's words."""
        claims = auth_model["auth_state"][self.user_auth_state_key]
        await asyncio.to_thread(self._record, claims)
        return True

    async def refresh_user(self, user: Any, handler: Any = None, **kwargs: Any) -> Any:
        """What the provider says of the person now; False (log in again) when they would no longer be let in."""
        before = await user.get_auth_state() or {}
        fresh = await super().refresh_user(user, handler, **kwargs)
        if not isinstance(fresh, dict):
            return fresh
        known = before.get(self.user_auth_state_key) or {}
        claims = fresh["auth_state"][self.user_auth_state_key]
        # A refreshed token may say nothing of the log-in: what that proved stays as it was.
        for key in _FROM_TOKEN:
            if key in known:
                claims.setdefault(key, known[key])
        if fresh["name"] != user.name:
            return False
        if claims != known:
            try:
                await asyncio.to_thread(self._record, claims)
            except web.HTTPError:
                return False
        return fresh

    def _read(self, token: str) -> dict[str, Any]:
        try:
            said: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
        except jwt.InvalidTokenError as error:
            raise web.HTTPError(403, "The identity provider's token can't be read.") from error
        audience = said.get("aud")
        ours = self.client_id == audience or (isinstance(audience, list) and self.client_id in audience)
        if not ours or str(said.get("iss", "")).rstrip("/") != self.issuer.rstrip("/"):
            raise web.HTTPError(403, "The identity provider's token is not for this workbench.")
        if not isinstance(said.get("iat"), int) or said["iat"] > time.time() + 300:
            raise web.HTTPError(403, "The identity provider's clock is wrong.")
        return said

    def _record(self, claims: Mapping[str, Any]) -> None:
        log, database = self.runtime.log, self.runtime.database
        try:
            with database.writing() as db:
                decision = record_login(db, log, claims)
        except WorkbenchError as error:
            with database.writing() as db:
                log.append(
                    db, "login.refused", actor="", decision="deny", reason="login.claims", details={"what": error.what}
                )
            raise web.HTTPError(403, str(error)) from None
        if not decision:
            raise web.HTTPError(403, f"{decision.text} {decision.remedy}".strip())
