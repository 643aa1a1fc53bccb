"""Signing in and sessions, against a hub that is played by a small application on a port of its own."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import secrets
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI
from jupyterhub.httpclient import JupyterHubHTTPClient
from jupyterhub.services.auth import HubOAuth
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database
from ngc_workbench.errors import Conflict, Unavailable
from ngc_workbench.model import Person
from ngc_workbench.portal import create_app
from ngc_workbench.portal.auth import HubAuth, Visitor
from ngc_workbench.portal.hub import HubSessions
from ngc_workbench.settings import Settings
from tests.portal.conftest import BASE, PlayedSessions, people, served

ALMA = Visitor("alma", "csrf", "token-of-alma")


@dataclass
class PlayedHub:
    """What the portal asks of a hub, and what the test wants it to answer."""

    url: str = ""
    codes: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Code to (person, code challenge)."""
    tokens: dict[str, str] = field(default_factory=dict)
    calls: list[tuple[str, str, str]] = field(default_factory=list)
    """(method, path, authorization) of each call about servers."""
    server: dict[str, object] | None = None
    events: list[dict[str, object]] = field(default_factory=list)
    answer: tuple[int, dict[str, object]] = (201, {})

    def application(self) -> FastAPI:
        """The hub's API."""
        app = FastAPI()

        @app.post("/hub/api/oauth2/token")
        async def token(request: Request) -> Response:
            form = await request.form()
            person, challenge = self.codes.pop(str(form["code"]), ("", ""))
            digest = hashlib.sha256(str(form.get("code_verifier", "")).encode()).digest()
            if not person or base64.urlsafe_b64encode(digest).decode().rstrip("=") != challenge:
                return JSONResponse({"error": "invalid_grant"}, 400)
            made = secrets.token_hex(8)
            self.tokens[made] = person
            return JSONResponse({"access_token": made, "token_type": "Bearer"})

        @app.get("/hub/api/user")
        async def who(request: Request) -> Response:
            person = self.tokens.get(request.headers["authorization"].removeprefix("token "))
            return JSONResponse({"name": person, "kind": "user"}) if person else JSONResponse({"message": "no"}, 403)

        @app.api_route("/hub/api/users/{name}", methods=["GET"])
        async def user(name: str) -> Response:
            return JSONResponse({"name": name, "servers": {"heart": self.server} if self.server else {}})

        @app.api_route("/hub/api/users/{name}/servers/{server}", methods=["POST", "DELETE"])
        async def change(request: Request, name: str, server: str) -> Response:
            self.calls.append((request.method, f"{name}/{server}", request.headers["authorization"]))
            await asyncio.sleep(0.05)
            return JSONResponse(self.answer[1], self.answer[0])

        @app.get("/hub/api/users/{name}/servers/{server}/progress")
        async def progress(name: str, server: str) -> Response:
            return StreamingResponse(
                iter([f"data: {json.dumps(event)}\n\n" for event in self.events]), media_type="text/event-stream"
            )

        return app


@pytest.fixture
def hub() -> Iterator[PlayedHub]:
    """The played hub, answering."""
    played = PlayedHub()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        played.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with served(played.application(), listening):
            yield played


@pytest.fixture
def signed_out(
    hub: PlayedHub,
    settings: Settings,
    database: Database,
    log: AuditLog,
    add_person: Callable[..., Person],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[httpx.Client]:
    """A browser at a portal that signs in at the played hub through JupyterHub's own HubOAuth."""
    people(add_person)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        for name, value in {
            "JUPYTERHUB_API_TOKEN": "portals-own-token", "JUPYTERHUB_API_URL": f"{hub.url}/hub/api", "JUPYTERHUB_CLIENT_ID": "service-portal",
            "JUPYTERHUB_OAUTH_CALLBACK_URL": f"{address}{BASE}oauth_callback", "JUPYTERHUB_SERVICE_PREFIX": BASE, "JUPYTERHUB_HOST": hub.url,
            "JUPYTERHUB_BASE_URL": "/",
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        HubOAuth.clear_instance()

        class Sessions(PlayedSessions):
            async def close(self) -> None:
                await JupyterHubHTTPClient.loop_instance().close()

        auth = HubAuth(secure=False, prefix=BASE, sign_out_url=f"{hub.url}/hub/logout")
        app = create_app(settings, database, log, auth=auth, sessions=Sessions())
        with served(app, listening), httpx.Client(base_url=address, trust_env=False, timeout=30) as client:
            yield client
    HubOAuth.clear_instance()
    JupyterHubHTTPClient.clear_instance()


def sent_to_hub(client: httpx.Client, path: str = "") -> dict[str, str]:
    """Opens a page while signed out; gives the query of the hub's address that it leads to."""
    answer = client.get(BASE + path)
    assert answer.status_code == 302, answer.text
    return {key: values[0] for key, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


def sign_in(client: httpx.Client, hub: PlayedHub, person: str, path: str = "") -> httpx.Response:
    """The whole way through the hub."""
    query = sent_to_hub(client, path)
    hub.codes["the-code"] = (person, query["code_challenge"])
    return client.get(f"{BASE}oauth_callback", params={"code": "the-code", "state": query["state"]})


def test_a_person_signs_in_and_comes_back_to_the_page_they_wanted(signed_out: httpx.Client, hub: PlayedHub) -> None:
    """With state and PKCE; the hub's token stays on the portal's side; the cookie is for HTTP alone and this site's own."""
    back = sign_in(signed_out, hub, "signe", "audit?kind=login.allowed")
    assert back.headers["location"] == f"{BASE}audit?kind=login.allowed"
    cookie = next(value for value in back.headers.get_list("set-cookie") if value.startswith("ngc-portal="))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    (token,) = hub.tokens
    assert token not in back.text + str(back.headers)
    page = signed_out.get(BASE)
    assert page.status_code == 200
    assert "Signe Toft" in page.text
    assert token not in page.text


def test_a_way_back_that_did_not_start_here_is_refused(signed_out: httpx.Client, hub: PlayedHub) -> None:
    """Another browser's state, a made-up one, none, or a code used twice: nobody is signed in."""
    query = sent_to_hub(signed_out)
    hub.codes["the-code"] = ("alma", query["code_challenge"])
    with httpx.Client(base_url=signed_out.base_url, trust_env=False) as other:
        assert (
            other.get(f"{BASE}oauth_callback", params={"code": "the-code", "state": query["state"]}).status_code == 403
        )
    for state in ("", "made-up", query["state"][:-1]):
        assert signed_out.get(f"{BASE}oauth_callback", params={"code": "the-code", "state": state}).status_code == 403
    assert (
        signed_out.get(f"{BASE}oauth_callback", params={"code": "the-code", "state": query["state"]}).status_code == 302
    )
    assert signed_out.get(
        f"{BASE}oauth_callback", params={"code": "the-code", "state": query["state"]}
    ).status_code in (403, 503)


def test_who_the_hub_no_longer_knows_is_signed_out(signed_out: httpx.Client, hub: PlayedHub) -> None:
    """Once the hub withdraws the token, and what is remembered of it is over, the next page asks to sign in."""
    sign_in(signed_out, hub, "alma")
    assert signed_out.get(BASE).status_code == 200
    hub.tokens.clear()
    HubOAuth.instance().cache.clear()
    assert signed_out.get(BASE).status_code == 302


def test_signing_out_forgets_the_visit(signed_out: httpx.Client, hub: PlayedHub) -> None:
    """The old cookie opens nothing any more."""
    sign_in(signed_out, hub, "alma")
    page = signed_out.get(f"{BASE}sign-out").text
    csrf = page.split('name="csrf" value="')[1].split('"')[0]
    old = signed_out.cookies["ngc-portal"]
    left = signed_out.post(f"{BASE}sign-out", data={"csrf": csrf})
    assert left.headers["location"] == f"{hub.url}/hub/logout"
    signed_out.cookies.set("ngc-portal", old)
    assert signed_out.get(BASE).status_code == 302


async def until(sessions: HubSessions, state: str) -> str:
    """Waits until the session is in that state; gives its message."""
    for _ in range(100):
        found = (await sessions.all(ALMA)).get("heart")
        if (found.state if found else "stopped") == state:
            return found.message if found else ""
        await asyncio.sleep(0.02)
    raise AssertionError(f"not {state}: {found}")


async def test_a_start_shows_the_hubs_own_progress_and_ends_as_the_hub_says(hub: PlayedHub) -> None:
    """Percent and words come from the hub's events; ready and pending from its model; the call carries the person's token."""
    sessions = HubSessions(f"{hub.url}/hub/api")
    hub.answer = (202, {})
    hub.events = [{"progress": 20, "message": "Network made"}, {"progress": 60, "message": "View mounted"}]
    await sessions.start(ALMA, "heart")
    await sessions.start(ALMA, "heart")
    for _ in range(100):
        if (found := (await sessions.all(ALMA))["heart"]).percent == 60:
            break
        await asyncio.sleep(0.02)
    assert (found.state, found.percent, found.message) == ("starting", 60, "View mounted")
    hub.server = {"ready": True, "pending": None}
    hub.events = [{"progress": 100, "ready": True}]
    await until(sessions, "running")
    assert hub.calls == [("POST", "alma/heart", "token token-of-alma")]
    hub.server = {"ready": False, "pending": "stop"}
    await until(sessions, "stopping")
    hub.server = None
    await until(sessions, "stopped")
    await sessions.close()


async def test_a_start_that_the_hub_refuses_says_why(hub: PlayedHub) -> None:
    """The spawner's own words reach the person; a new start begins afresh."""
    sessions = HubSessions(f"{hub.url}/hub/api")
    hub.answer = (403, {"message": "The firewall is missing."})
    await sessions.start(ALMA, "heart")
    assert await until(sessions, "failed") == "The firewall is missing."
    hub.answer = (202, {})
    hub.events = [{"progress": 100, "failed": True, "message": "The image is gone."}]
    await sessions.start(ALMA, "heart")
    for _ in range(100):
        if await until(sessions, "failed") == "The image is gone.":
            break
        await asyncio.sleep(0.02)
    assert await until(sessions, "failed") == "The image is gone."
    await sessions.close()


async def test_stopping_what_is_not_there_is_no_error_and_a_silent_hub_is_told(hub: PlayedHub) -> None:
    """404: stopped already. 400: it starts just now. No answer: Unavailable."""
    sessions = HubSessions(f"{hub.url}/hub/api")
    hub.answer = (404, {"message": "no such server"})
    await sessions.stop(ALMA, "heart")
    hub.answer = (400, {"message": "pending"})
    with pytest.raises(Conflict):
        await sessions.stop(ALMA, "heart")
    await sessions.close()
    silent = HubSessions("http://127.0.0.1:9/hub/api")
    with pytest.raises(Unavailable, match="hub does not answer"):
        await silent.all(ALMA)
    await silent.close()
