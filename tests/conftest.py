"""What all tests share: settings of an installation named `test`, its database and its audit log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database, upgrade
from ngc_workbench.model import Person
from ngc_workbench.settings import Settings

FUTURE = date(2100, 1, 1)
SUBSTANTIAL = "https://data.gov.dk/concept/core/nsis/loa/Substantial"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of an installation of the test's own, with ports and addresses apart from the demo's."""
    return Settings(
        instance="test",
        demo=True,
        state_dir=tmp_path / "state",
        public_port=18000,
        hub_api_port=18081,
        proxy_api_port=18001,
        portal_port=18010,
        gateway_port=18002,
        gateway_session_port=18003,
        identity_port=18020,
        session_subnets="10.214.0.0/16",
    )


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    """The installation's database, with the current schema."""
    opened = Database(settings.database)
    upgrade(opened)
    yield opened
    opened.close()


@pytest.fixture
def log(settings: Settings, database: Database) -> AuditLog:
    """The installation's audit log."""
    return AuditLog(settings.control_dir / "audit")


@pytest.fixture
def add_person(database: Database) -> Callable[..., Person]:
    """Stores a person who has proved everything; fields can be changed by name."""

    def add(name: str, *roles: str, **fields: object) -> Person:
        values = {
            "full_name": name.title(),
            "research_group": f"group-of-{name}",
            "assurance": SUBSTANTIAL,
            "methods": ["mfa"],
            "training_until": FUTURE,
            **fields,
        }
        person = Person(name=name, roles=list(roles), **values)
        with database.writing() as db:
            db.add(person)
        return person

    return add
