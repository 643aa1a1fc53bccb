"""From claims to a person."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from ngc_workbench import people
from ngc_workbench.audit import AuditEvent
from ngc_workbench.errors import InputError, Refused
from ngc_workbench.model import Person

CLAIMS = {
    "sub": "alma", "name": "Alma A", "roles": ["researcher", "emperor"], "research_group": "heart",
    "acr": "substantial", "amr": ["mfa"], "training_until": "2030-01-31",
}  # fmt: skip


def test_a_login_stores_what_was_proved_and_is_recorded(database, log):
    """Known roles, assurance, methods and training are stored; unknown roles are not."""
    with database.writing() as db:
        assert people.record_login(db, log, CLAIMS)
    with database.reading() as db:
        alma = people.get(db, "alma")
        assert (alma.roles, alma.assurance, alma.methods, alma.training_until) == (
            ["researcher"], "substantial", ["mfa"], date(2030, 1, 31),
        )  # fmt: skip
        assert "login.allowed" in db.scalars(select(AuditEvent.body)).all()[-1]


def test_a_role_that_the_provider_withdrew_is_gone_after_the_next_login(database, log):
    """Roles follow the claims, they don't add up."""
    with database.writing() as db:
        people.record_login(db, log, {**CLAIMS, "roles": ["researcher", "custodian"]})
        people.record_login(db, log, {**CLAIMS, "roles": ["researcher"]})
    with database.reading() as db:
        assert people.get(db, "alma").roles == ["researcher"]


@pytest.mark.parametrize("roles", [[], ["emperor"]])
def test_a_login_without_a_role_is_refused_and_recorded(database, log, roles):
    """Nobody gets in by merely having an account at the provider."""
    with database.writing() as db:
        decision = people.record_login(db, log, {**CLAIMS, "roles": roles})
    assert decision.reason == "login.no_role"
    with database.reading() as db:
        assert db.get(Person, "alma") is None
        assert "login.refused" in db.scalars(select(AuditEvent.body)).all()[-1]


def test_a_disabled_account_stays_out(database, log, add_person):
    """A disabled account can't log in, whatever its claims say."""
    add_person("alma", "researcher", disabled=True)
    with database.writing() as db:
        assert people.record_login(db, log, CLAIMS).reason == "person.disabled"


def test_a_name_that_stands_for_a_service_is_refused(database, log):
    """Nobody can appear in the log as the hub or the gateway."""
    with database.writing() as db:
        assert people.record_login(db, log, {**CLAIMS, "sub": "gateway"}).reason == "login.reserved_name"


@pytest.mark.parametrize(
    "wrong",
    [
        {"sub": "../etc"}, {"sub": "Alma"}, {"sub": ""}, {"sub": 7}, {"roles": "researcher"}, {"roles": [1]},
        {"amr": "mfa"}, {"acr": ["substantial"]}, {"training_until": "soon"}, {"training_until": 7}, {"name": "x" * 300},
    ],
)  # fmt: skip
def test_malformed_claims_store_nothing(database, log, wrong):
    """A claim of the wrong form is an error, not a guess."""
    with pytest.raises(InputError), database.writing() as db:
        people.record_login(db, log, {**CLAIMS, **wrong})
    with database.reading() as db:
        assert db.scalars(select(Person)).all() == []


def test_a_refused_command_is_recorded_even_though_it_raises(database, log, add_person):
    """`require` keeps the event of a refusal in a transaction of its own."""
    add_person("bo", "researcher")
    with pytest.raises(Refused):
        people.require(database, log, "bo", "genomes.ingest")
    with database.reading() as db:
        assert "command.refused" in db.scalars(select(AuditEvent.body)).all()[-1]
