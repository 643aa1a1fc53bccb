"""A pause: what it records, what it holds back, and what a release opens again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from ngc_workbench.errors import Conflict, InputError, NotFound, Refused
from ngc_workbench.model import Notice, Person, Session, Traffic, utcnow
from ngc_workbench.policy.meter import BY_HAND, HOUR, Thresholds, Used
from ngc_workbench.sessions import lifecycle, pause, traffic
from ngc_workbench.sessions.runtime import Runtime
from tests.sites import Site, events, row

SMALL = Thresholds(hour=1000, day=5000, kinds={})
WHY = "the figures were agreed with us"


def run(paper: Runtime, person: str = "alma", project: str = "heart") -> str:
    """A running session, on paper."""
    begun = lifecycle.begin(paper, person, project, f"/user/{person}/{project}/")
    lifecycle._running(paper, begun)
    return begun.session


def show(paper: Runtime, session: str, count: int, allowed: Thresholds = SMALL) -> object:
    with paper.database.writing() as db:
        return pause.count(db, paper.log, allowed, session, {"page": count})


def act(paper: Runtime, deed: object, session: str, reason: str = WHY, actor: str = "signe") -> None:
    with paper.database.writing() as db:
        deed(db, paper.log, session=session, actor=actor, reason=reason)


def test_a_release_opens_a_new_allowance(paper: Runtime, site: Site) -> None:
    """What was shown before counts no more, nor does it pause the session at its next byte; a second threshold's worth does."""
    session = run(paper)
    assert show(paper, session, 1001)
    assert row(paper, session).state == "paused"
    show(paper, session, 50)
    act(paper, pause.release, session)
    after = row(paper, session)
    assert (after.state, after.paused_at, after.pause_reason, after.pause_facts) == ("running", None, "", {})
    assert after.metered_from is not None
    assert after.bytes_out == 1051
    with paper.database.reading() as db:
        assert traffic.used(db, "alma", "heart", utcnow()) == Used(0, {"page": 0})
        assert traffic.shown_since(db, "alma", "heart", traffic.hour_of(utcnow())) == 1051
    assert show(paper, session, 1000) is None
    assert show(paper, session, 1)
    assert row(paper, session).pause_facts["shown"] == 1001


def test_a_release_is_recorded_with_who_and_why(paper: Runtime, site: Site) -> None:
    """The person is named by a tag."""
    session = run(paper)
    show(paper, session, 1001)
    act(paper, pause.release, session)
    [event] = events(paper, "session.released")
    assert (event.actor, event.decision, event.reason) == ("signe", "allow", "officer.released")
    assert (event.session, event.project) == (session, "heart")
    assert (event.details["why"], event.details["paused_by"]) == (WHY, HOUR)


@pytest.mark.parametrize("deed", [pause.pause, pause.release, pause.stop])
def test_each_hand_on_a_session_needs_a_reason(paper: Runtime, site: Site, deed: object) -> None:
    """Too short a one changes nothing."""
    session = run(paper)
    if deed is pause.release:
        show(paper, session, 1001)
    before = row(paper, session).state
    with pytest.raises(InputError, match="reason"):
        act(paper, deed, session, "because")
    assert row(paper, session).state == before
    with pytest.raises(NotFound):
        act(paper, deed, "nothing")


def test_nobody_releases_their_own_session(paper: Runtime, site: Site) -> None:
    """An officer who is a researcher too: refused, and still paused."""
    with paper.database.writing() as db:
        db.get_one(Person, "alma").roles = ["researcher", "security_officer"]
    session = run(paper)
    show(paper, session, 1001)
    with pytest.raises(Refused) as refused:
        act(paper, pause.release, session, actor="alma")
    assert refused.value.reason == "session.own"
    assert row(paper, session).state == "paused"
    with paper.database.writing() as db:
        pause.refuse(db, paper.log, refused.value, session=session, actor="alma")
    assert [(event.reason, event.session) for event in events(paper, "command.refused")] == [("session.own", session)]


def test_what_can_not_be_done_is_said(paper: Runtime, site: Site) -> None:
    """A session that runs is not released, one that stopped is neither paused nor stopped."""
    session = run(paper)
    with pytest.raises(Conflict, match="not paused"):
        act(paper, pause.release, session)
    act(paper, pause.stop, session)
    for deed in (pause.pause, pause.stop):
        with pytest.raises(Conflict, match="stopped"):
            act(paper, deed, session)
    assert row(paper, session).stop_reason == "officer.stopped"
    assert [(event.decision, event.reason, event.actor) for event in events(paper, "session.stopped")] == [
        ("deny", "officer.stopped", "signe")
    ]


def test_a_pause_by_hand_tells_its_person_and_the_other_officers(paper: Runtime, site: Site) -> None:
    """The officer's words stand in the row and in the log, and not in the notice that leaves the house."""
    session = run(paper)
    act(paper, pause.pause, session, "odd traffic, see cells of /project/secret.py")
    held = pause.pause_of(row(paper, session))
    assert held is not None
    assert (held.reason, held.why) == (BY_HAND, "odd traffic, see cells of /project/secret.py")
    assert [(event.actor, event.reason) for event in events(paper, "session.paused")] == [("signe", BY_HAND)]
    with paper.database.reading() as db:
        [notice] = db.scalars(select(Notice))
    assert "secret" not in str(notice.body)
    assert (notice.body["person"], notice.body["project"], notice.body["reason"]) == ("alma", "heart", BY_HAND)


def test_stopping_a_paused_session_is_no_way_round_the_pause(paper: Runtime, site: Site) -> None:
    """Its person starts no other in that project, whoever stopped it, until it is released; others do."""
    session = run(paper)
    show(paper, session, 1001)
    with pytest.raises(Refused) as refused:
        lifecycle.begin(paper, "alma", "heart", "/user/alma/heart/")
    assert refused.value.reason == "session.held"
    # The hub asks for a start only when it knows of no server: what the table had was cleared away, the pause was not.
    assert row(paper, session).state == "stopped"
    assert pause.pause_of(row(paper, session)) is not None
    assert [event.reason for event in events(paper, "session.start_refused")] == ["session.held"]
    lifecycle.begin(paper, "bo", "heart", "/user/bo/heart/")
    act(paper, pause.release, session)
    assert row(paper, session).state == "stopped"
    lifecycle.begin(paper, "alma", "heart", "/user/alma/heart/")


def test_a_paused_session_counts_for_one_at_a_time(paper: Runtime, site: Site) -> None:
    """It lives: no other project is started beside it."""
    session = run(paper)
    act(paper, pause.pause, session)
    with paper.database.reading() as db:
        found = lifecycle.session_facts(db, "alma", "heart", utcnow().date())
        decision = lifecycle.decide(db, paper.settings, "alma", "heart", found)
    assert decision.reason == "session.one_at_a_time"
    assert lifecycle.current(paper, "alma", "heart") is not None


def test_no_session_starts_on_an_allowance_that_is_used_up(paper: Runtime, site: Site) -> None:
    """A threshold that was lowered meanwhile: it would be paused at its first byte, and the hub would wait for it."""
    session = run(paper)
    show(paper, session, 201_000_000, Thresholds(10**12, 10**12, {}))
    lifecycle.finish(paper, session, "stopped.by_hub", actor="hub")
    with pytest.raises(Refused) as refused:
        lifecycle.begin(paper, "alma", "heart", "/user/alma/heart/")
    assert refused.value.reason == HOUR


def test_bytes_of_a_session_that_starts_or_has_stopped_are_counted_and_pause_nothing(
    paper: Runtime, site: Site
) -> None:
    """There is nothing to hold still; the next byte of a running one does."""
    begun = lifecycle.begin(paper, "alma", "heart", "/user/alma/heart/")
    assert show(paper, begun.session, 1001) is None
    assert row(paper, begun.session).state == "starting"
    lifecycle._running(paper, begun)
    assert show(paper, begun.session, 1)
    lifecycle.finish(paper, begun.session, "x", actor="hub")
    assert show(paper, begun.session, 5000) is None
    assert (row(paper, begun.session).state, row(paper, begun.session).bytes_out) == ("stopped", 6002)


def test_hours_that_are_past_count_for_the_day_and_older_ones_for_nothing(paper: Runtime, site: Site) -> None:
    """The running hour and the 23 before it."""
    session = run(paper)
    now = utcnow()
    with paper.database.writing() as db:
        for hours, count in ((0, 1), (1, 10), (23, 100), (24, 1000)):
            traffic.add(db, session, {"page": count}, now - timedelta(hours=hours))
    with paper.database.reading() as db:
        used = traffic.used(db, "alma", "heart", now)
        assert (used.hour, used.day) == (1, 111)
        newest = traffic.table(db, session, hours=2)
    assert [(shown.hour, shown.bytes) for shown in newest] == [
        (traffic.hour_of(now), 1), (traffic.hour_of(now) - timedelta(hours=1), 10),
    ]  # fmt: skip


def test_a_day_that_showed_too_much_pauses_too(paper: Runtime, site: Site) -> None:
    """Though each hour was within its threshold."""
    session = run(paper)
    with paper.database.writing() as db:
        for hours in range(1, 6):
            traffic.add(db, session, {"page": 999}, utcnow() - timedelta(hours=hours))
    assert show(paper, session, 5) is None
    held = show(paper, session, 1)
    assert (held.reason, held.shown, held.limit) == ("meter.day", 5001, 5000)


def test_a_pause_that_is_rolled_back_leaves_nothing(paper: Runtime, site: Site) -> None:
    """Bytes, row, event and notice are one transaction: a kill at its end takes all of them or none."""
    session = run(paper)

    def torn() -> None:
        with paper.database.writing() as db:
            assert pause.count(db, paper.log, SMALL, session, {"page": 1001})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        torn()
    with paper.database.reading() as db:
        assert list(db.scalars(select(Notice))) == list(db.scalars(select(Traffic))) == []
        assert db.get_one(Session, session).bytes_out == 0
    assert row(paper, session).state == "running"
    assert events(paper, "session.paused") == []
