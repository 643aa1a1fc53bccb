"""Decisions to start and their records."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from ngc_workbench.errors import Refused, Unavailable
from ngc_workbench.model import Approval, Membership, Person, Project, Release, View, utcnow
from ngc_workbench.sessions import firewall, lifecycle
from ngc_workbench.sessions.runtime import Runtime
from tests.sites import Site, events, row

PREFIX = "/user/alma/heart/"


def change(runtime: Runtime, table: type, key: object, **fields: object) -> None:
    """Changes fields of one row."""
    with runtime.database.writing() as db:
        found = db.get(table, key)
        for name, value in fields.items():
            setattr(found, name, value)


def test_a_start_is_recorded_with_its_mounts(paper: Runtime, site: Site) -> None:
    """Row and event are there before anything is made, and name exactly the current view and the three folders."""
    begun = lifecycle.begin(paper, "alma", "heart", PREFIX)
    stored = row(paper, begun.session)
    assert (stored.state, stored.prefix, stored.address) == ("starting", PREFIX, str(begun.wanted.network.address))
    assert [mount.target for mount in begun.wanted.mounts] == [
        "/data/cohort/r1",
        "/project",
        "/home/researcher",
        "/outbox",
    ]
    assert [mount.view for mount in begun.wanted.mounts] == [site.view, None, None, None]
    (event,) = events(paper, "session.started")
    assert event.session == begun.session
    assert event.details["mounts"][0] == f"/data/cohort/r1 ro view={site.view} digest={'0' * 64}"


def end_membership(runtime: Runtime, site: Site) -> None:
    """Alma is no member any more."""
    with runtime.database.writing() as db:
        membership = db.query(Membership).filter_by(person_name="alma", project_name="heart").one()
        membership.until = utcnow()


CHANGES: dict[str, tuple[Callable[[Runtime, Site], None], str]] = {
    "membership ended": (end_membership, "project.not_a_member"),
    "approval withdrawn": (lambda r, s: change(r, Approval, s.approval, withdrawn=utcnow()), "approval.not_current"),
    "approval expired": (
        lambda r, s: change(r, Approval, s.approval, valid_until=date(2001, 1, 1)),
        "approval.not_current",
    ),
    "release withdrawn": (lambda r, _: change(r, Release, 1, state="withdrawn"), "approval.not_current"),
    "view retired": (lambda r, s: change(r, View, s.view, retired=utcnow()), "approval.not_current"),
    "project suspended": (lambda r, _: change(r, Project, "heart", state="suspended"), "project.not_active"),
    "training expired": (lambda r, _: change(r, Person, "alma", training_until=date(2001, 1, 1)), "training.missing"),
    "no second factor": (lambda r, _: change(r, Person, "alma", methods=["pwd"]), "login.mfa"),
    "low assurance": (lambda r, _: change(r, Person, "alma", assurance="low"), "login.assurance"),
    "disabled": (lambda r, _: change(r, Person, "alma", disabled=True), "person.disabled"),
    "no role": (lambda r, _: change(r, Person, "alma", roles=["custodian"]), "role.missing"),
}


@pytest.mark.parametrize(("alter", "reason"), CHANGES.values(), ids=CHANGES.keys())
def test_a_start_that_policy_refuses_is_recorded(
    paper: Runtime, site: Site, alter: Callable[[Runtime, Site], None], reason: str
) -> None:
    """One fact changed: refused with its reason, recorded, and no row of a session."""
    alter(paper, site)
    with pytest.raises(Refused) as raised:
        lifecycle.begin(paper, "alma", "heart", PREFIX)
    assert raised.value.reason == reason
    assert [(event.reason, event.project) for event in events(paper, "session.start_refused")] == [(reason, "heart")]
    assert lifecycle.current(paper, "alma", "heart") is None


@pytest.mark.parametrize("name", ["", "../brain", "Heart", "heart/../brain", "a" * 31])
def test_what_is_no_project_name_is_refused(paper: Runtime, site: Site, name: str) -> None:
    """The hub's default server, and anything that is not a slug."""
    with pytest.raises(Refused) as raised:
        lifecycle.begin(paper, "alma", name, PREFIX)
    assert raised.value.reason == "session.no_project"


def test_one_project_at_a_time(paper: Runtime, site: Site) -> None:
    """With a session in one project, another is refused: they would share a browser origin."""
    with paper.database.writing() as db:
        db.add(Project(name="lung", title="lung", purpose="research", ethics_approval="H-2", state="active"))
        db.flush()
        db.add(Membership(project_name="lung", person_name="alma"))
        db.add(Approval(project_name="lung", release_id=1, approved_by="sofie", valid_until=date(2100, 1, 1)))
        db.add(View(project_name="lung", release_id=1, folder="cohort-r1", people=0, variants=0, digest="1" * 64))
    first = lifecycle.begin(paper, "alma", "heart", PREFIX)
    with pytest.raises(Refused, match="session in heart already"):
        lifecycle.begin(paper, "alma", "lung", "/user/alma/lung/")
    lifecycle.finish(paper, first.session, "stopped.by_hub", actor="hub")
    assert lifecycle.begin(paper, "alma", "lung", "/user/alma/lung/").wanted.mounts[0].source.parent.name == "lung"


def test_what_a_crash_left_is_replaced(paper: Runtime, site: Site) -> None:
    """The hub starts a server only when it knows of none: the old row ends, and its address is not the next one's."""
    old = lifecycle.begin(paper, "alma", "heart", PREFIX)
    new = lifecycle.begin(paper, "alma", "heart", PREFIX)
    assert row(paper, old.session).stop_reason == "start.replaced"
    assert old.wanted.network.subnet != new.wanted.network.subnet


def test_no_firewall_no_session(paper: Runtime, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the check fails, nobody starts, and it is recorded."""

    def missing(_settings: object) -> None:
        raise Unavailable("The firewall around sessions is not installed.")

    monkeypatch.setattr(firewall, "check", missing)
    with pytest.raises(Unavailable, match="not installed"):
        lifecycle.begin(paper, "alma", "heart", PREFIX)
    assert [event.reason for event in events(paper, "firewall.refused")] == ["firewall.not_ours"]


def test_an_end_is_recorded_once(paper: Runtime, site: Site) -> None:
    """The first reason stands; a second end changes nothing."""
    begun = lifecycle.begin(paper, "alma", "heart", PREFIX)
    assert lifecycle.finish(paper, begun.session, "training.missing", actor="sessions", denied=True)
    assert not lifecycle.finish(paper, begun.session, "stopped.by_hub", actor="hub")
    assert [(event.reason, event.decision) for event in events(paper, "session.stopped")] == [
        ("training.missing", "deny")
    ]


@pytest.mark.docker
def test_a_forbidden_definition_leaves_nothing(here: Runtime, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Had something added a mount, the start ends before the container exists: recorded, and no network left."""
    from ngc_workbench.sessions import container

    made = container.definition

    def with_socket(*args: object) -> dict[str, object]:
        body = made(*args)
        body["HostConfig"]["Binds"] = ["/var/run/docker.sock:/x"]
        return body

    monkeypatch.setattr(container, "definition", with_socket)
    begun = lifecycle.begin(here, "alma", "heart", PREFIX)
    with pytest.raises(Refused):
        lifecycle.launch(here, begun, {})
    assert [event.reason for event in events(here, "session.start_refused")] == ["definition.HostConfig.Binds"]
    assert here.docker.networks(names=[begun.wanted.network.name]) == []
    assert row(here, begun.session).state == "stopped"
