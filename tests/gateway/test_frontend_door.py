"""Files and page through a running gateway, before a container that answers every address with code of its own."""

from __future__ import annotations

import hashlib
import json
import re

import pytest
from aiohttp import web

from tests.gateway.conftest import OURS, PREFIX, Door, Upstream

EVIL = b"/* theirs */ <script>fetch('//outside.example/')</script>"
PAGE = {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate", "Accept": "text/html"}


@pytest.fixture
def hostile(container: Upstream) -> Upstream:
    """A container that gives its own code for whatever is asked, with every type and header that might help it."""

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        kind = "text/html" if request.path.endswith("lab") else "text/javascript"
        return web.Response(
            body=EVIL,
            headers={
                "Content-Type": kind, "ETag": '"x"', "Cache-Control": "public, max-age=31536000, immutable", "SourceMap": "/x",
                "Service-Worker-Allowed": "/", "Content-Security-Policy": "default-src *", "Access-Control-Allow-Origin": "*",
            },
        )  # fmt: skip

    container.handler = handler
    return container


@pytest.mark.parametrize("name", sorted(OURS))
async def test_a_hostile_containers_files_never_reach_the_browser(door: Door, hostile: Upstream, name: str) -> None:
    """Scripts, styles, themes, extensions and pictures are the copy's own, and the container is not even asked."""
    for destination in ("script", "style", "worker", "image", "font", "empty"):
        sent = {"Sec-Fetch-Dest": destination, "Sec-Fetch-Site": "same-origin"}
        answer, body = await door.ask(f"{name}?v=1", headers=sent)
        assert (answer.status, body) == (200, OURS[name])
    assert answer.headers["ETag"] == f'"{hashlib.sha256(OURS[name]).hexdigest()}"'
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert not {"SourceMap", "Service-Worker-Allowed", "Access-Control-Allow-Origin"} & set(answer.headers)
    assert hostile.asked == []


NOT_THERE = [
    "static/lab/theirs.js", "static/theirs.js", "lab/extensions/theirs/static/remoteEntry.js", "lab/api/themes/theirs/index.css",
    "kernelspecs/theirs/logo-64x64.png", "static/lab/main.efd3.js/x.js", "static/lab/MAIN.EFD3.JS.js", "static/manifest.json",
    "static/page.json", "static/lab/%00.js", "-/guard.js.js", "-/other.js",
]  # fmt: skip


async def test_a_name_that_is_in_no_copy_gives_nothing(door: Door, hostile: Upstream) -> None:
    """A file that only the container has is not there."""
    for name in NOT_THERE:
        answer, body = await door.ask(name, headers={"Sec-Fetch-Dest": "script", "Sec-Fetch-Site": "same-origin"})
        assert answer.status in (403, 404), name
        assert set(json.loads(body)) == {"message", "reason"}
        assert answer.headers["Content-Type"].startswith("application/json")
    assert hostile.asked == []


async def test_a_missing_file_is_said_and_not_recorded(door: Door, hostile: Upstream) -> None:
    """A kernel that a person added has no picture: that is nobody's fault."""
    answer, body = await door.ask("kernelspecs/mine/logo-svg.svg")
    assert (answer.status, json.loads(body)["reason"]) == (404, "frontend.no_such_file")
    assert await door.recorded() == []


@pytest.mark.parametrize("below", ["", "lab", "lab/tree/x.ipynb", "lab/workspaces/auto-k/tree/x.ipynb"])
async def test_a_hostile_containers_page_is_thrown_away(door: Door, hostile: Upstream, below: str) -> None:
    """The page is the gateway's own whatever the container answered, under our policy, with our scripts alone."""
    answer, body = await door.ask(below, headers=PAGE)
    page = body.decode()
    assert answer.status == 200
    assert "theirs" not in page
    assert re.findall(r'src="([^"]*)"', page) == [f"{PREFIX}-/guard.js", f"{PREFIX}static/lab/main.efd3.js?v=efd3"]
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "script-src 'self' 'unsafe-eval';" in answer.headers["Content-Security-Policy"]
    assert "clipboard-write=()" in answer.headers["Permissions-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert len(hostile.asked) == 1


async def test_an_endless_page_is_not_waited_for(door: Door, container: Upstream) -> None:
    """The container's body is not read: one without end costs nothing."""
    sent = 0

    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while sent < 512 * 1024 * 1024:
            await response.write(EVIL * 1000)
            sent += len(EVIL) * 1000
        return response

    container.handler = endless
    answer, body = await door.ask("lab", headers=PAGE)
    assert answer.status == 200
    assert b"theirs" not in body
    assert sent < 64 * 1024 * 1024


async def test_sign_in_and_cookies_pass(door: Door, container: Upstream) -> None:
    """The page still carries the server's `_xsrf` cookie, and a person who isn't signed in is sent to the hub."""

    async def first(request: web.BaseRequest) -> web.StreamResponse:
        answer = web.Response(body=EVIL, content_type="text/html")
        answer.set_cookie("_xsrf", "v", path=PREFIX)
        return answer

    container.handler = first
    answer, _ = await door.ask("lab", headers={**PAGE, "Cookie": "jupyterhub-user-alma-heart=c"})
    assert answer.headers["Set-Cookie"].startswith(f"_xsrf=v; Path={PREFIX}; SameSite=Lax")
    assert container.asked[0].headers["Cookie"] == "jupyterhub-user-alma-heart=c"

    query = f"client_id=jupyterhub-user-alma-heart&redirect_uri={PREFIX}oauth_callback&response_type=code&state=s"

    async def second(_request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": f"/hub/api/oauth2/authorize?{query}"}, body=EVIL)

    container.handler = second
    answer, body = await door.ask("lab", headers=PAGE)
    assert answer.status == 302
    assert answer.headers["Location"].startswith(f"{door.settings.public_url}/hub/api/oauth2/authorize?client_id=")
    assert b"theirs" not in body


@pytest.mark.parametrize("below", ["lab", "oauth_callback?code=c&state=s"])
async def test_a_containers_error_page_is_replaced(door: Door, container: Upstream, below: str) -> None:
    """What a person reads about a failure is ours; cookies that a failed sign-in takes back pass."""
    status = 0

    async def failing(_request: web.BaseRequest) -> web.StreamResponse:
        answer = web.Response(status=status, body=EVIL, content_type="text/html")
        answer.set_cookie("jupyterhub-user-alma-heart", "", path=PREFIX, max_age=0)
        return answer

    container.handler = failing
    for status in (400, 403, 404, 500, 503):
        answer, body = await door.ask(below, headers=PAGE)
        assert answer.status == status
        assert b"theirs" not in body
        assert f"it answered {status}" in body.decode()
        assert "Sessionen kan ikke vise JupyterLab" in body.decode()
        assert "script-src" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["Set-Cookie"].startswith('jupyterhub-user-alma-heart="')


@pytest.mark.parametrize(
    ("below", "status"), [("lab", 201), ("lab", 204), ("oauth_callback", 200), ("oauth_callback", 204)]
)
async def test_other_answers_to_a_page_are_refused(door: Door, container: Upstream, below: str, status: int) -> None:
    """A page is there, elsewhere, or not to be had; signing in ends with a redirect."""

    async def odd(_request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=status)

    container.handler = odd
    answer, _ = await door.ask(below, headers={**PAGE, "Accept": "application/json", "Sec-Fetch-Dest": ""})
    assert answer.status == 403
    assert [event.reason for event in await door.recorded()] == [
        "answer.status" if below == "lab" else "answer.callback"
    ]


async def test_a_browser_that_has_the_file_is_told_so(door: Door, hostile: Upstream) -> None:
    """The file's hash is its tag: the same is not sent again, one that a container once gave is."""
    first, _ = await door.ask("static/lab/main.efd3.js")
    tag = first.headers["ETag"]
    for known in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        answer, body = await door.ask("static/lab/main.efd3.js", headers={"If-None-Match": known})
        assert (answer.status, body) == (304, b"")
        assert answer.headers["ETag"] == tag
    for other in ('"x"', "", f'"{"0" * 64}"', tag.strip('"')):
        answer, body = await door.ask("static/lab/main.efd3.js", headers={"If-None-Match": other})
        assert (answer.status, body) == (200, OURS["static/lab/main.efd3.js"])
    assert hostile.asked == []


async def test_head_tells_the_size_alone(door: Door, hostile: Upstream) -> None:
    """HEAD answers as GET does, without the body."""
    for name, content in OURS.items():
        answer, body = await door.ask(name, "HEAD")
        assert (answer.status, body) == (200, b"")
        assert int(answer.headers["Content-Length"]) == len(content)
    assert hostile.asked == []


RUN_OR_DRAWN = ["script", "style", "worker", "sharedworker", "serviceworker", "audioworklet", "image", "font", "manifest", "track",
                "xslt", "json", "video", "report"]  # fmt: skip


@pytest.mark.parametrize(
    "below",
    [
        "api/me",
        "api/contents/x.js",
        "api/kernelspecs",
        "lab/api/translations/da_DK",
        "lab/api/settings",
        "lsp/status",
        "lab",
    ],
)
async def test_data_is_not_given_to_be_run(door: Door, hostile: Upstream, below: str) -> None:
    """No address but a file of ours can be a script, a style, a worker or a picture: the container isn't asked."""
    for destination in RUN_OR_DRAWN:
        answer, body = await door.ask(below, headers={"Sec-Fetch-Dest": destination, "Sec-Fetch-Site": "same-origin"})
        assert answer.status == 403
        assert b"theirs" not in body
        assert json.loads(body)["reason"] == ("page.not_a_page" if below == "lab" else "page.not_code")
    assert hostile.asked == []


async def test_what_a_container_answers_has_a_type_that_nothing_runs(door: Door, hostile: Upstream) -> None:
    """Were the destination not said, type and `nosniff` still keep a browser from running or drawing the answer."""
    for below in (
        "api/me",
        "api/kernelspecs",
        "api/kernels",
        "lab/api/settings",
        "lab/api/translations/da_DK",
        "api/config/x",
        "api",
    ):
        answer, _ = await door.ask(below)
        assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json; charset=utf-8")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")


# -- the guard's report ---------------------------------------------------------------------------


async def report(door: Door, body: bytes | str, kind: str = "application/json", **headers: str):
    sent = {"Content-Type": kind, "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "empty", **headers}
    return await door.ask("-/copied", "POST", sent, body)


@pytest.mark.parametrize("how", ["copy", "cut", "drag"])
async def test_a_stopped_copy_is_recorded_with_its_size(door: Door, hostile: Upstream, how: str) -> None:
    """The audit log says who, where, how and how much; the container hears nothing of it."""
    answer, body = await report(door, json.dumps({"length": 12345, "how": how}))
    assert (answer.status, body) == (204, b"")
    assert hostile.asked == []
    [event] = await door.recorded()
    assert (event.decision, event.reason, event.project, event.session) == ("deny", "copy.too_large", "heart", "s1")
    assert event.details["what"] == f"{how} of 12345 characters"


NO_REPORTS = [
    "", "{", "[]", "null", "7", '{"length": 5}', '{"how": "copy"}', '{"length": "5", "how": "copy"}', '{"length": true, "how": "copy"}',
    '{"length": 5.0, "how": "copy"}', '{"length": 0, "how": "copy"}', '{"length": -1, "how": "copy"}', '{"length": 1000000001, "how": "copy"}',
    '{"length": 5, "how": "print"}', '{"length": 5, "how": ["copy"]}', '{"length": 5, "how": "copy", "more": 1}', "[" * 900, b"\xff\xfe",
]  # fmt: skip


async def test_anything_else_is_no_report(door: Door, hostile: Upstream) -> None:
    """What isn't a report is refused, and the log gets no invented size."""
    for body in NO_REPORTS:
        answer, said = await report(door, body)
        assert (answer.status, json.loads(said)["reason"]) == (403, "copy.report")
    assert {event.reason for event in await door.recorded()} == {"copy.report"}


async def test_reports_come_from_the_page_itself(door: Door, hostile: Upstream) -> None:
    """Another site's page can't fill the log, nor can a large body."""
    good = json.dumps({"length": 5000, "how": "copy"})
    assert (await report(door, good, **{"Sec-Fetch-Site": "same-site"}))[0].status == 403
    assert (await report(door, good, kind="application/x-www-form-urlencoded"))[0].status == 403
    assert (await report(door, good + " " * 1024))[0].status == 413
    assert (await door.ask("-/copied"))[0].status == 403
    assert {event.reason for event in await door.recorded()} == {
        "request.cross_origin", "request.type", "request.too_large", "route.unlisted",
    }  # fmt: skip
    assert hostile.asked == []
