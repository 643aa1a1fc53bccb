"""The guard in a real browser: JupyterLab's page as the gateway writes it, in a frame of the portal's origin."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
from playwright.async_api import Frame, Page, Route, async_playwright

from tests.gateway.conftest import OURS, PREFIX, Door, Upstream, write_copy

pytestmark = pytest.mark.browser

CHROMIUM = os.environ.get("NGC_CHROMIUM", "/usr/bin/chromium")
LARGE = 5000
# In place of JupyterLab: text to copy, fields to copy from and to paste into, and a picture.
SCRIPT = f"""
window.addEventListener('load', () => {{
  document.body.innerHTML = '<p id=small tabindex=0>twelve signs</p><p id=large tabindex=0></p><textarea id=from></textarea><textarea id=to></textarea>' +
    '<img id=picture src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">';
  document.getElementById('large').textContent = 'x'.repeat({LARGE});
  document.getElementById('from').value = 'y'.repeat({LARGE});
}});
"""


@dataclass
class Shown:
    """The session's frame in an open browser window."""

    page: Page
    frame: Frame

    async def press(self, key: str, selected: str) -> None:
        """Selects an element's text and presses a key."""
        await self.frame.evaluate(
            """(id) => { const element = document.getElementById(id); element.focus();
               element.select ? element.select() : getSelection().selectAllChildren(element); }""",
            selected,
        )
        await self.page.keyboard.press(key)

    async def pasted(self) -> str:
        """What is on the clipboard, by pasting it into the page."""
        await self.frame.evaluate("document.getElementById('to').value = ''; document.getElementById('to').focus()")
        await self.page.keyboard.press("Control+v")
        return await self.frame.evaluate("document.getElementById('to').value")

    async def notice(self) -> str:
        """What the guard says on the page; empty when it says nothing."""
        return await self.frame.evaluate("document.getElementById('ngc-guard')?.textContent ?? ''")


@pytest.fixture
def settings(settings, tmp_path: Path):
    """A front end whose script makes a page to copy from."""
    write_copy(tmp_path / "frontend", {**OURS, "static/lab/main.efd3.js": SCRIPT.encode()})
    return settings


def passing_to(port: int) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    """What the hub's proxy is to the gateway: it hands over bytes between the public port and the gateway's own."""

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
        sink.close()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_gateway, to_gateway = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pump(reader, to_gateway), pump(from_gateway, writer))

    return handle


@pytest.fixture(params=["en-GB"])
async def shown(door: Door, container: Upstream, request: pytest.FixtureRequest) -> AsyncIterator[Shown]:
    """The page in its frame, in Debian's Chromium."""
    portal = door.settings.subdomain_url("portal--service")
    quiet = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
    # The portal's page is Playwright's own here: to Chromium it comes from outside of this machine.
    quiet.append("--disable-features=LocalNetworkAccessChecks")
    hub = await asyncio.start_server(passing_to(door.settings.gateway_port), "127.0.0.1", door.settings.public_port)
    async with hub, async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=quiet)
        context = await chromium.new_context(locale=request.param)

        async def around(asked: Route) -> None:
            frame = (
                f'<iframe name=session src="http://{door.host}{PREFIX}lab" style="width:900px;height:600px"></iframe>'
            )
            await asked.fulfill(content_type="text/html", body=f"<!doctype html>{frame}")

        await context.route(f"{portal}/**", around)
        page = await context.new_page()
        await page.goto(f"{portal}/services/portal/x")
        frame = page.frame("session")
        assert frame is not None
        await frame.wait_for_selector("#to", timeout=10_000)
        yield Shown(page, frame)
        await chromium.close()


async def copies(door: Door) -> list[str]:
    return [str(event.details["what"]) for event in await door.recorded() if event.reason == "copy.too_large"]


async def test_a_small_copy_passes_and_pasting_works(door: Door, shown: Shown) -> None:
    """Text below the limit is copied and pasted as ever; nothing is said or recorded."""
    await shown.press("Control+c", "small")
    assert await shown.pasted() == "twelve signs"
    await shown.frame.evaluate("navigator.clipboard.writeText('by a button')")
    assert await shown.pasted() == "by a button"
    assert await shown.notice() == ""
    assert await copies(door) == []


async def test_a_large_copy_is_stopped_told_and_recorded(door: Door, shown: Shown) -> None:
    """The clipboard keeps what it had, the person reads how to ask instead, and the log has the size."""
    await shown.press("Control+c", "small")
    await shown.press("Control+c", "large")
    said = await shown.notice()
    assert "5,000 characters, 2,000 at most" in said
    assert "ask for its release in the portal" in said
    assert await shown.pasted() == "twelve signs"
    await shown.page.wait_for_timeout(300)
    assert await copies(door) == [f"copy of {LARGE} characters"]


async def test_a_large_cut_leaves_the_text(door: Door, shown: Shown) -> None:
    """Nothing is cut away that couldn't be pasted again."""
    await shown.press("Control+x", "from")
    assert len(await shown.frame.evaluate("document.getElementById('from').value")) == LARGE
    assert await shown.pasted() == ""
    await shown.page.wait_for_timeout(300)
    assert await copies(door) == [f"cut of {LARGE} characters"]


async def test_what_an_editor_or_a_button_hands_over_is_measured(door: Door, shown: Shown) -> None:
    """An editor that hands over more than the page shows selected, and a script that writes by itself, are stopped too."""
    await shown.frame.evaluate(
        """() => document.addEventListener('copy', (event) => {
             event.clipboardData.setData('text/plain', 'z'.repeat(3000)); event.preventDefault(); }, {once: true})"""
    )
    await shown.press("Control+c", "small")
    assert "3,000 characters" in await shown.notice()
    assert await shown.pasted() == ""
    refused = await shown.frame.evaluate(
        "navigator.clipboard.writeText('w'.repeat(4000)).then(() => 'written', (error) => error.name)"
    )
    assert refused == "NotAllowedError"
    assert "4,000 characters" in await shown.notice()
    assert await shown.pasted() == ""


async def test_dragging_out_is_stopped(door: Door, shown: Shown) -> None:
    """Large text, and any picture, stay in the page; a small text may be dragged."""
    outcomes = await shown.frame.evaluate(
        """() => {
          const drag = (id, text) => {
            const carried = new DataTransfer();
            if (text) carried.items.add(text, 'text/plain');
            const event = new DragEvent('dragstart', {dataTransfer: carried, bubbles: true, cancelable: true});
            document.getElementById(id).dispatchEvent(event);
            return event.defaultPrevented;
          };
          const menu = new MouseEvent('contextmenu', {bubbles: true, cancelable: true});
          document.getElementById('picture').dispatchEvent(menu);
          return {small: drag('small', 'ab'), large: drag('large', 'x'.repeat(2001)), picture: drag('picture', ''),
                  exact: drag('small', 'x'.repeat(2000)), menu: menu.defaultPrevented};
        }"""
    )
    assert outcomes == {"small": False, "large": True, "picture": True, "exact": False, "menu": True}
    await shown.page.wait_for_timeout(300)
    assert (await copies(door))[0] == "drag of 2001 characters"


@pytest.mark.parametrize("shown", ["da-DK"], indirect=True)
async def test_the_notice_speaks_danish(shown: Shown) -> None:
    """The language is the browser's."""
    await shown.press("Control+c", "large")
    assert "Kopieringen blev stoppet: 5.000 tegn, højst 2.000 ad gangen." in await shown.notice()


async def test_printed_there_is_nothing(shown: Shown) -> None:
    """On paper the session's frame is empty."""
    state = SimpleNamespace()
    for media in ("screen", "print"):
        await shown.page.emulate_media(media=media)
        setattr(state, media, await shown.frame.evaluate("getComputedStyle(document.documentElement).display"))
    assert (state.screen, state.print) == ("block", "none")


async def test_the_policy_leaves_our_scripts_alone(shown: Shown) -> None:
    """Scripts in the page or from elsewhere don't run, and the async clipboard is closed but for the guard's way."""
    ran = await shown.frame.evaluate(
        """async () => {
          const script = document.createElement('script');
          script.textContent = 'window.inlineRan = true';
          document.head.append(script);
          const data = document.createElement('script');
          data.src = 'api/contents/x.js';
          const loaded = new Promise((resolve) => { data.onload = () => resolve('ran'); data.onerror = () => resolve('refused'); });
          document.head.append(data);
          const write = Object.getPrototypeOf(navigator.clipboard).writeText;
          const written = await write.call(navigator.clipboard, 'x').then(() => 'written', (error) => error.name);
          return {inline: window.inlineRan === true, data: await loaded, written};
        }"""
    )
    assert ran == {"inline": False, "data": "refused", "written": "NotAllowedError"}
