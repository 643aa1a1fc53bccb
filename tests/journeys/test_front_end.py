"""JupyterLab from the gateway's own copy, in a real session: what the container is asked, and what can be copied out."""

from __future__ import annotations

import re
import subprocess

import pytest
from playwright.sync_api import expect

from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database
from tests.journeys.test_browser import PATIENCE, alma, browser, lab, new_notebook  # noqa: F401 (fixtures)

pytestmark = [pytest.mark.journey, pytest.mark.docker, pytest.mark.browser]

LINES = "\n".join(f"value_{number} = {number}  # a line of code" for number in range(200))


@pytest.fixture(scope="module")
def fresh(alma):  # noqa: F811
    """Her session without the documents that an earlier one had open: they take the keyboard while they come back."""
    page, _ = alma
    session = next(frame for frame in page.frames if frame.name == "session")
    session.goto(f"{session.url.partition('?')[0]}?reset")
    return alma


def empty_notebook(page):
    """Opens one whose kernel is ready, and gives its cells."""
    new_notebook(page)
    expect(lab(page).get_by_text("| Idle")).to_be_visible(timeout=2 * PATIENCE)
    return lab(page).locator(".jp-Notebook .jp-Cell .cm-content >> visible=true")


def recorded(played) -> list[str]:
    """What the guard reported."""
    database = Database(played.settings.database)
    with database.reading() as db:
        events = AuditLog(played.settings.control_dir / "audit").read(db, kind="gateway.refused", limit=1000)
    database.close()
    return [str(event.details["what"]) for event in events if event.reason == "copy.too_large"]


def test_a_large_copy_out_of_a_cell_is_stopped(fresh, played):
    """All of a long cell is neither copied nor cut: the person reads how to ask, the text stays, the log has the size."""
    page, _ = fresh
    cell = empty_notebook(page).last
    cell.click()
    page.keyboard.insert_text(LINES)
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+x")
    notice = lab(page).locator("#ngc-guard")
    expect(notice).to_contain_text(f"{len(LINES):,} characters", timeout=PATIENCE)
    page.keyboard.press("Control+c")
    page.keyboard.press("End")
    expect(cell).to_contain_text("value_199 = 199")
    page.wait_for_timeout(2_000)  # the log is written once a second
    assert f"cut of {len(LINES)} characters" in recorded(played)


def test_a_small_copy_is_pasted(fresh):
    """A line goes from one cell to the next."""
    page, _ = fresh
    cells = empty_notebook(page)
    cells.last.click()
    page.keyboard.insert_text("line = 'to copy'")
    for key in ("Control+a", "Control+c", "End", "Enter", "Control+v"):
        page.keyboard.press(key)
    expect(cells.last).to_have_text(re.compile(r"line = 'to copy'\s*line = 'to copy'"), timeout=PATIENCE)


def test_the_container_is_asked_for_no_code(alma, played):  # noqa: F811
    """Its log has JupyterLab's page, which the sign-in needs, and data: no script, style, theme or picture."""
    page, project = alma
    expect(lab(page).get_by_role("menuitem", name="File", exact=True)).to_be_visible(timeout=PATIENCE)
    own = ["docker", "ps", "-q", "--filter", f"name=ngc-{played.settings.instance}-"]
    [container] = subprocess.run(own, check=True, capture_output=True, text=True).stdout.split()
    done = subprocess.run(["docker", "logs", container], check=True, capture_output=True, text=True)
    asked = re.findall(rf"GET /user/alma/{project}/(\S*)", done.stdout + done.stderr)
    assert "lab" in asked
    assert "api/kernelspecs" in [path.partition("?")[0] for path in asked]
    code = re.compile(
        r"^(static/|lab/extensions/|lab/api/themes/|kernelspecs/|favicon|-/)|\.(js|css|woff2?|svg|png|ico)(\?|$)"
    )
    assert [path for path in asked if code.search(path)] == []
