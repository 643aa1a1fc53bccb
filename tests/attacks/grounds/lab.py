"""JupyterLab in a real browser, with a notebook open in which an attacker runs cells and looks at what their outputs do."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from playwright.sync_api import Browser, Download, Frame, Page, sync_playwright
from playwright.sync_api import Error as BrowserError

CHROMIUM = os.environ.get("NGC_CHROMIUM", "/usr/bin/chromium")
QUIET = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-default-apps",
]  # fmt: skip
PATIENCE = 60_000
"""Milliseconds: the machine may be busy; nothing here is timed."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a screen."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


class Lab:
    """`enter` signs the attacker in and gives the page or frame that holds JupyterLab."""

    def __init__(self, browser: Browser, enter: Callable[[Page], Frame]) -> None:
        self._browser = browser
        self._enter = enter
        self._page: Page | None = None
        self.downloads: list[Download] = []
        self.popups: list[Page] = []

    def _downloaded(self, download: Download) -> None:
        self.downloads.append(download)

    def _opened(self, page: Page) -> None:
        self.popups.append(page)

    def close(self) -> None:
        """Closes the window."""
        if self._page is not None:
            with suppress(BrowserError):
                self._page.context.close()
            self._page = None
            self.popups.clear()

    def _open(self) -> Frame:
        """JupyterLab with an empty notebook; a window that an attack led away is thrown away."""
        if self._page is not None:
            with suppress(BrowserError):
                for frame in self._page.frames:
                    if "/lab" in frame.url and frame.locator(".jp-Notebook").count() and not self.popups:
                        return frame
            self.close()
        context = self._browser.new_context(viewport={"width": 1280, "height": 860}, accept_downloads=True)
        page = self._page = context.new_page()
        page.set_default_timeout(PATIENCE)
        # Its own methods: the library can't take those of a list.
        page.on("download", self._downloaded)
        page.on("popup", self._opened)
        frame = self._enter(page)
        frame.get_by_role("button", name="New Launcher").first.click(timeout=2 * PATIENCE)
        frame.locator(".jp-LauncherCard[data-category=Notebook] >> visible=true").first.click()
        frame.locator(".jp-Notebook .jp-Cell .cm-content >> visible=true").last.wait_for(timeout=2 * PATIENCE)
        frame.get_by_text("| Idle").wait_for(timeout=2 * PATIENCE)
        return frame

    def run(self, code: str, wait_ms: int = 1500) -> Frame:
        """Runs a cell; gives its outputs time to do what they do. Gives the page or frame as it is then."""
        frame = self._open()
        self.downloads.clear()
        assert self._page is not None
        cell = frame.locator(".jp-Notebook .jp-Cell .cm-content >> visible=true").last
        cell.click()
        self._page.keyboard.insert_text(code)
        self._page.keyboard.press("Shift+Enter")
        with suppress(BrowserError):
            self._page.wait_for_timeout(wait_ms)
        return frame
