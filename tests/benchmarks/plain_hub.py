"""Starts, drives and stops the peer of session starts: a plain hub, and one person's browser at it."""

from __future__ import annotations

import asyncio
import os
import secrets
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
import docker
from docker.types import IPAMConfig, IPAMPool

from ngc_workbench.cli.demo.client import forms
from ngc_workbench.cli.stack import node_binary
from ngc_workbench.settings import ROOT, Settings

PERSON = "peer"


@dataclass(frozen=True)
class Place:
    """Names and addresses of a plain hub. `bridge` is not below any installation's prefix: no firewall of ours is in its way.

    `internal`: its network has no way out. `dns` is the name server that Docker's resolver asks; empty: this machine's.
    """

    label: str
    network: str
    bridge: str
    subnet: str
    gateway: str
    port: int
    internal: bool = True
    dns: str = ""
    limits: bool = True


BENCH = Place("bench", "ngc-plain-hub", "ngcplain0", "10.216.0.0/28", "10.216.0.1", 19100)


def remove_leftovers(place: Place = BENCH) -> None:
    """Takes away containers and the network of an earlier run that was killed."""
    client = docker.from_env()
    own = {"label": f"ngc-workbench={place.label}"}
    for container in client.containers.list(all=True, filters=own, ignore_removed=True):
        container.remove(force=True, v=True)
    for network in client.networks.list(names=[place.network]):
        network.remove()
    client.close()


class PlainHub:
    """The running peer. Use as an async context manager."""

    def __init__(self, settings: Settings, folder: Path, place: Place = BENCH) -> None:
        """`settings` give image, memory and processors: the same as for our sessions."""
        self.settings = settings
        self.place = place
        self.folder = folder
        self.token = secrets.token_hex(16)
        self.url = f"http://127.0.0.1:{place.port}"

    async def __aenter__(self) -> Self:
        place = self.place
        remove_leftovers(place)
        client = docker.from_env()
        client.networks.create(
            place.network, internal=place.internal, labels={"ngc-workbench": place.label},
            options={"com.docker.network.bridge.name": place.bridge},
            ipam=IPAMConfig(pool_configs=[IPAMPool(subnet=place.subnet, gateway=place.gateway)]),
        )  # fmt: skip
        client.close()
        environment = {
            **os.environ,
            "BENCH_PORT": str(place.port),
            "BENCH_HUB_PORT": str(place.port + 1),
            "BENCH_PROXY_PORT": str(place.port + 2),
            "PATH": os.pathsep.join([str(ROOT / ".venv" / "bin"), os.environ.get("PATH", "")]),
            "BENCH_NODE": node_binary(),
            "BENCH_PROXY": str(ROOT / "build/node/node_modules/configurable-http-proxy/bin/configurable-http-proxy"),
            "BENCH_HUB_ADDRESS": place.gateway,
            "BENCH_TOKEN": self.token,
            "BENCH_NETWORK": place.network,
            "BENCH_LABEL": place.label,
            "BENCH_DNS": place.dns,
            "BENCH_IMAGE": self.settings.researcher_image,
            "BENCH_MEMORY_MB": str(self.settings.session_memory_mb if place.limits else 0),
            "BENCH_CPUS": str(self.settings.session_cpus if place.limits else 0),
        }
        config = Path(__file__).with_name("plain_hub_config.py")
        with (self.folder / "plain-hub.log").open("wb") as log:
            self.process = subprocess.Popen(  # noqa: ASYNC220  (started once, before anything is measured)
                [sys.executable, "-m", "jupyterhub", "-f", str(config)],
                cwd=self.folder, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        self.http = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        await self._ready()
        await self.log_in(self.http, PERSON)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.http.close()
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        remove_leftovers(self.place)

    async def _ready(self) -> None:
        for _ in range(600):
            if self.process.poll() is not None:
                break
            try:
                async with self.http.get(f"{self.url}/hub/health") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)
        raise RuntimeError(f"the plain hub did not start: {self._log()}")

    def _log(self) -> str:
        return (self.folder / "plain-hub.log").read_text(encoding="utf-8", errors="replace")[-2000:]

    async def log_in(self, http: aiohttp.ClientSession, person: str) -> None:
        """Signs somebody in, whatever their name. Raises RuntimeError."""
        async with http.get(f"{self.url}/hub/login") as page:
            form = next(form for form in forms(await page.text()) if form.method == "post")
        fields = {**form.fields, "username": person, "password": self.token}
        async with http.post(f"{self.url}/hub/login", data=fields, allow_redirects=False) as answer:
            if answer.status != 302:
                raise RuntimeError(f"log-in at the plain hub failed: {answer.status} {await answer.text()}"[:500])

    async def _api(self, method: str, path: str) -> tuple[int, Any]:
        headers = {"Authorization": f"token {self.token}"}
        async with self.http.request(method, f"{self.url}/hub/api/{path}", headers=headers) as answer:
            return answer.status, await answer.json() if answer.content_type == "application/json" else None

    async def start(self, http: aiohttp.ClientSession | None = None, person: str = PERSON) -> float:
        """Starts a person's server and waits until JupyterLab's page answers; gives the seconds it took.

        `http` is their browser.
        """
        began = time.monotonic()
        status, told = await self._api("POST", f"users/{person}/server")
        if status not in (201, 202):
            raise RuntimeError(f"the plain hub refused the start: {status} {told}")
        while time.monotonic() - began < 120:
            _, user = await self._api("GET", f"users/{person}")
            if user["servers"].get("", {}).get("ready"):
                # As the browser does, with its sign-in hop through the hub.
                async with (http or self.http).get(f"{self.url}/user/{person}/lab") as page:
                    if page.status == 200 and page.url.path.startswith(f"/user/{person}/lab"):
                        return time.monotonic() - began
            await asyncio.sleep(0.1)
        raise RuntimeError(f"the peer's session was not ready after 120 s: {self._log()}")

    async def stop(self) -> None:
        """Stops the server and waits until it is gone."""
        await self._api("DELETE", f"users/{PERSON}/server")
        for _ in range(600):
            _, user = await self._api("GET", f"users/{PERSON}")
            if not user["servers"]:
                return
            await asyncio.sleep(0.1)
        raise RuntimeError("the peer's session did not stop")
