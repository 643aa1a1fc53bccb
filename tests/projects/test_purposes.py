"""An approval is given only when the purpose fits the dataset's terms, and what a person judged is on record."""

from __future__ import annotations

import json
import os
from datetime import date

import pytest
from sqlalchemy import func, select

from ngc_workbench import projects
from ngc_workbench.audit import AuditEvent
from ngc_workbench.errors import InputError, Refused
from ngc_workbench.model import Approval, Dataset, Project, Release
from ngc_workbench.policy.purpose import Facts


@pytest.fixture
def provision(settings, database, log, add_person):
    """Provisions project heart for alma on cohort/r1, whose terms are given."""
    add_person("sofie", "support_officer")
    add_person("alma", "researcher")
    own = settings.model_copy(update={"session_uid": os.getuid()})
    with database.writing() as db:
        db.add(Dataset(name="cohort"))
        db.flush()
        db.add(Release(dataset_name="cohort", name="r1", state="published"))

    def run(terms, **change):
        with database.writing() as db:
            db.get_one(Dataset, "cohort").terms = terms
        order = {
            "actor": "sofie", "name": "heart", "title": "Hearts", "purpose": "Research", "ethics_approval": "EC-1", "members": ["alma"],
            "lead": "alma", "releases": [("cohort", "r1")], "valid_until": date(2100, 1, 1), **change,
        }  # fmt: skip
        with projects.recorded(database, log, actor="sofie", project="heart"), database.writing() as db:
            return projects.provision(db, log, own, **order)

    return run


@pytest.fixture
def granted(database):
    """The details of the events of approvals, with their decision and reason."""

    def read():
        with database.reading() as db:
            bodies = [json.loads(event.body) for event in db.scalars(select(AuditEvent).order_by(AuditEvent.seq))]
        return [body for body in bodies if body["kind"] == "approval.granted"]

    return read


def made(database):
    with database.reading() as db:
        return db.scalar(select(func.count()).select_from(Project)), db.scalar(
            select(func.count()).select_from(Approval)
        )


def test_a_purpose_that_does_not_fit_makes_nothing_and_is_recorded(provision, database, granted, settings):
    """The refusal stands in the audit log; no project, approval or folder does."""
    with pytest.raises(Refused) as refused:
        provision([{"term": "DUO:0000006"}], purpose_terms=[{"term": "DUO:0000033"}], accept_conditions="please")
    assert refused.value.reason == "purpose.refused"
    assert made(database) == (0, 0)
    assert not settings.projects_dir.exists()
    (event,) = granted()
    assert (event["decision"], event["reason"], event["project"]) == ("deny", "purpose.refused", "heart")


@pytest.mark.parametrize("words", ["", "  "])
def test_conditions_wait_for_a_person_s_words(provision, database, granted, words):
    """A dataset without terms gives no approval by itself."""
    with pytest.raises(Refused) as refused:
        provision([], purpose_terms=[{"term": "DUO:0000037"}], accept_conditions=words)
    assert refused.value.reason == "purpose.conditional"
    assert made(database) == (0, 0)
    assert [event["decision"] for event in granted()] == ["deny"]


def test_accepted_conditions_stand_beside_the_approval(provision, database, granted):
    """What was left to judgement, and what was said, are in the event."""
    provision([], purpose_terms=[{"term": "duo:0000037"}], accept_conditions="steering group, 3 May")
    assert made(database) == (1, 1)
    (event,) = granted()
    assert event["details"]["conditions_accepted"] == "steering group, 3 May"
    assert event["details"]["conditions"] == ["The dataset states no terms of use."]
    assert event["details"]["purpose"] == "purpose.conditional"


def test_a_purpose_that_fits_is_kept_with_the_project(provision, database, granted):
    """The terms are stored, the facts recorded; what nobody had to judge is not claimed to be accepted."""
    terms = [{"term": "DUO:0000006"}, {"term": "DUO:0000021"}, {"term": "DUO:0000022", "regions": ["EU"]}]
    provision(
        terms, purpose_terms=[{"term": "DUO:0000038"}], facts=projects.facts_from(["country=DK", "commercial=no"]),
        accept_conditions="not needed",
    )  # fmt: skip
    with database.reading() as db:
        assert db.get_one(Project, "heart").terms == [{"term": "DUO:0000038"}]
    (event,) = granted()
    assert event["details"]["purpose"] == "purpose.allowed"
    assert event["details"]["facts"] == ["commercial=no", "country=DK"]
    assert event["details"]["conditions_accepted"] == ""


@pytest.mark.parametrize(
    "terms",
    [
        [{"term": "DUO:0000042"}, {"term": "DUO:0000025", "until": "2099-12-31"}],
        [{"term": "DUO:0000042"}, {"term": "DUO:0000026", "persons": ["bo"]}],
        [{"term": "DUO:0000042"}, {"term": "DUO:0000027", "projects": ["brain"]}],
    ],
)
def test_the_project_s_own_facts_are_read_from_the_project(provision, terms):
    """Its members, its name and the end of its approval are what the terms are held against."""
    with pytest.raises(Refused) as refused:
        provision(terms, purpose_terms=[{"term": "DUO:0000037"}], accept_conditions="please")
    assert refused.value.reason == "purpose.refused"


def test_a_second_approval_is_held_against_the_terms_of_then(provision, database, log):
    """Terms that were tightened later count for whoever asks later."""
    provision([{"term": "DUO:0000042"}], purpose_terms=[{"term": "DUO:0000031"}])
    with database.writing() as db:
        db.get_one(Dataset, "cohort").terms = [{"term": "DUO:0000042"}, {"term": "DUO:0000015"}]
    with pytest.raises(Refused), database.writing() as db:
        projects.grant(
            db, log, actor="sofie", project=db.get_one(Project, "heart"), dataset="cohort", release="r1",
            valid_until=date(2100, 1, 1), reference="EC-2", cohort={}, accept_conditions="please",
        )  # fmt: skip


def test_a_use_that_the_law_rules_out_is_refused_on_record(provision, database, granted):
    """The vocabulary of purposes is closed."""
    with pytest.raises(Refused) as refused:
        provision([{"term": "DUO:0000004"}], purpose_terms=[{"term": "insurance"}], accept_conditions="please")
    assert refused.value.reason == "purpose.ruled_out"
    assert made(database) == (0, 0)
    assert granted()[0]["reason"] == "purpose.ruled_out"


@pytest.mark.parametrize("word", ["country", "country=", "commercial=maybe", "name=alma", "text=x", "until=2027-01-01"])
def test_a_fact_that_is_none_is_refused(word):
    """Facts are a closed list."""
    with pytest.raises(InputError):
        projects.facts_from([word])


def test_facts_are_read_as_typed():
    """Yes and no, and texts."""
    assert projects.facts_from(["non_profit=yes", "institution=RH"]) == Facts(non_profit=True, institution="RH")
