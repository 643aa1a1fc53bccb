"""The ground where attacks work: JupyterHub with DockerSpawner as one gets it, on a network as Docker makes it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Self

import aiohttp
from playwright.sync_api import Frame, Page

from ngc_workbench.settings import Settings
from tests.attacks.grounds.ground import ATTACKER, NEIGHBOUR, Ground
from tests.attacks.grounds.person import Person
from tests.attacks.grounds.world import NAMES, World
from tests.benchmarks.plain_hub import Place, PlainHub

PLACE = Place(
    "attack",
    "ngc-plain-attack",
    "ngcplain1",
    "10.221.0.0/28",
    "10.221.0.1",
    18600,
    internal=False,
    dns=NAMES,
    limits=False,
)


class Plain(Ground):
    """A hub with two people whose servers run. Use as a context manager."""

    name = "plain"

    def __init__(self, world: World, settings: Settings, folder: Path) -> None:
        super().__init__(world)
        self.people: dict[str, Person] = {}
        self.hub = PlainHub(settings, folder, PLACE)

    def __enter__(self) -> Self:
        try:
            self.wait(self._start(), 300)
        except BaseException:
            self.__exit__()
            raise
        return self

    async def _start(self) -> None:
        await self.hub.__aenter__()
        for name in (ATTACKER, NEIGHBOUR):
            person = Person(name, f"{self.hub.url}/user/{name}/", f"{self.hub.url}/hub/")
            await person.open(aiohttp.CookieJar(unsafe=True))
            await self.hub.log_in(person.http, name)
            await self.hub.start(person.http, name)
            self.people[name] = person

    def __exit__(self, *_: object) -> None:
        async def stop() -> None:
            for person in self.people.values():
                await person.close()
            await self.hub.__aexit__(None, None, None)

        try:
            self.wait(stop(), 120)
        finally:
            self.close()

    def enter(self, page: Page) -> Frame:
        """JupyterLab in a window of its own."""
        page.goto(f"{self.hub.url}/hub/login")
        page.fill("input[name=username]", ATTACKER)
        page.fill("input[name=password]", self.hub.token)
        page.click("input[type=submit], button[type=submit]")
        page.goto(f"{self.hub.url}/user/{ATTACKER}/lab?reset")
        return page.main_frame

    @property
    def person(self) -> Person:
        """The attacker."""
        return self.people[ATTACKER]

    def container(self, person: str) -> str:
        """As the hub's configuration has it."""
        return f"ngc-plain-{PLACE.label}-{person}"

    def address(self, person: str) -> str:
        """As Docker gave it."""
        command = ["docker", "inspect", "--format", "{{json .NetworkSettings.Networks}}", self.container(person)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return str(json.loads(done.stdout)[PLACE.network]["IPAddress"])

    @property
    def host(self) -> str:
        """This machine on the bridge."""
        return PLACE.gateway
