"""Logging in: what the provider says is read from both of its answers, and each log-in is recorded."""

from __future__ import annotations

import time
from typing import Any

import jwt
import pytest
from tornado import web

from ngc_workbench.errors import Unavailable
from ngc_workbench.sessions import login
from ngc_workbench.sessions.login import NgcAuthenticator
from ngc_workbench.sessions.runtime import Runtime
from ngc_workbench.settings import Settings
from tests.sites import events

CLAIMS = {
    "sub": "alma",
    "name": "Alma Friis",
    "roles": ["researcher"],
    "training_until": "2100-01-01",
    "acr": "x",
    "amr": ["mfa"],
}


@pytest.fixture
def authenticator(paper: Runtime) -> NgcAuthenticator:
    """The authenticator of a paper installation."""
    return NgcAuthenticator(
        runtime=paper,
        issuer="https://login.example",
        client_id="ngc-workbench",
        client_secret="s",
        any_allow_config=True,
    )


def model(claims: dict[str, Any]) -> dict[str, Any]:
    """What oauthenticator hands on."""
    return {"name": claims.get("sub"), "admin": None, "auth_state": {"oauth_user": claims}}


async def test_a_known_role_is_let_in(authenticator: NgcAuthenticator) -> None:
    """The person is stored and the log-in recorded."""
    assert await authenticator.check_allowed("alma", model(CLAIMS))
    assert [event.actor for event in events(authenticator.runtime, "login.allowed")] == ["alma"]


async def test_no_role_is_turned_away_with_a_reason(authenticator: NgcAuthenticator) -> None:
    """Refused in plain words, and recorded though nothing else is stored."""
    with pytest.raises(web.HTTPError) as raised:
        await authenticator.check_allowed("alma", model({**CLAIMS, "roles": ["wizard"]}))
    assert raised.value.status_code == 403
    assert "no role" in str(raised.value.log_message)
    assert [event.reason for event in events(authenticator.runtime, "login.refused")] == ["login.no_role"]


async def test_malformed_claims_are_turned_away_and_recorded(authenticator: NgcAuthenticator) -> None:
    """A claim of the wrong form is nobody's log-in."""
    with pytest.raises(web.HTTPError):
        await authenticator.check_allowed("alma", model({**CLAIMS, "training_until": "soon"}))
    assert [event.reason for event in events(authenticator.runtime, "login.refused")] == ["login.claims"]


@pytest.mark.parametrize("name", ["../alma", "Alma", "a" * 40, "", None, "al.ma", "alma-", "-"])
def test_a_name_that_is_no_slug_is_nobody(authenticator: NgcAuthenticator, name: str | None) -> None:
    """A user name becomes a host name, a path and a folder."""
    with pytest.raises(web.HTTPError):
        authenticator.user_info_to_username({**CLAIMS, "sub": name})


def token(**fields: Any) -> str:
    """An identity token."""
    said = {"iss": "https://login.example", "aud": "ngc-workbench", "sub": "alma", "iat": int(time.time()), **fields}
    return jwt.encode(said, "k" * 32, algorithm="HS256")


@pytest.mark.parametrize(
    "fields",
    [{"iss": "https://other.example"}, {"aud": "another"}, {"aud": ["another"]}, {"iat": int(time.time()) + 4000}],
)
def test_a_token_for_others_is_refused(authenticator: NgcAuthenticator, fields: dict[str, Any]) -> None:
    """Another issuer, another client, a clock far ahead."""
    with pytest.raises(web.HTTPError):
        authenticator._read(token(**fields))


async def test_token_and_userinfo_must_be_about_one_person(
    authenticator: NgcAuthenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Assurance comes from the token; a token of somebody else lends nobody theirs."""

    async def userinfo(_self: object, _token: object) -> dict[str, Any]:
        return {"sub": "alma", "name": "Alma Friis"}

    monkeypatch.setattr(login.GenericOAuthenticator, "token_to_user", userinfo)
    claims = await authenticator.token_to_user({"id_token": token(acr="high", amr=["otp"])})
    assert (claims["acr"], claims["amr"], claims["name"]) == ("high", ["otp"], "Alma Friis")
    with pytest.raises(web.HTTPError, match="different people"):
        await authenticator.token_to_user({"id_token": token(sub="bo", acr="high")})


def test_a_provider_that_describes_another_is_not_used(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a provider publishes must be about itself, and over TLS."""
    import httpx

    production = settings.model_copy(update={"oidc_issuer": "https://login.example"})
    answer = {
        "issuer": "https://login.example", "authorization_endpoint": "https://login.example/a",
        "token_endpoint": "http://login.example/t", "userinfo_endpoint": "https://login.example/u",
    }  # fmt: skip

    def get(url: str, **_: Any) -> httpx.Response:
        return httpx.Response(200, json=answer, request=httpx.Request("GET", url))

    monkeypatch.setattr(login.httpx, "get", get)
    with pytest.raises(Unavailable, match="does not fit"):
        login.endpoints(production)
    answer["token_endpoint"] = "https://login.example/t"
    assert login.endpoints(production).token == "https://login.example/t"
