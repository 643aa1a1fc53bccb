"""Provisioning, and the facts on which a session is decided."""

from __future__ import annotations

import os
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from ngc_workbench import projects
from ngc_workbench.errors import Conflict, InputError, NotFound, Refused
from ngc_workbench.model import Dataset, Project, Release, View, utcnow
from ngc_workbench.pseudonyms.providers import FileProvider

TODAY = date(2026, 11, 25)


@pytest.fixture
def release(database):
    """A published release."""
    with database.writing() as db:
        db.add(Dataset(name="cohort"))
        db.flush()
        db.add(Release(dataset_name="cohort", name="r1", state="published"))


@pytest.fixture
def order(settings, add_person, release):
    """A correct order for `projects.provision`."""
    add_person("sofie", "support_officer")
    add_person("alma", "researcher")
    add_person("bo", "researcher")
    own = settings.model_copy(update={"session_uid": os.getuid()})
    return {
        "settings": own, "actor": "sofie", "name": "heart", "title": "Hearts", "purpose": "Research", "ethics_approval": "EC-1",
        "members": ["alma", "bo"], "lead": "alma", "releases": [("cohort", "r1")], "valid_until": date(2100, 1, 1),
        "accept_conditions": "judged by the steering group",
    }  # fmt: skip


def provision(database, log, order, **change):
    with database.writing() as db:
        return projects.provision(db, log, **{**order, **change})


def test_a_provisioned_project_has_folders_for_its_members(database, log, order):
    """Members get a home and an outbox of their own, and share one folder."""
    provision(database, log, order)
    alma, bo = (projects.folders(order["settings"], "heart", name) for name in ("alma", "bo"))
    assert alma.shared == bo.shared
    assert len({alma.home, bo.home, alma.outbox, bo.outbox}) == 4
    assert all(folder.is_dir() for folder in (alma.shared, alma.home, alma.outbox, bo.home, bo.outbox))


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"name": "../heart"}, InputError),
        ({"lead": "carl"}, InputError),
        ({"members": ["alma", "nobody"]}, NotFound),
        ({"members": ["alma", "sofie"]}, InputError),
        ({"releases": []}, InputError),
        ({"releases": [("cohort", "r2")]}, NotFound),
        ({"valid_until": date(2000, 1, 1)}, InputError),
        ({"ethics_approval": " "}, InputError),
        ({"purpose": ""}, InputError),
    ],
)
def test_a_wrong_order_makes_nothing(database, log, order, change, error):
    """A refused order leaves no project, no approval and no event behind."""
    with pytest.raises(error):
        provision(database, log, order, **change)
    with database.reading() as db:
        assert db.scalar(select(func.count()).select_from(Project)) == 0


def test_a_name_is_given_once(database, log, order):
    """A second project of the same name is refused."""
    provision(database, log, order)
    with pytest.raises(Conflict):
        provision(database, log, order)


def test_views_are_those_of_current_grants_only(database, log, order):
    """A view is mounted only while its approval counts; a retired view never is."""
    provision(database, log, order)
    with database.writing() as db:
        db.add(
            View(project_name="heart", release_id=1, folder="old", people=1, variants=1, digest="d", retired=utcnow())
        )
        db.add(View(project_name="heart", release_id=1, folder="new", people=1, variants=1, digest="d"))
    with database.reading() as db:
        assert [view.folder for view in projects.session_facts(db, "alma", "heart", TODAY).views] == ["new"]
        late = projects.session_facts(db, "alma", "heart", date(2100, 1, 2))
        assert late.views == ()
    with database.writing() as db:
        projects.withdraw_approval(db, log, actor="sofie", name="heart", dataset="cohort", release="r1", reason="test")
    with database.reading() as db:
        assert projects.session_facts(db, "alma", "heart", TODAY).views == ()


def test_a_retired_view_is_mounted_by_nobody(database, log, order):
    """A view that was retired and not replaced leaves the project without data, not with the old one."""
    provision(database, log, order)
    with database.writing() as db:
        db.add(View(project_name="heart", release_id=1, folder="v", people=1, variants=1, digest="d", retired=utcnow()))
    with database.reading() as db:
        assert projects.session_facts(db, "alma", "heart", TODAY).views == ()


def test_a_member_who_left_is_no_member(database, log, order):
    """A membership that ended counts no more, at once."""
    provision(database, log, order)
    with database.writing() as db:
        projects.end_membership(db, log, actor="sofie", name="heart", person="bo", reason="left")
    with database.reading() as db:
        assert not projects.session_facts(db, "bo", "heart", TODAY).applicant.member
        assert projects.session_facts(db, "alma", "heart", TODAY + timedelta(days=1)).applicant.member


def test_somebody_unknown_and_an_unknown_project_give_facts_that_refuse(database):
    """Facts about nobody and nothing are those of a disabled stranger."""
    with database.reading() as db:
        facts = projects.session_facts(db, "nobody", "nothing", TODAY)
    assert facts.applicant.disabled
    assert facts.project_state is None


def test_a_closed_project_does_not_come_back(database, log, order):
    """Moves outside the table are refused."""
    provision(database, log, order)
    with database.writing() as db:
        projects.change_state(db, log, actor="sofie", name="heart", target="closed", reason="done")
    with pytest.raises(Refused), database.writing() as db:
        projects.change_state(db, log, actor="sofie", name="heart", target="active", reason="no")


def test_a_project_begins_with_the_newest_version_of_the_key(database, log, order):
    """And stays with it when another comes: its pseudonyms are for life."""
    settings = order["settings"]
    assert provision(database, log, order).key_version == 1
    keys = FileProvider(settings.custody_dir)
    keys.add(bytes(range(32)), keys.read())
    assert provision(database, log, order, name="brain").key_version == 2
    with database.reading() as db:
        assert db.get_one(Project, "heart").key_version == 1
