"""HTTP through the gateway, before a container that answers what it likes."""

from __future__ import annotations

import asyncio
import io
import json
import resource

import aiohttp
import pytest
from aiohttp import web

from ngc_workbench.model import Session
from tests.gateway.conftest import Door, Upstream, add_session


def answering(body: bytes = b"{}", status: int = 200, **headers: str):
    async def handler(_request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(
            body=body, status=status, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )

    return handler


async def test_an_api_call_passes_with_types_of_ours(door: Door, container: Upstream) -> None:
    """JSON comes through, with our type and policy; the container's own headers don't."""
    container.handler = answering(
        b'{"a": 1}', Content_Type="text/html", X_Data="QUJD", Link="<//outside.example>; rel=preload"
    )
    answer, body = await door.ask("api/me?permissions=%7B%7D&x=1")
    assert (answer.status, body) == (200, b'{"a": 1}')
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert "X-Data" not in answer.headers
    assert "Link" not in answer.headers
    assert container.asked[0].raw_path == "/user/alma/heart/api/me?permissions=%7B%7D"


async def test_the_hubs_probe_is_answered(door: Door, container: Upstream) -> None:
    """The hub asks `api` by the gateway's own address, without cookies, and sees the server's version."""
    container.handler = answering(b'{"version": "2"}', X_JupyterHub_Version="6.1.1")
    async with door.client.get(f"{door.browser}/user/alma/heart/api") as answer:
        assert answer.status == 200
        assert answer.headers["X-JupyterHub-Version"] == "6.1.1"
    async with door.client.get(f"{door.browser}/user/alma/heart/api/kernels") as answer:
        assert (await answer.json())["reason"] == "request.host"


async def test_a_container_that_is_not_up_yet_is_no_server(door: Door) -> None:
    """The hub's probe sees an error of 500 or above, and asks again."""
    with door.database.writing() as db:
        db.get_one(Session, "s1").port = 1
    await asyncio.sleep(1.1)
    answer, body = await door.ask("api")
    assert answer.status == 503
    assert json.loads(body)["reason"] == "session.silent"


@pytest.mark.parametrize(
    "below",
    [
        "files/x.vcf",
        "files/x.vcf?download=1",
        "api/../files/x",
        "%2e%2e/heart/files/x",
        "files%2Fx",
        "api//contents/x",
        "./files/x",
        "api/contents/%2e%2e/x",
        "nbconvert/html/x.ipynb?download=true",
        "static/%2e%2e/%2e%2e/files/x.js",
        "lab/extensions/..%2f..%2ffiles/x.js",
    ],
)
async def test_no_way_of_writing_reaches_a_shut_door(door: Door, container: Upstream, below: str) -> None:
    """A refused or unclear address never reaches the container, and stands in the audit log with person and project."""
    answer, body = await door.ask(below)
    assert answer.status == 403
    assert set(json.loads(body)) == {"message", "reason"}
    assert container.asked == []
    [event] = await door.recorded()
    assert (event.decision, event.actor, event.project, event.session) == ("deny", "alma", "heart", "s1")
    assert event.reason == json.loads(body)["reason"]


async def test_a_person_gets_a_page_in_two_languages(door: Door) -> None:
    """Who opens a shut door in the browser reads why, in Danish and English, and finds the portal."""
    answer, body = await door.ask("lab", headers={"Sec-Fetch-Dest": "document", "Accept": "text/html"})
    page = body.decode()
    assert answer.status == 403
    assert "Åbn den fra portalen" in page
    assert "Open it from the portal" in page
    assert f'href="{door.settings.portal_url}"' in page
    assert "script-src" not in answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("below", "handler", "reason"),
    [
        ("api/me", answering(Content_Disposition='attachment; filename="x.vcf"'), "answer.attachment"),
        ("api/contents/x.txt", answering(Content_Disposition="attachment"), "answer.attachment"),
        ("api/me", answering(Content_Encoding="gzip"), "answer.encoded"),
        ("api/me", answering(b"x" * (64 * 1024 + 1)), "answer.too_large"),
        ("api/me", answering(status=302, Location="https://outside.example/?d=QUJD"), "answer.redirect"),
        ("api/me", answering(status=302, Location="/user/alma/heart/lab"), "answer.redirect"),
        ("lab", answering(status=302, Location="https://outside.example/?d=QUJD"), "answer.redirect"),
        ("lab", answering(status=302), "answer.redirect"),
        ("api/me", answering(status=206), "answer.status"),
        ("api/me", answering(status=299), "answer.status"),
        ("api/me", answering(b"", status=304), "answer.status"),
        ("oauth_callback", answering(b"<script>1</script>"), "answer.callback"),
        ("api/contents/x.bin", answering(b'{"type": "file", "format": "base64", "content": "QUJD"}'), "contents.not_text"),
        ("api/contents/x.bin", answering(b'{"type": "file", "content": "QUJD"}'), "contents.not_text"),
        ("api/contents/x.bin", answering(b"\x1f\x8b\x08\x00"), "answer.malformed"),
    ],
)  # fmt: skip
async def test_what_a_hostile_container_answers_is_refused(
    door: Door, container: Upstream, below: str, handler: object, reason: str
) -> None:
    """Files, encoded bodies, redirects elsewhere, unknown statuses and binary contents stop at the gateway, and are recorded."""
    container.handler = handler  # type: ignore[assignment]
    answer, body = await door.ask(below)
    assert answer.status == 403
    assert b"QUJD" not in body
    assert json.loads(body)["reason"] == reason
    assert [event.reason for event in await door.recorded()] == [reason]


async def test_contents_error_carries_no_content(door: Door, container: Upstream) -> None:
    """A failed call can't carry a file either."""
    container.handler = answering(b'{"message": "No such file", "content": "QUJD"}', status=404)
    answer, body = await door.ask("api/contents/x.bin")
    assert (answer.status, json.loads(body)) == (404, {"message": "No such file"})


async def test_an_endless_body_is_cut(door: Door, container: Upstream) -> None:
    """A body without end is cut at the rule's limit; memory stays bounded, and the cut is recorded."""
    sent = 0

    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        piece = b"x" * 65536
        while sent < 200 * 1024 * 1024:
            await response.write(piece)
            sent += len(piece)
        return response

    container.handler = endless
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    received = 0

    async def read() -> None:
        nonlocal received
        url = f"{door.browser}/user/alma/heart/lab/api/translations/da_DK"
        async with door.client.get(url, headers={"Host": door.host}) as answer:
            async for piece in answer.content.iter_chunked(65536):
                received += len(piece)

    with pytest.raises(aiohttp.ClientPayloadError):
        await read()
    assert received <= 8 * 1024 * 1024
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 1024  # kB
    assert [event.reason for event in await door.recorded()] == ["answer.too_large"]


async def test_an_answer_under_way_ends_with_the_session(door: Door, container: Upstream) -> None:
    """A session that is stopped or paused shows nothing more, not even the rest of an answer that has begun."""

    async def dripping(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(80):
            await response.write(b"x")
            await asyncio.sleep(0.05)
        return response

    container.handler = dripping
    url = f"{door.browser}/user/alma/heart/lab/api/translations/da_DK"
    async with door.client.get(url, headers={"Host": door.host}) as answer:
        assert await answer.content.readexactly(1) == b"x"
        with door.database.writing() as db:
            db.get_one(Session, "s1").state = "stopped"
        await asyncio.sleep(1.1)
        assert (await door.ask("api"))[0].status == 503
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.content.read()
    assert [event.reason for event in await door.recorded()] == ["session.ended"]


async def test_sent_bodies_are_bounded_and_text(door: Door, container: Upstream) -> None:
    """A body without announced length is cut at the limit; a binary upload never reaches the container."""

    async def endless():
        for _ in range(100):
            yield b"x" * 65536

    answer, body = await door.ask("api/sessions", "POST", {"Content-Type": "application/json"}, endless())
    assert answer.status == 413
    assert json.loads(body)["reason"] == "request.too_large"
    upload = json.dumps({"type": "file", "format": "base64", "content": "H4sIAAAA/w=="})
    answer, body = await door.ask("api/contents/x.gz", "PUT", {"Content-Type": "application/json"}, upload)
    assert json.loads(body)["reason"] == "contents.upload_binary"


async def test_a_saved_notebook_arrives_whole(door: Door, container: Upstream) -> None:
    """What is saved reaches the container as JSON with the same content."""
    arrived: list[bytes] = []

    async def saving(request: web.BaseRequest) -> web.StreamResponse:
        arrived.append(await request.content.read())
        return web.json_response(
            {"name": "x.ipynb", "path": "x.ipynb", "type": "notebook", "content": None, "format": None}, status=201
        )

    container.handler = saving
    notebook = {"type": "notebook", "format": "json", "content": {"cells": [{"source": "æ" * 200_000}], "metadata": {}}}
    answer, _ = await door.ask(
        "api/contents/x.ipynb", "PUT", {"Content-Type": "application/json"}, io.BytesIO(json.dumps(notebook).encode())
    )
    assert answer.status == 201
    assert json.loads(arrived[0]) == notebook


async def test_signing_in_passes(door: Door, container: Upstream) -> None:
    """The hop to the hub and back works: redirect, state and cookies pass, for the session's own path."""
    cookie = "jupyterhub-user-alma-heart=v; HttpOnly; Path=/user/alma/heart/"
    container.handler = answering(b"", 302, Location="/user/alma/heart/lab", Set_Cookie=cookie)
    answer, _ = await door.ask(
        "oauth_callback?code=c&state=s",
        headers={"Sec-Fetch-Dest": "iframe", "Cookie": "jupyterhub-user-alma-heart-oauth-state=s"},
    )
    assert (answer.status, answer.headers["Location"]) == (302, "/user/alma/heart/lab")
    assert (
        answer.headers["Set-Cookie"] == "jupyterhub-user-alma-heart=v; Path=/user/alma/heart/; SameSite=Lax; HttpOnly"
    )
    assert container.asked[0].raw_path.endswith("oauth_callback?code=c&state=s")
    assert container.asked[0].headers["Cookie"] == "jupyterhub-user-alma-heart-oauth-state=s"


async def test_bytes_are_added_up(door: Door, container: Upstream) -> None:
    """What a session shows to the browser is measured, and kept with the session."""
    container.handler = answering(b"x" * 5000)
    for _ in range(3):
        await door.ask("api/me")
    await door.stop()
    with door.database.reading() as db:
        assert db.get_one(Session, "s1").bytes_out == 15_000


async def test_a_broken_container_is_a_plain_503(door: Door, container: Upstream) -> None:
    """A container that speaks no HTTP, or hangs up, gives a plain word and no trace of our insides."""

    async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10_000 + b"\r\n")
        writer.close()

    server = await asyncio.start_server(rude, "127.0.0.1", 0)
    with door.database.writing() as db:
        db.get_one(Session, "s1").port = server.sockets[0].getsockname()[1]
    await asyncio.sleep(1.1)
    answer, body = await door.ask("api/me")
    assert answer.status == 503
    assert set(json.loads(body)) == {"message", "reason"}
    server.close()
    await server.wait_closed()


async def test_routes_follow_the_table(door: Door) -> None:
    """A stopped session has no route within two seconds; another prefix never had one; health tells that the gateway is up."""
    async with door.client.get(f"{door.browser}/-/health") as answer:
        assert answer.status == 200
    async with door.client.get(f"{door.browser}/user/bo/heart/api") as answer:
        assert answer.status == 503
    answer, _ = await door.ask("api")
    assert answer.status == 200
    with door.database.writing() as db:
        db.get_one(Session, "s1").state = "paused"
    await asyncio.sleep(1.1)
    answer, _ = await door.ask("api")
    assert answer.status == 503


@pytest.mark.parametrize(
    "fields",
    [{"address": "192.0.2.1"}, {"address": "::1"}, {"address": ""}, {"port": 0}, {"prefix": "/user/bo/heart/"}],
)
async def test_a_wrong_row_gives_no_route(door: Door, container: Upstream, fields: dict[str, object]) -> None:
    """The gateway connects to addresses of sessions only, and serves a person's session below that person's path only."""
    with door.database.writing() as db:
        db.get_one(Session, "s1").state = "stopped"
    add_session(door.database, container.port, **{"id": "s2", **fields})
    await asyncio.sleep(1.1)
    answer, _ = await door.ask("api")
    assert answer.status == 503
    async with door.client.get(f"{door.browser}/user/bo/heart/api") as other:
        assert other.status == 503
    assert container.asked == []
