"""The security officer's watch, and what a paused session's person reads."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from ngc_workbench.model import Delivery, Notice, Person, Project, Session, utcnow
from ngc_workbench.policy.meter import Thresholds
from ngc_workbench.portal.hub import Status
from ngc_workbench.sessions import pause, traffic
from tests.portal.conftest import BASE, Office

PAGE = "projects/heart/session"
WHY = "the figures were agreed with us"


@pytest.fixture
def over(office: Office) -> None:
    """Alma's session showed too much: it is paused, and the hub still has it."""
    office.sessions.states["alma", "heart"] = Status("running", 100)
    with office.database.writing() as db:
        assert pause.count(db, office.log, Thresholds(1_000_000, 10**12, {}), "s1", {"message": 1_000_000})


def state(office: Office) -> Session:
    with office.database.reading() as db:
        return db.get_one(Session, "s1")


def test_the_watch_shows_who_what_and_why(office: Office, over: None) -> None:
    """Person, project, since, threshold, bytes by hour and kind; as a page in both languages, and as JSON."""
    page = office.get("signe", "watch").text
    for part in ("Alma Holm", "heart", "s1", "In one hour 2.2 MB were shown", "threshold is 1 MB", "Paused since", "<code>message</code>", "<code>contents</code>", "2 MB", "235 kB"):  # fmt: skip
        assert part in page, part
    danish = office.get("signe", "watch", **{"accept-language": "da"}).text
    for part in ("Overvågning", "I løbet af en time blev 2,2 MB vist", "Frigiv"):
        assert part in danish, part
    [held] = office.get_json("signe", "watch").json()["held"]
    assert (held["session"], held["person"], held["state"], held["pause"]["reason"]) == (
        "s1",
        "alma",
        "paused",
        "meter.hour",
    )
    assert [(row["message"], row["contents"]) for row in held["hours"]] == [(2_000_000, 234_567)]
    assert office.get_json("signe", "watch").json()["running"] == []


def test_running_sessions_stand_there_too_and_can_be_paused(office: Office) -> None:
    """By hand, with a reason that their person reads."""
    found = office.get_json("signe", "watch").json()
    assert [one["session"] for one in found["running"]] == ["s1"]
    assert found["held"] == []
    assert office.post("signe", "watch/s1/pause", {"reason": WHY}).status_code == 303
    assert state(office).state == "paused"
    office.sessions.states["alma", "heart"] = Status("running", 100)
    assert WHY in office.get("alma", PAGE).text
    assert [(event.actor, event.reason) for event in office.events("session.paused")] == [("signe", "officer.paused")]


def test_a_release_by_the_portal(office: Office, over: None) -> None:
    """It needs a reason; then the session runs, and the event says who and why."""
    short = office.post("signe", "watch/s1/release", {"reason": "fine"})
    assert (short.status_code, state(office).state) == (422, "paused")
    assert "at least 10 characters" in short.text
    assert office.post("signe", "watch/s1/release", {"reason": WHY}).status_code == 303
    assert state(office).state == "running"
    [event] = office.events("session.released")
    assert (event.actor, event.details["why"]) == ("signe", WHY)
    again = office.post("signe", "watch/s1/release", {"reason": WHY})
    assert again.status_code == 409
    assert office.post("signe", "watch/nothing/release", {"reason": WHY}).status_code == 404


def test_a_stop_by_the_portal_leaves_the_pause(office: Office, over: None) -> None:
    """The session ends; its person starts no other until it is released, and reads so."""
    assert office.post("signe", "watch/s1/stop", {"reason": WHY}).status_code == 303
    assert (state(office).state, state(office).stop_reason) == ("stopped", "officer.stopped")
    office.sessions.states.clear()
    page = office.get("alma", PAGE).text
    assert "was stopped meanwhile" in page
    assert "session/start" not in page
    start = office.post("alma", f"{PAGE}/start")
    assert start.status_code == 403
    assert "pause has not been released" in start.text
    assert office.sessions.states == {}
    assert [one["session"] for one in office.get_json("signe", "watch").json()["held"]] == ["s1"]
    office.post("signe", "watch/s1/release", {"reason": WHY})
    assert office.post("alma", f"{PAGE}/start").status_code == 303


@pytest.mark.parametrize("deed", ["release", "stop", "pause"])
@pytest.mark.parametrize("who", ["alma", "bo", "sofie", "oda", "karen"])
def test_nobody_else_has_a_hand_on_sessions(office: Office, over: None, who: str, deed: str) -> None:
    """Refused, recorded, nothing changed."""
    before = state(office).state
    assert office.post(who, f"watch/s1/{deed}", {"reason": WHY}).status_code == 403
    assert state(office).state == before
    assert [event.reason for event in office.events("portal.refused")] == ["role.missing"]


def test_an_officer_does_not_release_their_own_session(office: Office, over: None) -> None:
    """Another one does."""
    with office.database.writing() as db:
        db.get_one(Person, "alma").roles = ["researcher", "security_officer"]
    assert office.post("alma", "watch/s1/release", {"reason": WHY}).status_code == 403
    assert state(office).state == "paused"
    assert [event.reason for event in office.events("portal.refused")] == ["session.own"]


def test_a_notice_that_can_not_be_delivered_is_shown(office: Office, over: None) -> None:
    """Channel, session, what went wrong and when it is tried again; once it was taken, nothing."""
    assert "not delivered" not in office.get("signe", "watch").text
    with office.database.writing() as db:
        notice = db.query(Notice).one()
        db.add(
            Delivery(
                notice_id=notice.id,
                channel="webhook",
                tries=3,
                last_error="answered with status 500",
                next_try=utcnow(),
            )
        )
    page = office.get("signe", "watch").text
    assert "A notice was not delivered" in page
    assert "webhook, session s1: answered with status 500. Tried 3 times" in page
    assert office.get_json("signe", "watch").json()["failing"][0]["channel"] == "webhook"
    with office.database.writing() as db:
        db.query(Delivery).one().sent = utcnow()
    assert "not delivered" not in office.get("signe", "watch").text


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("paused since", "In one hour 2.2 MB were shown", "The security officer was told", "Stop session", "does not end the pause")),
        ("da", ("på pause siden", "I løbet af en time blev 2,2 MB vist", "Sikkerhedsmedarbejderen har fået besked", "Stop session", "ophæver ikke pausen")),
    ],
)  # fmt: skip
def test_the_page_of_a_paused_session_says_why_and_holds_no_frame(
    office: Office, over: None, language: str, words: tuple[str, ...]
) -> None:
    """In both languages, with the time; nothing of the session is shown or may be framed."""
    answer = office.get("alma", PAGE, **{"accept-language": language})
    for word in words:
        assert word in answer.text
    assert "<iframe" not in answer.text
    assert "frame-src 'none'" in answer.headers["content-security-policy"]
    assert re.search(r"\d\d:\d\d", answer.text)


def test_an_open_page_follows_a_pause_and_a_release_by_itself(office: Office, over: None) -> None:
    """Its next question leads the page with the frame to the pause, and the pause's page back to the frame."""
    asked = {"hx-request": "true"}
    assert office.get("alma", f"{PAGE}/notice", **asked).headers["hx-redirect"] == f"{BASE}{PAGE}"
    assert "hx-redirect" not in office.get("alma", f"{PAGE}/notice?held=1", **asked).headers
    told = office.get_json("alma", f"{PAGE}/notice").json()
    assert (told["reason"], told["paused"]["reason"], told["paused"]["limit"]) == (
        "session.paused",
        "meter.hour",
        1_000_000,
    )
    assert 'notice?held=1" hx-trigger="every 5s"' in office.get("alma", PAGE).text
    office.post("signe", "watch/s1/release", {"reason": WHY})
    assert office.get("alma", f"{PAGE}/notice?held=1", **asked).headers["hx-redirect"] == f"{BASE}{PAGE}"
    assert "hx-redirect" not in office.get("alma", f"{PAGE}/notice", **asked).headers
    assert "<iframe" in office.get("alma", PAGE).text


def test_the_front_page_says_paused_and_leads_to_why(office: Office, over: None) -> None:
    """And offers to stop it; starting is not offered."""
    page = office.get("alma").text
    assert "Paused" in page
    assert "See why it is paused" in page
    assert f'action="{BASE}{PAGE}/start"' not in page
    assert f'action="{BASE}{PAGE}/stop"' in page
    assert office.get_json("alma").json()["projects"][0]["session"] == "paused"
    assert "Paused" not in office.get("bo").text


def test_its_person_can_stop_a_paused_session(office: Office, over: None) -> None:
    """Through the hub, as ever."""
    assert office.post("alma", f"{PAGE}/stop").status_code == 303
    assert ("alma", "heart") not in office.sessions.states


def bar(office: Office, language: str = "en") -> str:
    return re.sub(r"\s+", " ", office.get("alma", f"{PAGE}/bar", **{"accept-language": language}).text)


def test_the_bar_shows_what_was_shown_today(office: Office) -> None:
    """Today, by Danish clocks: yesterday's bytes are no part of it, released ones are."""
    with office.database.writing() as db:
        traffic.add(db, "s1", {"page": 50_000_000}, utcnow() - timedelta(hours=25))
        traffic.forgive(db, "alma", "heart", utcnow())
    assert "<b>1.2 MB</b> <small>shown today" in bar(office)
    assert "allows" not in bar(office)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"meter_hour_mb": 2, "meter_day_mb": 100}, ""),
        ({"meter_hour_mb": 1, "meter_day_mb": 100}, "<b>1.2 MB</b> <small>of 1 MB that this hour allows; above it the session is paused"),
        ({"meter_hour_mb": 100, "meter_day_mb": 1}, "<b>1.2 MB</b> <small>of 1 MB that a day allows; above it"),
        ({"meter_hour_mb": 100, "meter_kind_hour_mb": {"message": 1}}, "<b>1 MB</b> <small>of 1 MB that this hour allows of the kind message"),
    ],
)  # fmt: skip
def test_the_bar_says_how_near_the_threshold_is(office: Office, limits: dict[str, object], words: str) -> None:
    """From four fifths on, in words, by the project's own thresholds."""
    with office.database.writing() as db:
        db.get_one(Project, "heart").limits = limits
    assert words in bar(office)
    assert ("allows" in bar(office)) is bool(words)
    if words:
        assert "giver plads til" in bar(office, "da")
