"""What a session may ask the hub."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import urlencode

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from tests.gateway.conftest import Door, Upstream

TOKEN = {"Authorization": "token 0123456789abcdef0123456789abcdef"}
ACTIVITY = {
    "servers": {"heart": {"last_activity": "2026-11-25T00:00:00.000000Z"}},
    "last_activity": "2026-11-25T00:00:00.000000Z",
}
SIGN_IN = {
    "client_id": "jupyterhub-user-alma-heart", "client_secret": "s" * 32, "grant_type": "authorization_code", "code": "c",
    "redirect_uri": "/user/alma/heart/oauth_callback", "code_verifier": "v" * 43,
}  # fmt: skip


class Asked:
    """What reached the hub."""

    def __init__(self, hub: Upstream, name: str = "alma") -> None:
        self.calls: list[tuple[str, str, bytes]] = []
        self.name = name
        hub.handler = self.handle

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answers as the hub does."""
        self.calls.append((request.method, request.raw_path, await request.content.read()))
        assert "Cookie" not in request.headers
        return web.json_response({"name": self.name}, headers={"X-JupyterHub-Version": "6.1.1", "Set-Cookie": "x=y"})


@pytest.fixture
def asked(hub: Upstream) -> Asked:
    return Asked(hub)


async def call(
    door: Door, method: str, path: str, data: object = None, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, object]]:
    url = URL(door.session + path, encoded=True)
    async with door.client.request(
        method, url, data=data, headers={**TOKEN, "Cookie": "a=b", **(headers or {})}, allow_redirects=False
    ) as answer:
        assert "Set-Cookie" not in answer.headers
        return answer.status, await answer.json()


async def test_a_single_user_server_is_served(door: Door, asked: Asked) -> None:
    """Version, identity, activity and sign-in of the session's own server reach the hub, each written anew."""
    assert (await call(door, "GET", "/hub/api"))[0] == 200
    assert (await call(door, "GET", "/hub/api/"))[0] == 200
    assert await call(door, "GET", "/hub/api/user") == (200, {"name": "alma"})
    assert (await call(door, "POST", "/hub/api/users/alma/activity", json.dumps(ACTIVITY)))[0] == 200
    assert (await call(door, "POST", "/hub/api/oauth2/token", urlencode(SIGN_IN)))[0] == 200
    assert [path for _, path, _ in asked.calls] == [
        "/hub/api",
        "/hub/api",
        "/hub/api/user",
        "/hub/api/users/alma/activity",
        "/hub/api/oauth2/token",
    ]
    assert json.loads(asked.calls[3][2]) == ACTIVITY
    assert asked.calls[4][2].decode() == urlencode(SIGN_IN)
    assert await door.recorded() == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"), ("GET", "/hub/"), ("GET", "/hub/home"), ("GET", "/hub/login"), ("GET", "/hub/api/users"), ("GET", "/hub/api/users/alma"),
        ("GET", "/hub/api/info"), ("GET", "/hub/api/proxy"), ("POST", "/hub/api/shutdown"), ("POST", "/hub/api/users/alma/tokens"),
        ("POST", "/hub/api/users/alma/servers/heart"), ("DELETE", "/hub/api/users/alma/servers/heart"), ("PATCH", "/hub/api/users/alma/servers/heart"),
        ("POST", "/hub/api/users/bo/activity"), ("GET", "/hub/api/users/alma/activity"), ("GET", "/hub/api/oauth2/authorize"), ("PUT", "/hub/api/user"),
        ("GET", "/hub/api/user?token=x"), ("GET", "/hub/api/authorizations/token/x"), ("GET", "/hub/api/user/../users"), ("GET", "/hub/api/%75sers"),
        ("GET", "/hub//api/user"), ("GET", "/hub/api/user%2f..%2fusers"), ("GET", "/user/alma/heart/api"), ("GET", "/-/health"), ("GET", "/services/portal/"),
        ("GET", "http://127.0.0.1:1/hub/api/user"),
    ],
)  # fmt: skip
async def test_everything_else_is_refused_and_recorded(door: Door, asked: Asked, method: str, path: str) -> None:
    """No other call reaches the hub, however it is written."""
    if path.startswith("http"):
        reader, writer = await asyncio.open_connection("127.0.0.1", door.settings.gateway_session_port)
        writer.write(f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        status = int((await reader.readline()).split()[1])
        await reader.read()
        writer.close()
    else:
        status, _ = await call(door, method, path)
    assert status == 403
    assert asked.calls == []
    [event] = await door.recorded()
    assert (event.actor, event.session, event.decision, event.details["side"]) == ("alma", "s1", "deny", "session")


@pytest.mark.parametrize(
    ("path", "body", "reason"),
    [
        (
            "/hub/api/users/alma/activity",
            {**ACTIVITY, "servers": {"other": ACTIVITY["servers"]["heart"]}},
            "hub.activity",
        ),  # type: ignore[index]
        ("/hub/api/users/alma/activity", {**ACTIVITY, "note": "QUJD"}, "hub.activity"),
        ("/hub/api/users/alma/activity", {"last_activity": "QUJD"}, "hub.activity"),
        (
            "/hub/api/users/alma/activity",
            {"servers": {"heart": []}, "last_activity": ACTIVITY["last_activity"]},
            "hub.activity",
        ),
        ("/hub/api/users/alma/activity", [], "hub.body"),
        ("/hub/api/users/alma/activity", {"last_activity": "x" * 9000}, "hub.body"),
        ("/hub/api/oauth2/token", {**SIGN_IN, "client_id": "jupyterhub-user-bo-heart"}, "hub.other_client"),
        ("/hub/api/oauth2/token", {**SIGN_IN, "client_id": "service-portal"}, "hub.other_client"),
        ("/hub/api/oauth2/token", {**SIGN_IN, "redirect_uri": "https://outside.example/"}, "hub.other_client"),
        ("/hub/api/oauth2/token", {**SIGN_IN, "grant_type": "password"}, "hub.other_client"),
        ("/hub/api/oauth2/token", {**SIGN_IN, "extra": "QUJD"}, "hub.other_client"),
        ("/hub/api/oauth2/token", {**SIGN_IN, "code": "x" * 400}, "hub.other_client"),
    ],
)
async def test_bodies_are_this_servers_own(door: Door, asked: Asked, path: str, body: object, reason: str) -> None:
    """Activity of another server, notes, another client and long bodies don't pass."""
    data = urlencode(body) if "oauth2" in path else json.dumps(body)  # type: ignore[arg-type]
    status, answer = await call(door, "POST", path, data)
    assert (status, answer["reason"]) == (403, reason)
    assert asked.calls == []


async def test_a_form_given_twice_is_refused(door: Door, asked: Asked) -> None:
    """Two client ids in one form can't be read in two ways."""
    status, _ = await call(
        door, "POST", "/hub/api/oauth2/token", urlencode([*SIGN_IN.items(), ("client_id", "service-portal")])
    )
    assert (status, asked.calls) == (403, [])


async def test_another_persons_token_tells_nothing(door: Door, asked: Asked) -> None:
    """A session can't learn whose token somebody else's is."""
    asked.name = "bo"
    status, answer = await call(door, "GET", "/hub/api/user")
    assert (status, answer["reason"]) == (403, "hub.other_person")
    assert "bo" not in json.dumps(answer)


async def test_an_unknown_source_gets_nothing(door: Door, asked: Asked) -> None:
    """Who has no session's address is refused, whatever the headers say, and recorded with that address."""
    connector = aiohttp.TCPConnector(local_addr=("127.0.0.5", 0))
    async with aiohttp.ClientSession(connector=connector) as stranger:
        headers = {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1", "Forwarded": "for=127.0.0.1"}
        async with stranger.get(f"{door.session}/hub/api", headers=headers) as answer:
            assert answer.status == 403
    assert asked.calls == []
    [event] = await door.recorded()
    assert (event.reason, event.details["source"], event.session) == ("source.unknown", "127.0.0.5", "")


async def test_a_flood_is_held_back(door: Door, asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session that calls without pause is refused after its allowance, and the log holds one line and a count."""
    monkeypatch.setattr("ngc_workbench.gateway.session_side._RATE", 0.0)
    statuses = [(await call(door, "GET", "/hub/api"))[0] for _ in range(80)]
    assert statuses == [200] * 60 + [403] * 20
    first, rest = await door.recorded()
    assert (first.reason, first.details["count"], rest.details["count"]) == ("hub.too_often", 1, 19)


async def test_a_silent_hub_is_a_plain_503(door: Door) -> None:
    """When the hub is away the session hears so, and tries again."""
    assert (await call(door, "GET", "/hub/api"))[0] == 503
