"""Fixtures for rooms that deal with sessions: an approved project, its installation, and a hostile process in a real session.

A room's conftest imports what it needs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from docker import APIClient
from docker.errors import NotFound
from sqlalchemy import select

from ngc_workbench.audit import AuditLog, Event
from ngc_workbench.database import Database
from ngc_workbench.model import Approval, Dataset, Membership, Person, Project, Release, Session, View, utcnow
from ngc_workbench.projects import make_folders
from ngc_workbench.sessions import firewall, lifecycle, network
from ngc_workbench.sessions.lifecycle import Begun
from ngc_workbench.sessions.runtime import Runtime
from ngc_workbench.settings import Settings

FUTURE = date(2100, 1, 1)


@dataclass(frozen=True)
class Site:
    """Names and ids of what was stored."""

    project: str
    other: str
    view: int
    approval: int


@pytest.fixture
def site(settings: Settings, database: Database, add_person: Callable[..., Person]) -> Site:
    """Project `heart` (alma leads, bo is a member) may use release cohort/r1; `brain` is carl's and may use nothing yet."""
    for name in ("alma", "bo", "carl"):
        add_person(name, "researcher")
    add_person("sofie", "support_officer")
    folder = settings.views_dir / "heart" / "cohort-r1"
    folder.mkdir(parents=True)
    (folder / "phenotypes.tsv").write_text("id\theight\n")
    # Its rights would let anybody write: what stops a session is the mount alone.
    folder.chmod(0o777)
    (folder / "phenotypes.tsv").chmod(0o666)
    with database.writing() as db:
        db.add(Dataset(name="cohort"))
        db.flush()
        release = Release(dataset_name="cohort", name="r1", state="published", published=utcnow())
        db.add(release)
        for project, people in (("heart", ("alma", "bo")), ("brain", ("carl",))):
            db.add(Project(name=project, title=project, purpose="research", ethics_approval="H-1", state="active"))
            db.flush()
            db.add_all(
                Membership(project_name=project, person_name=person, lead=person == people[0]) for person in people
            )
            for person in people:
                make_folders(settings, project, person)
        db.flush()
        approval = Approval(project_name="heart", release_id=release.id, approved_by="sofie", valid_until=FUTURE)
        view = View(
            project_name="heart", release_id=release.id, folder="cohort-r1", people=0, variants=0, digest="0" * 64
        )
        db.add_all([approval, view])
        db.flush()
        return Site("heart", "brain", view.id, approval.id)


class FakeEngine:
    """Stands in for Docker where a test is about decisions and records alone: no networks, no containers."""

    def networks(self, **_: Any) -> list[Any]:
        """None."""
        return []

    def containers(self, **_: Any) -> list[Any]:
        """None."""
        return []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def gone(*_args: Any, **_kwargs: Any) -> Any:
            raise NotFound(f"nothing here to {name}")

        return gone


@pytest.fixture
def paper(settings: Settings, database: Database, log: AuditLog, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    """An installation whose Engine is empty and whose firewall is taken to stand: for decisions and records."""
    monkeypatch.setattr(firewall, "check", lambda _settings: None)
    monkeypatch.setenv("NGC_SESSION_IMAGE", "sha256:" + "0" * 64)
    return Runtime(settings.model_copy(update={"session_image": "sha256:" + "0" * 64}), database, log, FakeEngine())


class IdleEngine(APIClient):
    """Docker, but a session's container sleeps in place of serving JupyterLab: a hostile process is run in it by the test."""

    def create_container_from_config(
        self, config: dict[str, Any], name: str | None = None, platform: str | None = None
    ) -> Any:
        """The same definition, with another command."""
        return super().create_container_from_config({**config, "Cmd": ["sleep", "infinity"]}, name, platform)


@pytest.fixture
def here(settings: Settings, database: Database, log: AuditLog) -> Iterator[Runtime]:
    """A real installation: firewall in place, Docker answering. All that it made is taken away at the end."""
    runtime = Runtime(settings, database, log, IdleEngine(version="auto", timeout=60))
    firewall.install(settings)
    yield runtime
    labels = {"label": [f"{network.LABEL}={settings.instance}", network.SESSION_LABEL]}
    left = {item["Labels"][network.SESSION_LABEL] for item in runtime.docker.containers(all=True, filters=labels)}
    left |= {item["Labels"][network.SESSION_LABEL] for item in network.ours(runtime.docker, settings)}
    for session in left:
        lifecycle.remove(runtime, session, grace_s=0)
    firewall.remove(settings)
    runtime.docker.close()


@dataclass(frozen=True)
class Hostile:
    """A process in a session, with the rights that a researcher has there."""

    runtime: Runtime
    begun: Begun

    @property
    def gateway(self) -> str:
        """This machine's address on the session's bridge."""
        return str(self.begun.wanted.network.gateway)

    @property
    def address(self) -> str:
        """The session's own address."""
        return str(self.begun.wanted.network.address)

    def run(self, code: str) -> Any:
        """Runs Python there; gives the value that its last line printed as JSON."""
        client = self.runtime.docker
        made = client.exec_create(self.begun.wanted.network.name, ["/opt/workbench/bin/python", "-c", _HELPERS + code])
        out = client.exec_start(made["Id"]).decode()
        assert client.exec_inspect(made["Id"])["ExitCode"] == 0, out
        return json.loads(out.strip().splitlines()[-1])

    def reaches(self, host: str, port: int, protocol: str = "tcp") -> str:
        """`reached`, or the name of the error."""
        return str(self.run(f"print(json.dumps(reach({host!r}, {port}, {protocol!r})))"))


_HELPERS = """
import errno, json, os, socket, sys
def reach(host, port, protocol='tcp'):
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM if protocol == 'tcp' else socket.SOCK_DGRAM) as s:
            s.settimeout(2)
            s.connect((host, port))
            if protocol == 'udp':
                s.send(b'leak')
                s.recv(16)
            return 'reached'
    except OSError as error:
        return errno.errorcode.get(error.errno, type(error).__name__)
def attempt(action):
    try:
        action()
        return 'done'
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
"""


@pytest.fixture
def enter(here: Runtime, site: Site) -> Callable[..., Hostile]:
    """Starts a session for a person and gives a process in it."""

    def start(person: str = "alma", project: str = site.project) -> Hostile:
        begun = lifecycle.begin(here, person, project, f"/user/{person}/{project}/")
        lifecycle.launch(here, begun, {"JUPYTERHUB_API_TOKEN": "not-a-real-token"})
        return Hostile(here, begun)

    return start


def events(runtime: Runtime, kind: str) -> list[Event]:
    """The recorded events of a kind, oldest first."""
    with runtime.database.reading() as db:
        return [*reversed(runtime.log.read(db, kind=kind, limit=1000))]


def row(runtime: Runtime, session: str) -> Session:
    """The session's row as it is now."""
    with runtime.database.reading() as db:
        return db.scalars(select(Session).where(Session.id == session)).one()
