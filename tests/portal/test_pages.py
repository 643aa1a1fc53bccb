"""Pages: who sees what, in which words, with which headers."""

from __future__ import annotations

import re

import pytest

from ngc_workbench.model import Person, Project
from ngc_workbench.portal.hub import Status
from tests.portal.conftest import BASE, Office

PEOPLE = ("alma", "bo", "carl", "sofie", "karen", "oda", "olav", "signe")

PAGES: dict[str, set[str]] = {
    "": set(PEOPLE),
    "sign-out": set(PEOPLE),
    "projects/heart/session": {"alma", "bo"},
    "projects/heart/exports/new": {"alma", "bo"},
    "projects/lungs/exports/new": {"carl"},
    "review": {"oda", "olav"},
    "support": {"sofie"},
    "watch": {"signe"},
    "audit": {"signe"},
}


def test_each_page_is_for_some_people_and_refused_to_the_others(office: Office) -> None:
    """A refusal is a plain page with status 403, and an event that names the rule."""
    for page, allowed in PAGES.items():
        for person in PEOPLE:
            before = len(office.events("portal.refused"))
            answer = office.get(person, page)
            assert answer.status_code == (200 if person in allowed else 403), (page, person, answer.text)
            assert len(office.events("portal.refused")) - before == (0 if person in allowed else 1)
            assert "Traceback" not in answer.text


def test_a_request_is_seen_by_its_requester_and_by_independent_checkers(office: Office) -> None:
    """Neither by a fellow member, nor by somebody of another project; the files' hashes are shown."""
    request = office.submitted("table.csv")
    sha256 = request["files"][0]["sha256"]
    for person, own, review in [
        ("alma", 200, 403),
        ("bo", 403, 403),
        ("carl", 403, 403),
        ("oda", 403, 200),
        ("signe", 403, 403),
    ]:
        assert office.get(person, f"exports/{request['id']}").status_code == own, person
        page = office.get(person, f"review/{request['id']}")
        assert page.status_code == review, person
        assert (sha256 in page.text) is (review == 200)
    assert office.get("alma", "exports/0000000000000000").status_code == 404
    assert office.get("oda", "review/0000000000000000").status_code == 404


def test_nobody_signed_in_is_sent_to_sign_in(office: Office) -> None:
    """A page goes to the hub; a program gets 401; a form changes nothing."""
    page = office.client.get(BASE, follow_redirects=False)
    assert (page.status_code, page.headers["location"]) == (302, "http://hub.invalid/authorize")
    assert office.client.get(BASE, headers={"Accept": "application/json"}).status_code == 401
    assert office.client.post(BASE + "projects/heart/session/start", data={"csrf": "x"}).status_code == 401
    assert office.client.get(f"{BASE}health").text == "ok"


def test_a_disabled_person_sees_nothing(office: Office) -> None:
    """The workbench's own table decides, whatever the hub still believes."""
    with office.database.writing() as db:
        person = db.get(Person, "alma")
        assert person is not None
        person.disabled = True
    assert office.get("alma").status_code == 403
    assert "disabled" in office.get("alma").text


def test_every_answer_has_the_strict_headers(office: Office) -> None:
    """No inline script, no foreign frame, no sniffing: on pages, refusals, files, and pages that don't exist."""
    pages = ("", "support", "nowhere", "static/portal.css", "health", "projects/heart/session", "?lang=da")
    for headers in (office.get(person, page).headers for page in pages for person in ("alma", "sofie")):
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"


def test_only_the_session_page_holds_a_frame_and_only_of_that_persons_session(office: Office) -> None:
    """frame-src names the person's own origin and the hub, on that page alone; the frame can't download, pop up or leave."""
    assert "frame-src 'none'" in office.get("alma").headers["content-security-policy"]
    office.post("alma", "projects/heart/session/start")
    page = office.get("alma", "projects/heart/session")
    own, hub = office.settings.subdomain_url("alma"), office.settings.public_url
    assert f"frame-src {own} {hub}" in page.headers["content-security-policy"]
    frame = re.search(r"<iframe[^>]*>", page.text)[0]
    assert f'src="{own}/user/alma/heart/lab"' in frame
    assert 'sandbox="allow-scripts allow-same-origin allow-forms allow-modals"' in frame
    assert "1.2 MB" in page.text


def test_no_page_has_inline_scripts_or_styles(office: Office) -> None:
    """What the policy forbids is not there either."""
    request = office.submitted("table.csv", "people.csv")
    pages = [("alma", ""), ("alma", "projects/heart/session"), ("alma", f"exports/{request['id']}"), ("oda", f"review/{request['id']}"),
             ("oda", "review"), ("sofie", "support"), ("signe", "audit"), ("signe", "watch"), ("alma", "projects/heart/exports/new")]  # fmt: skip
    for person, path in pages:
        text = office.get(person, path).text
        assert not re.search(r"<script(?![^>]*\bsrc=)", text)
        assert not re.search(r"\sstyle=|<style|\son[a-z]+=", text)
        assert not re.search(r'(?:src|href)="https?://(?!alma\.workbench\.localhost)', text)


def test_the_demo_says_so_and_production_does_not(office: Office) -> None:
    """The banner follows the setting."""
    assert "DEMO" in office.get("alma").text
    portal = office.app.state.portal
    real = portal.settings.model_copy(update={"demo": False})
    for environment in portal.pages._environments.values():
        environment.globals["settings"] = real
    assert "DEMO" not in office.get("alma").text


def test_the_language_is_the_persons_choice_else_the_browsers(office: Office) -> None:
    """`?lang=da` sets it and comes back to the same page; Accept-Language counts before that; English else."""
    assert '<html lang="en">' in office.get("alma").text
    assert '<html lang="da">' in office.get("alma", **{"Accept-Language": "da-DK,da;q=0.9,en;q=0.8"}).text
    assert '<html lang="en">' in office.get("alma", **{"Accept-Language": "en;q=0.9,da;q=0.1"}).text
    chosen = office.get("alma", "audit?kind=x&lang=da")
    assert (chosen.status_code, chosen.headers["location"]) == (303, f"{BASE}audit?kind=x")
    assert '<html lang="da">' in office.get("alma", Cookie="language=da").text
    assert "Ikke tilladt" in office.get("alma", "support", Cookie="language=da").text


def test_a_form_from_elsewhere_changes_nothing(office: Office) -> None:
    """Without the token, with another person's, or from another origin: refused and recorded."""
    for csrf, headers in [
        ("", {}),
        ("csrf-of-bo", {}),
        ("csrf-of-alma", {"Origin": office.settings.subdomain_url("alma")}),
        ("csrf-of-alma", {"Origin": "null"}),
    ]:
        answer = office.post("alma", "projects/heart/session/start", csrf=csrf, **headers)
        assert answer.status_code == 403
    assert office.sessions.states == {}
    assert {event.reason for event in office.events("portal.refused")} == {"form.token", "form.origin"}
    own = {"Origin": office.settings.subdomain_url("portal--service")}
    assert office.post("alma", "projects/heart/session/start", **own).status_code == 303


FORMS = [
    ("alma", "projects/heart/session/start"), ("alma", "projects/heart/session/stop"), ("alma", "projects/heart/exports"), ("alma", "sign-out"),
    ("oda", "review/0000/vote"), ("sofie", "support/projects"), ("sofie", "support/projects/heart/views"),
    ("signe", "watch/0000/release"), ("signe", "watch/0000/stop"), ("signe", "watch/0000/pause"),
]  # fmt: skip


def test_every_form_asks_for_its_token(office: Office) -> None:
    """No route that changes something takes a form without the token."""
    for person, path in FORMS:
        assert office.post(person, path, csrf="").status_code == 403, path


def test_every_route_that_changes_something_is_in_the_list_of_forms(office: Office) -> None:
    """A new POST route without a test of its token fails here."""
    found = set()
    for route in office.app.routes:
        listed_inside = getattr(route, "effective_route_contexts", None)
        for one in listed_inside() if listed_inside else [route]:
            if "POST" in (getattr(one, "methods", None) or ()):
                found.add(one.path.removeprefix(BASE))
    listed = {re.sub(r"/(?:heart|0000)/", "/*/", path) for _, path in FORMS}
    assert found
    assert {re.sub(r"\{[a-z_]+\}", "*", path) for path in found} == listed


def test_a_session_starts_opens_and_stops(office: Office) -> None:
    """Start is refused by policy before the hub is asked; one that runs is opened; one runs at a time."""
    assert office.get_json("alma", "projects/heart/session/status").json()["state"] == "stopped"
    assert office.post_json("alma", "projects/heart/session/start").status_code == 202
    assert office.get_json("alma", "projects/heart/session/status").json()["state"] == "running"
    home = office.get("alma").text
    assert f'action="{BASE}projects/heart/session/start"' in home
    assert f'action="{BASE}projects/heart/session/stop"' in home
    assert office.post("alma", "projects/heart/session/stop").headers["location"] == BASE
    assert office.get_json("alma", "projects/heart/session/status").json()["state"] == "stopped"
    refused = office.post_json("alma", "projects/lungs/session/start")
    assert (refused.status_code, refused.json()["error"]) == (403, "project.not_a_member")
    assert office.events("portal.refused")[0].project == "lungs"
    nowhere = office.post_json("alma", "projects/nowhere/session/start")
    assert nowhere.json() == refused.json()


def test_a_project_without_a_current_approval_or_not_active_starts_nothing(office: Office) -> None:
    """Lungs has no approval; a suspended heart starts nothing either."""
    assert office.post_json("carl", "projects/lungs/session/start").json()["error"] == "approval.none"
    with office.database.writing() as db:
        project = db.get(Project, "heart")
        assert project is not None
        project.state = "suspended"
    assert office.post_json("alma", "projects/heart/session/start").json()["error"] == "project.not_active"
    assert office.sessions.states == {}


def test_a_start_that_is_under_way_shows_its_progress(office: Office) -> None:
    """The page shows the hub's own figures and words; the fragment sends the browser on when the session runs."""
    office.sessions.states["alma", "heart"] = Status("starting", 40, "Mounting the view")
    page = office.get("alma", "projects/heart/session").text
    assert "40 %" in page
    assert "Mounting the view" in page
    assert "<noscript>" in page
    fragment = office.get("alma", "projects/heart/session/status", **{"HX-Request": "true"})
    assert "<html" not in fragment.text
    office.sessions.states["alma", "heart"] = Status("running", 100)
    ready = office.get("alma", "projects/heart/session/status", **{"HX-Request": "true"})
    assert ready.headers["hx-redirect"] == f"{BASE}projects/heart/session"
    office.sessions.states["alma", "heart"] = Status("failed", 100, "The firewall is missing.")
    assert "The firewall is missing." in office.get("alma", "projects/heart/session").text
    assert "The firewall is missing." in office.get("alma").text


def test_a_fault_of_ours_shows_no_trace(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unexpected error is a plain page with status 500."""

    def broken(*_args: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("ngc_workbench.portal.queries.my_projects", broken)
    answer = office.get("alma")
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert "went wrong on our side" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_page_that_does_not_exist_is_a_plain_page(office: Office) -> None:
    """Unknown pages, wrong methods, too large forms, files outside the two packages of the design."""
    assert office.get("alma", "nowhere").status_code == 404
    assert "no such page" in office.get("alma", "nowhere").text
    assert office.client.put(BASE).status_code == 405
    assert office.post("alma", "projects/heart/exports", {"purpose": "x" * (2 << 20)}).status_code == 413
    for path in (
        "vendor/configurable-http-proxy/package.json",
        "static/../app.py",
        "static/%2e%2e/app.py",
        "vendor/dkfds/dist/../package.json",
    ):
        assert office.get("alma", path).status_code == 404, path


def test_the_events_of_the_log_are_shown_to_the_security_officer(office: Office) -> None:
    """Newest first, by kind, names in place of tags."""
    office.get("alma", "support")
    page = office.get("signe", "audit?kind=portal.refused").text
    assert "portal.refused" in page
    assert "role.missing" in page
    assert "alma" in page
    found = office.get_json("signe", "audit").json()
    assert found[0]["kind"] == "portal.refused"
