"""A portal with people, a project, an outbox and a hub that is played by two small classes."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database
from ngc_workbench.model import Approval, Dataset, Membership, Person, Project, Release, View, utcnow
from ngc_workbench.model import Session as WorkSession
from ngc_workbench.portal import create_app
from ngc_workbench.portal.auth import Visitor
from ngc_workbench.portal.hub import Status
from ngc_workbench.projects import folders
from ngc_workbench.sessions import traffic
from ngc_workbench.settings import Settings

BASE = "/services/portal/"
FUTURE = date(2100, 1, 1)
SAFE = "locus,p_value,beta\n1:1000,0.5,0.01\n1:2000,1e-9,0.4\n"


class PlayedAuth:
    """Believes the header `x-test-person`."""

    async def user(self, request: Request) -> Visitor | None:
        """Whoever the header or the cookie names."""
        name = request.headers.get("x-test-person") or request.cookies.get("test-person")
        return Visitor(name, f"csrf-of-{name}", f"token-of-{name}") if name else None

    def sign_in(self, _request: Request) -> Response:
        """To a hub that isn't there."""
        return RedirectResponse("http://hub.invalid/authorize", 302)

    async def callback(self, _request: Request) -> Response:
        """Back to the front page."""
        return RedirectResponse(BASE, 302)

    def sign_out(self, _request: Request) -> Response:
        """To a hub that isn't there."""
        return RedirectResponse("http://hub.invalid/logout", 303)


@dataclass
class PlayedSessions:
    """A hub on which a session runs as soon as it was started."""

    states: dict[tuple[str, str], Status] = field(default_factory=dict)

    async def all(self, visitor: Visitor) -> dict[str, Status]:
        """What was started."""
        return {project: status for (person, project), status in self.states.items() if person == visitor.name}

    async def start(self, visitor: Visitor, project: str) -> None:
        """Runs at once."""
        self.states[visitor.name, project] = Status("running", 100)

    async def stop(self, visitor: Visitor, project: str) -> None:
        """Is gone at once."""
        self.states.pop((visitor.name, project), None)

    async def close(self) -> None:
        """Forgets all."""
        self.states.clear()


@dataclass
class Office:
    """The running portal, and what stands behind it."""

    client: httpx.Client
    app: FastAPI
    settings: Settings
    database: Database
    log: AuditLog
    sessions: PlayedSessions

    def get(self, who: str, path: str = "", **headers: str):
        """A page, as `who`."""
        return self.client.get(BASE + path, headers={"x-test-person": who, **headers}, follow_redirects=False)

    def get_json(self, who: str, path: str = ""):
        """The same as JSON."""
        return self.get(who, path, Accept="application/json")

    def post(self, who: str, path: str, data: dict | None = None, *, csrf: str | None = None, **headers: str):
        """A form, with the person's token unless told otherwise."""
        fields = {"csrf": f"csrf-of-{who}" if csrf is None else csrf, **(data or {})}
        return self.client.post(
            BASE + path, data=fields, headers={"x-test-person": who, **headers}, follow_redirects=False
        )

    def post_json(self, who: str, path: str, data: dict | None = None, **headers: str):
        """The same, answered in JSON."""
        return self.post(who, path, data, Accept="application/json", **headers)

    def events(self, kind: str) -> list:
        """Events of a kind, newest first."""
        with self.database.reading() as db:
            return self.log.read(db, kind=kind, limit=1000)

    @property
    def outbox(self) -> Path:
        """Alma's outbox in heart."""
        return folders(self.settings, "heart", "alma").outbox

    def submitted(self, *names: str) -> dict:
        """A request of alma's whose checks are done."""
        made = self.post_json(
            "alma", "projects/heart/exports", {"files": list(names), "purpose": "table 2", "description": "effects"}
        )
        assert made.status_code == 201, made.text
        for _ in range(200):
            found = self.get_json("alma", f"exports/{made.json()['id']}").json()
            if found["state"] == "in_review":
                return found
            time.sleep(0.02)
        raise AssertionError("the checks did not end")

    def seen(self, who: str, request_id: str) -> str:
        """The digest on the checker's page."""
        page = self.get(who, f"review/{request_id}")
        assert page.status_code == 200, page.text
        return re.search(r'name="seen" value="([0-9a-f]{64})"', page.text)[1]

    def vote(self, who: str, request_id: str, choice: str = "approve", reason: str = "looked at all of it"):
        """Opens the review page and votes."""
        return self.post_json(
            who, f"review/{request_id}/vote", {"vote": choice, "reason": reason, "seen": self.seen(who, request_id)}
        )


def people(add: Callable[..., Person]) -> None:
    """The demo's people."""
    add("alma", "researcher", research_group="cardio", full_name="Alma Holm")
    add("bo", "researcher", research_group="cardio", full_name="Bo Lind")
    add("carl", "researcher", research_group="lungs", full_name="Carl Ø. Berg")
    add("sofie", "support_officer", research_group="", full_name="Sofie Dahl")
    add("karen", "custodian", research_group="", full_name="Karen Friis")
    add("oda", "output_checker", research_group="", full_name="Oda Winther")
    add("olav", "output_checker", research_group="", full_name="Olav Juhl")
    add("signe", "security_officer", research_group="", full_name="Signe Toft")


def furnish(settings: Settings, database: Database) -> None:
    """Project heart of alma and bo, with a view of 2,503 people; project lungs of carl; an outbox with two files."""
    with database.writing() as db:
        db.add(Dataset(name="kgp"))
        release = Release(dataset_name="kgp", name="2026-1", state="published")
        db.add(release)
        db.flush()
        heart = Project(
            name="heart", title="Height and the heart", purpose="hearts", ethics_approval="H-2026-1", state="active"
        )
        heart.members = [Membership(person_name="alma", lead=True), Membership(person_name="bo")]
        heart.approvals = [Approval(release_id=release.id, approved_by="sofie", valid_until=FUTURE)]
        lungs = Project(name="lungs", title="Lungs", purpose="lungs", ethics_approval="H-2026-2", state="active")
        lungs.members = [Membership(person_name="carl", lead=True)]
        db.add_all([heart, lungs])
        db.flush()
        db.add(
            View(
                project_name="heart",
                release_id=release.id,
                folder="kgp/2026-1/1",
                people=2503,
                variants=4000,
                digest="00",
            )
        )
        db.add(
            WorkSession(id="s1", person_name="alma", project_name="heart", state="running", prefix="/user/alma/heart/", network="ngc-test-x",
                        subnet="10.214.0.0/29")
        )  # fmt: skip
        db.flush()
        traffic.add(db, "s1", {"message": 1_000_000, "contents": 234_567}, utcnow())
    outbox = folders(settings, "heart", "alma").outbox
    outbox.mkdir(parents=True)
    (outbox / "table.csv").write_text(SAFE)
    (outbox / "people.csv").write_text("id,age\n" + "".join(f"person{n},{n % 80}\n" for n in range(60)))
    (outbox / "view.mt").mkdir()


@contextmanager
def served(app: FastAPI, listening: socket.socket) -> Iterator[None]:
    """Serves the application on an open socket."""
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, server_header=False))
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.005)
    yield
    server.should_exit = True
    thread.join(timeout=15)


@pytest.fixture
def office(
    settings: Settings, database: Database, log: AuditLog, add_person: Callable[..., Person]
) -> Iterator[Office]:
    """The portal, running."""
    people(add_person)
    furnish(settings, database)
    sessions = PlayedSessions()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        # The public address is this one, so that a real browser's forms come from the portal's own origin.
        settings = settings.model_copy(update={"public_port": port})
        app = create_app(settings, database, log, auth=PlayedAuth(), sessions=sessions)
        with (
            served(app, listening),
            httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client,
        ):
            yield Office(client, app, settings, database, log, sessions)
