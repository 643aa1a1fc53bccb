"""The ground where attacks fail: a running installation, with two people of one project and a session each."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import docker
from playwright.sync_api import Frame, Page
from sqlalchemy import select

from ngc_workbench.model import Session
from ngc_workbench.sessions import warden
from ngc_workbench.sessions.runtime import Runtime
from tests.attacks.grounds.ground import ATTACKER, NEIGHBOUR, Ground
from tests.attacks.grounds.image import front_end
from tests.attacks.grounds.person import Person
from tests.attacks.grounds.world import World
from tests.benchmarks.installation import Installation

CONFIG = """
instance = "atk"
demo = true
state_dir = "{state}"
public_port = 18500
hub_api_port = 18581
proxy_api_port = 18501
portal_port = 18510
gateway_port = 18502
gateway_session_port = 18503
identity_port = 18520
session_subnets = "10.220.0.0/16"
session_image = "{image}"
frontend_dir = "{frontend}"
session_memory_mb = 3072
"""


class Here(Ground):
    """An installation of its own. Use as a context manager."""

    name = "here"

    def __init__(self, world: World, folder: Path, image: str) -> None:
        super().__init__(world)
        self.people: dict[str, Person] = {}
        self.site = Installation(
            folder,
            lambda _: None,
            CONFIG.replace("{image}", image).replace("{frontend}", str(front_end(image, folder))),
        )

    def __enter__(self) -> Self:
        try:
            self.wait(self._start(), 600)
        except BaseException:
            self.__exit__()
            raise
        return self

    async def _start(self) -> None:
        await self.site.__aenter__()
        settings = self.site.settings
        for name in (ATTACKER, NEIGHBOUR):
            browser = await self.site.stage.browser(name)
            await browser.start_session(self.site.project)
            person = Person(name, browser.session_url(self.site.project), f"{settings.public_url}/hub/")
            await person.open(browser.cookies)
            self.people[name] = person

    def __exit__(self, *_: object) -> None:
        async def stop() -> None:
            for person in self.people.values():
                await person.close()
            await self.site.__aexit__(None, None, None)

        try:
            self.wait(stop(), 300)
        finally:
            self.close()

    def enter(self, page: Page) -> Frame:
        """JupyterLab in the portal's frame."""
        settings = self.site.settings
        page.goto(settings.portal_url)
        page.locator(f"button[value={ATTACKER}]").click()
        page.wait_for_url(f"{settings.portal_url}**")
        page.goto(f"{settings.portal_url}projects/{self.site.project}/session")
        page.frame_locator("iframe[name=session]").get_by_role("button", name="New Launcher").first.wait_for()
        return next(frame for frame in page.frames if frame.name == "session")

    @property
    def person(self) -> Person:
        """The attacker."""
        return self.people[ATTACKER]

    def _session(self, person: str) -> Session:
        with self.site.stage.workbench.database.reading() as db:
            return db.scalars(select(Session).where(Session.person_name == person, Session.state == "running")).one()

    def container(self, person: str) -> str:
        """As the sessions' table has it."""
        return self._session(person).container

    def address(self, person: str) -> str:
        """As the sessions' table has it."""
        return self._session(person).address

    @property
    def host(self) -> str:
        """This machine on the attacker's own bridge: the address before the container's."""
        first, last = self.address(ATTACKER).rsplit(".", 1)
        return f"{first}.{int(last) - 1}"

    def newest(self) -> int:
        """Sequence number of the newest event."""
        return self.site.stage.last_event()

    def note_network(self) -> None:
        """Has written down what the firewall refused, as the warden does every 15 seconds: nobody wants to wait so often."""
        bench = self.site.stage.workbench
        warden.note_refusals(Runtime(bench.settings, bench.database, bench.log, docker.APIClient(version="auto")))

    def lacking(self, wanted: Mapping[tuple[str, str], int], patience_s: float) -> dict[tuple[str, str], int]:
        """How many of each are not in the audit log: kind of event, and a part of its reason or subject."""
        deadline = time.monotonic() + patience_s
        while True:
            lacks = {one: count - self.recorded(*one) for one, count in wanted.items()}
            lacks = {one: count for one, count in lacks.items() if count > 0}
            if not lacks or time.monotonic() > deadline:
                return lacks
            time.sleep(1)

    def recorded(self, kind: str, part: str, since: int = 0) -> int:
        """How often something was refused after event `since`.

        `part` is a reason of the gateway's, its beginning when it ends with a dot; of what the firewall noted, a part of the target.
        """
        count = 0
        for one in self.site.stage.events(kind, since):
            reason, subject = str(one.get("reason", "")), str(one.get("subject", ""))
            if kind == "network.refused":
                fits = part in subject
            else:
                fits = reason.startswith(part) if part.endswith(".") else reason == part
            count += int(one["details"].get("count", 1)) if fits else 0
        return count
