"""The warden: running sessions end within its rounds when what they were started on no longer holds."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ngc_workbench.errors import Unavailable
from ngc_workbench.model import Person, View, utcnow
from ngc_workbench.sessions import firewall, lifecycle, warden
from ngc_workbench.sessions.runtime import Runtime
from tests.sites import Hostile, Site, events, row


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


def test_a_refreshed_view_ends_sessions_of_the_old_one(paper: Runtime, site: Site) -> None:
    """After an opt-out the project has a new view: whoever still mounts the old one is stopped, though they may start again."""
    begun = lifecycle.begin(paper, "alma", "heart", "/user/alma/heart/")
    with paper.database.writing() as db:
        old = db.get(View, site.view)
        old.retired = utcnow()
        db.add(
            View(
                project_name="heart",
                release_id=old.release_id,
                folder="cohort-r1-2",
                people=0,
                variants=0,
                digest="2" * 64,
            )
        )
    assert warden.review(paper, None) == [begun.session]
    assert row(paper, begun.session).stop_reason == "view.not_current"
    lifecycle.begin(paper, "alma", "heart", "/user/alma/heart/")


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
