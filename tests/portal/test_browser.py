"""The pages in a real browser: nothing blocked by our own policy, nothing wider than the screen, refreshed without a reload.

`NGC_SCREENSHOTS=<folder>` keeps pictures of each page at phone and desktop width, in both languages.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from ngc_workbench.model import Project, Session, utcnow
from ngc_workbench.policy.meter import Thresholds
from ngc_workbench.portal.hub import Status
from ngc_workbench.sessions import pause
from tests.portal.conftest import Office

pytestmark = pytest.mark.browser

CHROMIUM = os.environ.get("NGC_CHROMIUM", "/usr/bin/chromium")
SHOTS = os.environ.get("NGC_SCREENSHOTS")
VIEWS = (
    [(width, language) for width in (390, 1280) for language in ("en-GB", "da-DK")]
    if SHOTS
    else [(390, "da-DK"), (1280, "en-GB")]
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a screen."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
        )
        yield chromium
        chromium.close()


def window(
    browser: Browser, office: Office, person: str, width: int = 1280, language: str = "en-GB", scripts: bool = True
) -> BrowserContext:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, locale=language, java_script_enabled=scripts
    )
    context.add_cookies([{"name": "test-person", "value": person, "url": office.settings.portal_url}])
    return context


def open_page(context: BrowserContext, office: Office, path: str, said: list[str]) -> Page:
    page = context.new_page()
    page.on("console", lambda message: said.append(f"{path}: {message.text}") if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(f"{path}: {error}"))
    page.goto(f"{office.settings.portal_url}{path}")
    return page


def keep(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page="session" not in name)


def test_pages_fit_phone_and_desktop_in_both_languages(browser: Browser, office: Office) -> None:
    """No page is wider than the window, and the browser reports no error (a blocked script or style would be one)."""
    (office.outbox / "counts.csv").write_text("group,n,mean\nwomen,1204,171.2\nmen,3,182.0\nunknown,51,170.1\n")
    (office.outbox / "note.txt").write_text("Effects over all people.\nWe saw n = 3 carriers of the rare allele.\n")
    request = office.submitted("table.csv", "people.csv", "counts.csv", "note.txt")
    decided = office.submitted("table.csv", "people.csv")
    for checker in ("oda", "olav"):
        office.vote(checker, decided["id"])
    office.get("alma", "support")
    said: list[str] = []
    pages = [
        ("alma", "", "home"), ("alma", "projects/heart/exports/new", "export-new"), ("alma", f"exports/{request['id']}", "request-in-review"),
        ("alma", f"exports/{decided['id']}", "request-released"), ("oda", "", "home-checker"), ("oda", "review", "queue"),
        ("oda", f"review/{request['id']}", "review"), ("sofie", "support", "support"), ("signe", "audit", "audit"), ("signe", "watch", "watch"), ("alma", "sign-out", "sign-out"),
    ]  # fmt: skip
    for width, language in VIEWS:
        for person, path, name in pages:
            with window(browser, office, person, width, language) as context:
                page = open_page(context, office, path, said)
                assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width, language)
                keep(page, f"{name}-{language[:2]}-{width}")
        office.sessions.states["alma", "heart"] = Status("starting", 40, "Mounting the view")
        with window(browser, office, "alma", width, language) as context:
            context.route(
                "**/user/alma/heart/lab",
                lambda route: route.fulfill(body="<h1>JupyterLab</h1>", content_type="text/html"),
            )
            page = open_page(context, office, "projects/heart/session", said)
            keep(page, f"starting-{language[:2]}-{width}")
            office.sessions.states["alma", "heart"] = Status("running", 100)
            # The page notices by itself that the session runs, and shows its frame.
            page.wait_for_selector("iframe", timeout=10_000)
            bar = page.locator(".bar").bounding_box()
            frame = page.locator("iframe").bounding_box()
            assert bar is not None
            assert frame is not None
            assert frame["height"] + bar["height"] > 850
            assert page.evaluate("document.documentElement.scrollHeight") <= 900
            keep(page, f"session-{language[:2]}-{width}")
        office.sessions.states.clear()
        with window(browser, office, "alma", width, language) as context:
            keep(open_page(context, office, "support", []), f"problem-{language[:2]}-{width}")
    assert said == []


def test_a_person_without_scripts_asks_for_an_export(browser: Browser, office: Office) -> None:
    """Choosing files, saying what for, and sending work with plain HTML."""
    with window(browser, office, "alma", scripts=False) as context:
        page = open_page(context, office, "projects/heart/exports/new", [])
        page.get_by_label("table.csv").check(force=True)
        page.get_by_label("What you need them for").fill("table 2")
        page.get_by_role("button", name="Send for review").click()
        page.wait_for_url("**/exports/*")
        page.get_by_text("Review by two people").wait_for()
    with window(browser, office, "oda", scripts=False) as context:
        page = open_page(context, office, "review", [])
        page.locator("tbody a").first.click()
        page.get_by_label("Reason").fill("effects alone")
        page.get_by_role("button", name="Approve").click()
        page.get_by_text("You voted to release.").wait_for()


def test_the_request_page_follows_the_checks(browser: Browser, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the checks run the page waits; when they are done it shows their findings, without a click."""
    import threading

    from ngc_workbench.airlock import requests

    gate = threading.Event()
    check = requests.check_file

    def slow(*args: object) -> object:
        gate.wait(20)
        return check(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(requests, "check_file", slow)
    made = office.post_json("alma", "projects/heart/exports", {"files": ["people.csv"], "purpose": "x"}).json()
    with window(browser, office, "alma") as context:
        page = open_page(context, office, f"exports/{made['id']}", [])
        page.get_by_text("The checks are running").wait_for()
        gate.set()
        page.get_by_text("it reads as one row a person").wait_for(timeout=10_000)


def test_a_session_is_told_of_its_end_without_a_reload(browser: Browser, office: Office) -> None:
    """The notice appears in the open page, above JupyterLab, and leads on when the session has ended."""
    for width, language in VIEWS:
        office.sessions.states["alma", "heart"] = Status("running", 100)
        tell(office, "running", None)
        said: list[str] = []
        with window(browser, office, "alma", width, language) as context:
            context.route(
                "**/user/alma/heart/lab",
                lambda route: route.fulfill(body="<h1>JupyterLab</h1>", content_type="text/html"),
            )
            context.clock.install()
            page = open_page(context, office, "projects/heart/session", said)
            notice = page.locator(".session-notice")
            assert notice.inner_text().strip() == ""
            tell(office, "running", utcnow() + timedelta(minutes=41, seconds=30))
            page.clock.run_for(21_000)
            page.get_by_text("41 min").wait_for()
            keep(page, f"session-notice-{language[:2]}-{width}")
            places = [page.locator(place).bounding_box() for place in (".bar", ".session-notice", "iframe")]
            tops = [place["y"] for place in places if place is not None]
            assert len(tops) == 3
            assert tops == sorted(tops)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.evaluate("document.documentElement.scrollHeight") <= 900
            assert places[2] is not None
            assert places[2]["height"] > 500
            office.sessions.states["alma", "heart"] = Status("stopped")
            tell(office, "stopped", utcnow())
            page.clock.run_for(21_000)
            page.locator("form[action$='/session/start']").wait_for()
        assert said == []


def tell(office: Office, state: str, ends: datetime | None) -> None:
    """Sets state and end of alma's session."""
    with office.database.writing() as db:
        row = db.get_one(Session, "s1")
        row.state, row.ends = state, ends


def test_the_bar_of_a_session_near_its_threshold_fits(browser: Browser, office: Office) -> None:
    """The words stand in the bar whole, on a phone too, and leave the frame its room."""
    office.sessions.states["alma", "heart"] = Status("running", 100)
    with office.database.writing() as db:
        db.get_one(Project, "heart").limits = {"meter_hour_mb": 1}
    for width, language in VIEWS:
        with window(browser, office, "alma", width, language) as context:
            context.route("**/user/alma/heart/lab", lambda route: route.fulfill(body="lab", content_type="text/html"))
            page = open_page(context, office, "projects/heart/session", [])
            near, frame = page.locator(".near").bounding_box(), page.locator("iframe").bounding_box()
            assert near is not None
            assert frame is not None
            assert near["x"] >= 0
            assert near["x"] + near["width"] <= width
            assert near["y"] + near["height"] <= frame["y"]
            assert frame["height"] > 650
            keep(page, f"session-near-{language[:2]}-{width}")


def test_a_paused_session_is_explained_and_comes_back_by_itself(browser: Browser, office: Office) -> None:
    """The page fits phone and desktop; the officer releases with a reason; the researcher's page shows the frame without a click."""
    office.sessions.states["alma", "heart"] = Status("running", 100)
    with office.database.writing() as db:
        assert pause.count(db, office.log, Thresholds(1_000_000, 10**12, {}), "s1", {"terminal": 6_000_000})
    said: list[str] = []
    for width, language in VIEWS:
        for person, path, name in (
            ("alma", "projects/heart/session", "paused"),
            ("signe", "watch", "watch-paused"),
            ("alma", "", "home-paused"),
        ):
            with window(browser, office, person, width, language) as context:
                page = open_page(context, office, path, said)
                assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width, language)
                keep(page, f"{name}-{language[:2]}-{width}")
    with window(browser, office, "alma") as researcher, window(browser, office, "signe") as officer:
        researcher.route("**/user/alma/heart/lab", lambda route: route.fulfill(body="lab", content_type="text/html"))
        waiting = open_page(researcher, office, "projects/heart/session", said)
        watch = open_page(officer, office, "watch", said)
        watch.get_by_label("Reason").first.fill("the figures were agreed with us")
        watch.get_by_role("button", name="Release").click()
        watch.get_by_text("No session is paused.").wait_for()
        waiting.wait_for_selector("iframe", timeout=10_000)
    assert said == []
