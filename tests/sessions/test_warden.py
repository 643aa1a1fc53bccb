"""The warden: running sessions end within its rounds when what they were started on no longer holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from docker.errors import NotFound
from sqlalchemy import select

from ngc_workbench.errors import Unavailable
from ngc_workbench.genomes import replaced
from ngc_workbench.model import Approval, Person, Project, Release, View, utcnow
from ngc_workbench.sessions import firewall, lifecycle, pause, warden
from ngc_workbench.sessions.runtime import Runtime
from tests.sites import FUTURE, FakeEngine, Hostile, Site, events, row


class RecordingHub:
    """Notes which servers the warden asks it to stop."""

    def __init__(self) -> None:
        self.stopped: list[tuple[str, str]] = []

    def stop(self, person: str, project: str) -> None:
        """One call."""
        self.stopped.append((person, project))


def test_nothing_changed_nothing_ends(paper: Runtime, site: Site) -> None:
    """A session whose facts still hold goes on."""
    begun = lifecycle.begin(paper, "alma", "heart", "/user/alma/heart/")
    assert warden.review(paper, None) == []
    assert row(paper, begun.session).state == "starting"


def test_lost_training_ends_a_session(paper: Runtime, site: Site) -> None:
    """The record says why, the gateway's table is changed in the same transaction, and the hub is told."""
    begun = lifecycle.begin(paper, "alma", "heart", "/user/alma/heart/")
    with paper.database.writing() as db:
        db.get(Person, "alma").training_until = None
    hub = RecordingHub()
    assert warden.review(paper, hub) == [begun.session]
    assert (row(paper, begun.session).state, row(paper, begun.session).stop_reason) == ("stopped", "training.missing")
    assert [(event.reason, event.decision) for event in events(paper, "session.stopped")] == [
        ("training.missing", "deny")
    ]
    assert hub.stopped == [("alma", "heart")]


def renew(paper: Runtime, view: int, ends: datetime | None, folder: str = "cohort-r1-2") -> int:
    """Retires a view for a new one, as building one does; sessions are told their end, unless it is None."""
    with paper.database.writing() as db:
        old = db.get(View, view)
        old.retired = utcnow()
        new = View(
            project_name="heart", release_id=old.release_id, folder=folder, people=0, variants=0, digest="2" * 64
        )
        db.add(new)
        if ends is not None:
            replaced.tell_sessions(db, paper.log, [old], ends=ends, actor="sofie")
        db.flush()
        return new.id


def test_a_refreshed_view_ends_sessions_of_the_old_one(paper: Runtime, site: Site) -> None:
    """Of one that was told nothing at once: whoever mounts the old view is stopped, though they may start again."""
    begun = lifecycle.begin(paper, "alma", "heart", "/user/alma/heart/")
    renew(paper, site.view, None)
    assert warden.review(paper, None) == [begun.session]
    assert row(paper, begun.session).stop_reason == "view.not_current"
    lifecycle.begin(paper, "alma", "heart", "/user/alma/heart/")


def test_a_session_that_was_told_goes_on_until_its_end(
    paper: Runtime, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the old view, though another refresh came meanwhile; then it ends, and one started since goes on."""
    begun = lifecycle.begin(paper, "alma", "heart", "/user/alma/heart/")
    ends = utcnow() + timedelta(minutes=60)
    second = renew(paper, site.view, ends)
    later = lifecycle.begin(paper, "bo", "heart", "/user/bo/heart/")
    renew(paper, second, ends + timedelta(minutes=30), "cohort-r1-3")
    for one in (begun, later):
        lifecycle._running(paper, one)
    assert warden.review(paper, None) == []
    assert [row(paper, one.session).ends for one in (begun, later)] == [ends, ends + timedelta(minutes=30)]
    monkeypatch.setattr(warden, "utcnow", lambda: ends - timedelta(seconds=1))
    assert warden.review(paper, None) == []
    monkeypatch.setattr(warden, "utcnow", lambda: ends)
    assert warden.review(paper, None) == [begun.session]
    assert row(paper, begun.session).stop_reason == "view.replaced"
    assert [(event.reason, event.decision) for event in events(paper, "session.stopped")] == [("view.replaced", "deny")]


def spoil(paper: Runtime, site: Site, what: str) -> None:
    """Takes away what a session stands on."""
    with paper.database.writing() as db:
        if what == "approval":
            db.get(Approval, site.approval).withdrawn = utcnow()
        elif what == "release":
            db.scalars(select(Release)).one().state = "withdrawn"
        elif what == "view":
            for view in db.scalars(select(View).where(View.retired.is_(None))):
                view.retired = utcnow()
        elif what == "project":
            db.get(Project, "heart").state = "suspended"
        else:
            db.get(Person, "alma").training_until = None


@pytest.mark.parametrize("what", ["approval", "release", "view", "project", "training"])
def test_the_time_to_save_work_is_for_replaced_views_alone(paper: Runtime, site: Site, what: str) -> None:
    """An approval or release withdrawn, a view retired without a new one: the session ends at once, told or not."""
    begun = lifecycle.begin(paper, "alma", "heart", "/user/alma/heart/")
    renew(paper, site.view, utcnow() + timedelta(minutes=60))
    assert warden.review(paper, None) == []
    spoil(paper, site, what)
    assert warden.review(paper, None) == [begun.session]
    assert row(paper, begun.session).stop_reason != "view.replaced"


@pytest.mark.parametrize("what", ["release", "view", "approval"])
def test_one_of_several_releases_withdrawn_ends_the_session(paper: Runtime, site: Site, what: str) -> None:
    """The other release is mounted by right; the session ends all the same, also when it was told of a later end."""
    with paper.database.writing() as db:
        other = Release(dataset_name="cohort", name="r2", state="published", published=utcnow())
        db.add(other)
        db.flush()
        approval = Approval(project_name="heart", release_id=other.id, approved_by="sofie", valid_until=FUTURE)
        view = View(
            project_name="heart", release_id=other.id, folder="cohort-r2", people=0, variants=0, digest="3" * 64
        )
        db.add_all([approval, view])
        db.flush()
        ids = other.id, approval.id, view.id
    begun = lifecycle.begin(paper, "alma", "heart", "/user/alma/heart/")
    assert {mount["view"] for mount in row(paper, begun.session).mounts} >= {site.view, ids[2]}
    renew(paper, site.view, utcnow() + timedelta(minutes=60))
    assert warden.review(paper, None) == []
    with paper.database.writing() as db:
        if what == "release":
            db.get(Release, ids[0]).state = "withdrawn"
        elif what == "approval":
            db.get(Approval, ids[1]).withdrawn = utcnow()
        else:
            db.get(View, ids[2]).retired = utcnow()
    assert warden.review(paper, None) == [begun.session]
    assert row(paper, begun.session).stop_reason == "view.not_current"


def test_a_dead_container_ends_its_session(paper: Runtime, site: Site) -> None:
    """A row that says running, and no container: stopped, with what is known."""
    begun = lifecycle.begin(paper, "alma", "heart", "/user/alma/heart/")
    lifecycle._running(paper, begun)
    assert warden.bury(paper, None) == [begun.session]
    assert row(paper, begun.session).stop_reason == "container.ended"


def test_all_sessions_end_when_the_firewall_can_not_be_put_back(
    paper: Runtime, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No firewall, no sessions: not new ones, and not those that run."""
    begun = lifecycle.begin(paper, "alma", "heart", "/user/alma/heart/")

    def broken(_settings: object) -> None:
        raise Unavailable("The firewall around sessions is not installed.")

    monkeypatch.setattr(firewall, "check", broken)
    monkeypatch.setattr(firewall, "install", broken)
    warden.keep_firewall(paper, None)
    assert row(paper, begun.session).stop_reason == "firewall.not_ours"


def test_one_part_that_fails_does_not_stop_the_others(
    paper: Runtime, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A round goes on; the head of the audit log is signed all the same."""

    def broken(*_: object) -> None:
        raise Unavailable("no answer")

    lifecycle.begin(paper, "alma", "heart", "/user/alma/heart/")
    for part in ("review", "bury", "sweep", "note_refusals"):
        monkeypatch.setattr(warden, part, broken)
    warden.one_round(paper, None)
    assert (paper.settings.control_dir / "audit").is_dir()
    with paper.database.reading():
        assert paper.log.heads_file.exists()


@pytest.mark.docker
def test_a_stopped_session_is_taken_away(enter: Callable[..., Hostile]) -> None:
    """A real container whose person lost the role: gone with its network after one round."""
    hostile = enter()
    runtime = hostile.runtime
    with runtime.database.writing() as db:
        db.get(Person, "alma").roles = []
    warden.one_round(runtime, None)
    assert runtime.docker.containers(all=True, filters={"name": hostile.begun.wanted.network.name}) == []
    assert runtime.docker.networks(names=[hostile.begun.wanted.network.name]) == []


@pytest.mark.docker
def test_leftovers_are_swept(enter: Callable[..., Hostile], monkeypatch: pytest.MonkeyPatch) -> None:
    """A container that nobody knows of is removed; one that runs by right is not."""
    monkeypatch.setattr(warden, "SWEEP_AFTER_S", 0)
    kept, lost = enter("bo"), enter("alma")
    lifecycle.finish(lost.runtime, lost.begun.session, "stopped.by_hub", actor="hub")
    assert warden.sweep(lost.runtime) == [lost.begun.session]
    assert kept.run("print(json.dumps('alive'))") == "alive"


class OneContainer(FakeEngine):
    """An Engine that has one container until it is removed."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.there = True

    def inspect_container(self, name: str) -> dict[str, object]:
        """Frozen, and so running, as Docker has it."""
        if name != self.name or not self.there:
            raise NotFound("gone")
        return {"State": {"Running": True, "Paused": True}}

    def remove_container(self, name: str, **_: object) -> None:
        """Gone."""
        self.there = self.there and name != self.name

    def __getattr__(self, name: str) -> Callable[..., object]:
        return lambda *_, **__: None


def held(paper: Runtime) -> str:
    """A session that a security officer paused."""
    begun = lifecycle.begin(paper, "alma", "heart", "/user/alma/heart/")
    lifecycle._running(paper, begun)
    with paper.database.writing() as db:
        pause.pause(db, paper.log, session=begun.session, actor="signe", reason="a look at what runs there")
    return begun.session


@pytest.mark.parametrize("what", ["approval", "release", "view", "project", "training"])
def test_policy_ends_a_paused_session_as_a_running_one(paper: Runtime, site: Site, what: str) -> None:
    """Its pause stands all the same."""
    session = held(paper)
    assert warden.review(paper, None) == []
    spoil(paper, site, what)
    assert warden.review(paper, None) == [session]
    assert row(paper, session).state == "stopped"
    assert row(paper, session).paused_at is not None


def test_a_frozen_container_is_no_dead_one(paper: Runtime, site: Site) -> None:
    """A paused session is not buried while its container is there."""
    session = held(paper)
    there = replace(paper, docker=OneContainer(row(paper, session).container))
    assert warden.bury(there, None) == []
    assert row(paper, session).state == "paused"
    assert warden.bury(paper, None) == [session]


def test_what_an_officer_stopped_is_taken_away_once(paper: Runtime, site: Site) -> None:
    """The hub is told while the container is there, and never again: the server of that name may be another by then."""
    session = held(paper)
    other = lifecycle.begin(paper, "bo", "heart", "/user/bo/heart/")
    engine, hub = OneContainer(row(paper, session).container), RecordingHub()
    there = replace(paper, docker=engine)
    assert warden.carry_out(there, hub) == []
    with paper.database.writing() as db:
        pause.stop(db, paper.log, session=session, actor="signe", reason="nothing to be saved here")
    assert warden.carry_out(there, hub) == [session]
    assert not engine.there
    assert warden.carry_out(there, hub) == []
    assert hub.stopped == [("alma", "heart")]
    assert row(paper, other.session).state == "starting"
    assert len(events(paper, "session.stopped")) == 1


def test_a_round_carries_out_what_officers_stopped(paper: Runtime, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is one of the parts."""
    done: list[str] = []
    monkeypatch.setattr(warden, "carry_out", lambda *_: done.append("carried out"))
    warden.one_round(paper, None)
    assert done == ["carried out"]
