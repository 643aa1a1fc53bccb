"""A gateway on loopback between a client and a container that answers whatever a test wants it to."""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from ngc_workbench.audit import AuditLog, Event
from ngc_workbench.database import Database
from ngc_workbench.gateway.routes import Route
from ngc_workbench.gateway.service import running
from ngc_workbench.model import Person, Project, Session
from ngc_workbench.settings import Settings

PREFIX = "/user/alma/heart/"
IMAGE = "sha256:" + "ab" * 32
OURS = {
    "favicon.ico": b"icon",
    "kernelspecs/python3/logo-64x64.png": b"png",
    "lab/api/themes/@jupyterlab/theme-light-extension/index.css": b":root{--ours:1}",
    "lab/extensions/ngc-bokeh/static/remoteEntry.js": b"/* our extension */",
    "static/lab/main.efd3.js": b"/* our script */",
    "static/lab/large.js": b"/*" + b"x" * 300_000 + b"*/",
}
"""Files of the tests' front end."""

KERNEL = "0e8f9a52-1c57-4a8e-9d1a-3f0f5c1e2b7d"
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def write_copy(folder: Path, files: dict[str, bytes]) -> Path:
    """A front end as images/researcher/frontend leaves it behind: files, what the page is made of, and the manifest."""
    copy = folder / ("ab" * 6)
    old = "/user/placeholder-person/placeholder-project/"
    page = {
        "prefix": old,
        "body": "jp-ThemedContainer",
        "config": {
            "appUrl": "/lab", "fullStaticUrl": f"{old}static/lab", "hubPrefix": "/hub/", "terminalsAvailable": False, "wsUrl": "",
            "federated_extensions": [{"name": "ngc-bokeh", "load": "static/remoteEntry.js"}], "nested": {"url": f"{old}x"},
        },
        "scripts": ["static/lab/main.efd3.js?v=efd3"],
        "icons": [{"rel": "icon", "type": "image/x-icon", "href": "favicon.ico", "class": "idle favicon"}],
    }  # fmt: skip
    text = json.dumps(page).encode()
    sums = {name: {"sha256": hashlib.sha256(body).hexdigest(), "bytes": len(body)} for name, body in files.items()}
    manifest = {
        "format": 1, "image": IMAGE, "made_by": "test", "page": hashlib.sha256(text).hexdigest(), "files": sums,
    }  # fmt: skip
    whole = {f"files/{name}": body for name, body in files.items()}
    for name, body in {**whole, "page.json": text, "manifest.json": json.dumps(manifest).encode()}.items():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes(body)
    return copy


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings whose sessions live on loopback, on ports that are free."""
    names = (
        "public_port", "hub_api_port", "proxy_api_port", "portal_port", "gateway_port", "gateway_session_port",
        "identity_port",
    )  # fmt: skip
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    write_copy(tmp_path / "frontend", OURS)
    return Settings(
        instance="test", demo=True, state_dir=tmp_path / "state", session_subnets="127.0.0.0/8",
        session_image=IMAGE, frontend_dir=tmp_path / "frontend", **ports,
    )  # fmt: skip


@pytest.fixture
def route(settings: Settings) -> Route:
    """The session of the tests, as the gateway sees it."""
    return Route("s1", "alma", "heart", PREFIX, "127.0.0.1", 9999, settings.subdomain_url("alma"))


@dataclass
class Upstream:
    """A server that answers with `handler`, and keeps what it was asked."""

    port: int
    handler: Handler
    asked: list[web.BaseRequest] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)


async def _upstream(port: int) -> AsyncIterator[Upstream]:
    async def nothing(_request: web.BaseRequest) -> web.StreamResponse:
        return web.json_response({"version": "2.21.1"})

    here = Upstream(port, nothing)

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        here.asked.append(request)
        return await here.handler(request)

    runner = web.ServerRunner(web.Server(handle, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield here
    await runner.cleanup()


@pytest.fixture
async def container() -> AsyncIterator[Upstream]:
    """The session's container."""
    async for here in _upstream(free_ports(1)[0]):
        yield here


@pytest.fixture
async def hub(settings: Settings) -> AsyncIterator[Upstream]:
    """What stands where the hub's API would."""
    async for here in _upstream(settings.hub_api_port):
        yield here


def add_session(database: Database, container_port: int, **fields: object) -> None:
    """A row of a running session of alma's in heart."""
    with database.writing() as db:
        if db.get(Person, "alma") is None:
            db.add(Person(name="alma", full_name="Alma"))
            db.add(Project(name="heart", title="t", purpose="p", ethics_approval="e", state="active"))
            db.flush()
        values: dict[str, object] = {
            "id": "s1", "person_name": "alma", "project_name": "heart", "state": "running", "prefix": PREFIX,
            "network": "n", "subnet": "127.0.0.0/29", "address": "127.0.0.1", "port": container_port,
        }  # fmt: skip
        db.add(Session(**{**values, **fields}))


@dataclass
class Door:
    """The gateway under test, and a client before it."""

    settings: Settings
    database: Database
    log: AuditLog
    client: aiohttp.ClientSession
    stop: Callable[[], Awaitable[None]]

    @property
    def browser(self) -> str:
        """Address of the browser side."""
        return f"http://127.0.0.1:{self.settings.gateway_port}"

    @property
    def session(self) -> str:
        """Address of the session side."""
        return f"http://127.0.0.1:{self.settings.gateway_session_port}"

    @property
    def host(self) -> str:
        """Host name of the session's own origin."""
        return f"alma.workbench.localhost:{self.settings.public_port}"

    async def ask(
        self, below: str, method: str = "GET", headers: dict[str, str] | None = None, data: object = None
    ) -> tuple[aiohttp.ClientResponse, bytes]:
        """One request as the hub's proxy passes it on; the path is sent as it is written."""
        from yarl import URL

        url = URL(f"{self.browser}{PREFIX}{below}", encoded=True)
        async with self.client.request(
            method, url, headers={"Host": self.host, **(headers or {})}, data=data, allow_redirects=False
        ) as answer:
            return answer, await answer.read()

    async def recorded(self, kind: str = "gateway.refused") -> list[Event]:
        """The events, oldest first, once the gateway has written what it had to write."""
        await self.stop()
        with self.database.reading() as db:
            return list(reversed(self.log.read(db, kind=kind)))


@pytest.fixture
async def door(settings: Settings, database: Database, log: AuditLog, container: Upstream) -> AsyncIterator[Door]:
    """A running gateway with one running session."""
    add_session(database, container.port)
    context = running(settings, database, log)
    await context.__aenter__()
    stopped = False

    async def stop() -> None:
        nonlocal stopped
        if not stopped:
            stopped = True
            await context.__aexit__(None, None, None)

    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False) as client:
        yield Door(settings, database, log, client, stop)
        await stop()
