"""What a session's page says when a view that it mounts was replaced."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from ngc_workbench.model import Session, utcnow
from ngc_workbench.portal.hub import Status
from tests.portal.conftest import Office

PAGE = "projects/heart/session"


@pytest.fixture
def session(office: Office):
    """Stores alma's running session, with an end or without."""

    def make(ends: datetime | None, state: str = "running", reason: str = "") -> None:
        office.sessions.states["alma", "heart"] = Status("running" if state == "running" else "stopped", 100)
        with office.database.writing() as db:
            row = db.get_one(Session, "s1")
            row.state, row.ends, row.stop_reason = state, ends, reason

    return make


def fragment(office: Office, language: str = "en", person: str = "alma"):
    return office.get(person, f"{PAGE}/notice", **{"hx-request": "true", "accept-language": language})


def test_nothing_is_said_while_nothing_was_replaced(office: Office, session) -> None:
    """The fragment is empty, and the JSON says null."""
    session(None)
    assert fragment(office).text.strip() == ""
    answer = office.get_json("alma", f"{PAGE}/notice").json()
    assert answer == {"project": "heart", "reason": None, "ends": None, "minutes_left": None}
    assert "session-notice" in office.get("alma", PAGE).text
    assert "newer view" not in office.get("alma", PAGE).text


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", ("in 41 min", "newer view", "Save your work")), ("da", ("om 41 min", "nyere udsnit", "Gem dit arbejde"))],
)
def test_a_replaced_view_is_told_with_the_time_left(office: Office, session, language: str, words: tuple) -> None:
    """In both languages, on the page and in the fragment that it asks for every 20 seconds."""
    session(utcnow() + timedelta(minutes=41, seconds=30))
    said = fragment(office, language).text
    page = office.get("alma", PAGE, **{"accept-language": language}).text
    for word in words:
        assert word in said
        assert word in page
    assert f'hx-get="/services/portal/{PAGE}/notice" hx-trigger="every 20s"' in page


def test_programs_get_the_end_as_json(office: Office, session) -> None:
    """Reason, time and whole minutes; never less than none."""
    ends = (utcnow() + timedelta(minutes=5, seconds=30)).replace(microsecond=0)
    session(ends)
    answer = office.get_json("alma", f"{PAGE}/notice").json()
    assert answer == {"project": "heart", "reason": "view.replaced", "ends": ends.isoformat(), "minutes_left": 5}
    session(utcnow() - timedelta(minutes=1))
    answer = office.get_json("alma", f"{PAGE}/notice").json()
    assert answer["minutes_left"] == 0
    assert "about to end" in fragment(office).text


def test_when_the_session_has_ended_the_page_is_led_on_and_says_why(office: Office, session) -> None:
    """Without a click; in words, not by the name of a rule."""
    session(utcnow(), "stopped", "view.replaced")
    answer = fragment(office)
    assert answer.headers["hx-redirect"] == f"/services/portal/{PAGE}"
    page = office.get("alma", PAGE).text
    assert "replaced by a newer view" in page
    assert "view.replaced" not in page


def test_nobody_reads_the_notice_of_somebody_else(office: Office, session) -> None:
    """The session is looked up by who asks; without a log-in there is nothing."""
    session(utcnow() + timedelta(minutes=41, seconds=30))
    answer = office.get_json("oda", f"{PAGE}/notice")
    assert answer.json()["ends"] is None
