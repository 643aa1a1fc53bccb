"""A project with a researcher, an outbox, and checkers near and far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from ngc_workbench.airlock import Wanted, run_checks, submit
from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database
from ngc_workbench.model import ExportRequest, Membership, Person, Project, utcnow
from ngc_workbench.projects import folders
from ngc_workbench.settings import Settings

SAFE = "locus,p_value,beta\n1:1000,0.5,0.01\n1:2000,1e-9,0.4\n"
PER_PERSON = "id,age\n" + "".join(f"person{number},{number % 80}\n" for number in range(60))


@dataclass
class Airlock:
    """The workbench around one request."""

    database: Database
    log: AuditLog
    settings: Settings

    @property
    def outbox(self) -> Path:
        """Alma's outbox in heart."""
        return folders(self.settings, "heart", "alma").outbox

    def write(self, **files: str) -> None:
        """Writes files into it; an underscore in the argument's name stands for the point."""
        for name, content in files.items():
            (self.outbox / name.replace("_", ".")).write_text(content)

    def submit(self, *names: str, person: str = "alma", project: str = "heart") -> ExportRequest:
        """Hands in files of the outbox."""
        return submit(
            self.database, self.log, self.settings, project=project, person=person,
            files=[Wanted(name, f"what {name} is") for name in names], purpose="a paper",
        )  # fmt: skip

    def in_review(self, *names: str) -> ExportRequest:
        """The same, and its checks are done."""
        request = self.submit(*names)
        return run_checks(self.database, self.log, self.settings, request.id)

    def kinds(self) -> list[str]:
        """Kinds of all recorded events, oldest first; refusals with their reason."""
        with self.database.reading() as db:
            events = self.log.read(db, limit=1000)
        return [
            f"{event.kind}:{event.reason}" if event.decision == "deny" else event.kind for event in reversed(events)
        ]

    def state(self, request_id: str) -> str:
        """The state of a request."""
        with self.database.reading() as db:
            found = db.get(ExportRequest, request_id)
            assert found is not None
            return found.state


@pytest.fixture
def airlock(database: Database, log: AuditLog, settings: Settings, add_person: Callable[..., Person]) -> Airlock:
    """Project heart with alma and bo; oda, olav and ole check; odin checks too but was once a member; otto is of alma's group."""
    add_person("alma", "researcher", research_group="cardio")
    add_person("bo", "researcher")
    for name in ("oda", "olav", "ole"):
        add_person(name, "output_checker", research_group="")
    add_person("odin", "output_checker")
    add_person("otto", "output_checker", research_group="cardio")
    with database.writing() as db:
        project = Project(name="heart", title="Heart", purpose="hearts", ethics_approval="H-1", state="active")
        project.members = [
            Membership(person_name="alma", lead=True),
            Membership(person_name="bo"),
            Membership(person_name="odin", until=utcnow()),
        ]
        db.add(project)
    made = Airlock(database, log, settings)
    made.outbox.mkdir(parents=True)
    made.write(table_csv=SAFE, people_csv=PER_PERSON)
    return made
