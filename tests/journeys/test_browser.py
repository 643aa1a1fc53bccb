"""A person at a real browser: log in, open the session in its frame, run a cell, see the output."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.journeys.conftest import Played

pytestmark = [pytest.mark.journey, pytest.mark.docker, pytest.mark.browser]

CHROMIUM = os.environ.get("NGC_CHROMIUM", "/usr/bin/chromium")
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-default-apps",
]  # fmt: skip


@pytest.fixture(scope="module")
def browser():
    """Debian's Chromium, without a screen."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()


def log_in(browser: Browser, played: Played, person: str, width: int = 1280) -> Page:
    """A new browser window in which the person has logged in and sees the portal."""
    context = browser.new_context(viewport={"width": width, "height": 900}, locale="en-GB")
    page = context.new_page()
    page.goto(played.settings.portal_url)
    page.locator(f"button[value={person}]").click()
    page.wait_for_url(f"{played.settings.portal_url}**")
    return page
