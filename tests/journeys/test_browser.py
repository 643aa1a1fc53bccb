"""A person at a real browser: log in, open the session in its frame, run a cell, see the output.

`NGC_PICTURES=folder` keeps the screenshots; `make pictures` makes those of the docs with it.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, WebSocket, expect, sync_playwright

from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database
from tests.journeys.conftest import Played

pytestmark = [pytest.mark.journey, pytest.mark.docker, pytest.mark.browser]

CHROMIUM = os.environ.get("NGC_CHROMIUM", "/usr/bin/chromium")
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-default-apps",
]  # fmt: skip
PATIENCE = 60_000  # milliseconds: the machine may be busy; nothing here is timed

FIGURE = """
import ngc, numpy as np
from bokeh.plotting import figure
plot = figure(width=640, height=260, title="A figure")
plot.scatter(np.arange(200), np.sin(np.arange(200) / 9), size=6)
ngc.show(plot)
"""


@pytest.fixture(scope="module")
def browser():
    """Debian's Chromium, without a screen."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()


def log_in(browser: Browser, played: Played, person: str, width: int = 1280, locale: str = "en-GB") -> Page:
    """A new browser window in which the person has logged in and sees the portal."""
    context = browser.new_context(viewport={"width": width, "height": 860}, locale=locale)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(played.settings.portal_url)
    page.locator(f"button[value={person}]").click()
    page.wait_for_url(f"{played.settings.portal_url}**")
    return page


def picture(page: Page, name: str) -> None:
    """Keeps a screenshot when somebody asked for them."""
    if folder := os.environ.get("NGC_PICTURES"):
        page.wait_for_timeout(2_000)  # scrolling and drawing have no end that could be waited for
        page.screenshot(path=Path(folder) / f"{name}.png")


@pytest.fixture(scope="module")
def alma(browser, played):
    """Alma's window with her session open in its frame; the session is stopped at the end."""
    page = log_in(browser, played, "alma")
    project = next(iter(re.findall(r"projects/(heredity-\d+)/session/start", page.content())))
    picture(page, "overview")
    page.locator(f"form[action$='{project}/session/start'] button").click()
    page.wait_for_url(f"**/projects/{project}/session")
    expect(page.locator("iframe[name=session]")).to_be_visible(timeout=2 * PATIENCE)
    yield page, project
    page.goto(played.settings.portal_url)
    page.locator(f"form[action$='{project}/session/stop'] button").click()
    page.wait_for_load_state()


def lab(page: Page) -> FrameLocator:
    """JupyterLab in its frame."""
    return page.frame_locator("iframe[name=session]")


def new_notebook(page: Page) -> None:
    """Opens an empty notebook from the launcher (JupyterLab may have reopened others)."""
    lab(page).get_by_role("button", name="New Launcher").first.click(timeout=2 * PATIENCE)
    lab(page).locator(".jp-LauncherCard[data-category=Notebook] >> visible=true").first.click()
    lab(page).locator(".jp-Notebook .jp-Cell .cm-content >> visible=true").last.wait_for(timeout=2 * PATIENCE)


def run_cell(page: Page, code: str) -> None:
    """Types code into the last cell of the open notebook and runs it, once the kernel is idle."""
    expect(lab(page).get_by_text("| Idle")).to_be_visible(timeout=2 * PATIENCE)
    cell = lab(page).locator(".jp-Notebook .jp-Cell .cm-content >> visible=true").last
    cell.click()
    page.keyboard.insert_text(code.strip())
    expect(cell).to_contain_text(code.strip().splitlines()[-1])
    page.keyboard.press("Shift+Enter")


def test_a_person_logs_in_runs_a_cell_and_sees_its_output(alma):
    """From the log-in page to a cell's output, all in the browser."""
    page, _ = alma
    new_notebook(page)
    run_cell(page, "print('six times seven is', 6 * 7)")
    expect(lab(page).get_by_text("six times seven is 42").last).to_be_visible(timeout=PATIENCE)


def test_a_bokeh_figure_is_drawn_from_data(alma):
    """The figure arrives as data and is drawn by the image's own extension: a canvas, no script of the kernel's."""
    page, _ = alma
    run_cell(page, FIGURE)
    expect(lab(page).locator(".jp-OutputArea-output canvas").first).to_be_visible(timeout=2 * PATIENCE)


def test_the_example_notebook_runs_from_its_menu(alma):
    """A newcomer opens the association study, chooses Run All Cells, and sees the Manhattan plot and the table."""
    page, _ = alma
    files = lab(page).get_by_role("region", name="File Browser Section")
    files.get_by_text("examples", exact=True).dblclick()
    files.get_by_text("01-association.ipynb", exact=True).dblclick()
    expect(lab(page).get_by_text("| Idle")).to_be_visible(timeout=2 * PATIENCE)
    lab(page).get_by_role("menuitem", name="Run", exact=True).click()
    lab(page).get_by_text("Run All Cells", exact=True).click()
    plot = lab(page).locator(".jp-Cell", has_text="ngc.manhattan").locator(".jp-OutputArea-output canvas")
    expect(plot.first).to_be_attached(timeout=5 * PATIENCE)
    expect(lab(page).get_by_text("_summary_statistics.tsv:").first).to_be_attached(timeout=3 * PATIENCE)
    cell = lab(page).locator(".jp-Cell", has_text="ngc.manhattan")
    cell.evaluate("element => element.scrollIntoView({block: 'start'})")
    expect(plot.first).to_be_in_viewport(timeout=PATIENCE)
    picture(page, "session")


def test_html_of_an_output_runs_no_script(alma):
    """A script in an output neither runs nor arrives."""
    page, _ = alma
    new_notebook(page)
    code = "from IPython.display import HTML, Javascript, display\n"
    code += "display(HTML('<b id=here>still here</b><script>document.title=\"taken\"</script>'))\n"
    code += "display(Javascript('document.title=\"taken\"'))\nprint('both sent')"
    run_cell(page, code)
    expect(lab(page).get_by_text("both sent").last).to_be_visible(timeout=PATIENCE)
    expect(lab(page).get_by_text("still here").last).to_be_visible()
    session = next(frame for frame in page.frames if frame.name == "session")
    assert session.title() != "taken"
    assert session.locator(".jp-OutputArea script").count() == 0


def test_a_terminal_opens_and_its_lines_are_recorded(alma, played):
    """From the launcher to a shell's answer; the line stands in the audit log as it was typed."""
    page, project = alma
    shown: list[str] = []

    def listen(socket: WebSocket) -> None:
        if "terminals/websocket" in socket.url:
            socket.on("framereceived", lambda text: shown.append(str(text)))

    def wait_for(text: str) -> None:
        for _ in range(PATIENCE // 200):
            if any(text in one for one in shown):
                return
            page.wait_for_timeout(200)
        pytest.fail(f"{text!r} did not come: {shown}")

    page.on("websocket", listen)
    lab(page).get_by_role("button", name="New Launcher").first.click(timeout=2 * PATIENCE)
    lab(page).locator(".jp-LauncherCard[title*=terminal] >> visible=true").first.click()
    screen = lab(page).locator(".jp-Terminal .xterm >> visible=true")
    screen.wait_for(timeout=PATIENCE)
    wait_for("$ ")
    screen.click()
    page.keyboard.type("echo $((6*7))")
    page.keyboard.press("Enter")
    wait_for("42")
    picture(page, "terminal")
    with contextlib.closing(Database(played.settings.database)) as database, database.reading() as db:
        events = AuditLog(played.settings.control_dir / "audit").read(db, kind="session.terminal")
    assert "echo $((6*7))" in ["".join(event.details["lines"]) for event in events if event.project == project]


def test_a_session_is_not_shown_outside_the_portals_frame(alma, played):
    """JupyterLab at top level is refused, with a page that leads back to the portal."""
    page, project = alma
    other = page.context.new_page()
    answer = other.goto(f"{played.settings.subdomain_url('alma')}/user/alma/{project}/lab")
    assert answer is not None
    assert answer.status == 403
    expect(other.get_by_role("link").first).to_have_attribute("href", re.compile("portal--service"))
    other.close()


def test_the_browser_can_download_nothing_from_the_session(alma):
    """A link to a file, made by a script in the page itself, ends in a refusal and in no download."""
    page, project = alma
    session = next(frame for frame in page.frames if frame.name == "session")
    statuses = session.evaluate(
        """async (project) => {
            const base = `/user/alma/${project}/`;
            const paths = ['files/home/examples/01-association.ipynb', 'nbconvert/html/home/examples/01-association.ipynb',
                           'api/contents/home/examples/01-association.ipynb?format=base64&type=file'];
            return Promise.all(paths.map(async (path) => (await fetch(base + path)).status));
        }""",
        project,
    )
    assert set(statuses) <= {400, 403, 404}
    outside = session.evaluate("fetch('http://203.0.113.10/').then(() => 'reached', () => 'blocked')")
    assert outside == "blocked"


@pytest.mark.parametrize(("width", "name"), [(390, "phone"), (1280, "desktop")])
@pytest.mark.parametrize("locale", ["da-DK", "en-GB"])
def test_the_front_page_fits_phone_and_desktop_in_both_languages(browser, played, width, name, locale):
    """Nothing is wider than the window, and the language is the person's."""
    page = log_in(browser, played, "bo", width, locale)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.documentElement.lang") == locale[:2]
    picture(page, f"overview-{name}-{locale[:2]}")
    page.context.close()
