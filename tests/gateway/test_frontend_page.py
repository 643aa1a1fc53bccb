"""JupyterLab's page as the gateway writes it."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngc_workbench.gateway import frontend, frontend_page
from ngc_workbench.gateway.frontend import FrontEnd
from ngc_workbench.gateway.routes import Route
from ngc_workbench.settings import Settings
from tests.gateway.conftest import PREFIX


class Read(HTMLParser):
    """What a browser would make of the page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[str, str] = {}
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Text, kept under the element that began last."""
        tag = self.tags[-1][0] if self.tags else ""
        self.text[tag] = self.text.get(tag, "") + data

    @property
    def config(self) -> dict[str, Any]:
        """What JupyterLab reads."""
        return json.loads(self.text["script"])

    def all(self, name: str) -> list[dict[str, str | None]]:
        """Attributes of each element of a kind."""
        return [attrs for tag, attrs in self.tags if tag == name]


@pytest.fixture
def front(settings: Settings) -> FrontEnd:
    return frontend.load(settings)


def test_the_configuration_is_this_sessions(front: FrontEnd, route: Route, settings: Settings) -> None:
    """Addresses lie below the session's prefix, names are its own, and there is no token."""
    assert frontend_page.configuration(front, route, settings, "lab") == {
        "appUrl": "/lab", "fullStaticUrl": f"{PREFIX}static/lab", "hubPrefix": "/hub/", "terminalsAvailable": False, "wsUrl": "",
        "federated_extensions": [{"name": "ngc-bokeh", "load": "static/remoteEntry.js"}], "nested": {"url": f"{PREFIX}x"},
        "baseUrl": PREFIX, "hubHost": settings.public_url, "hubServerName": "heart", "hubServerUser": "alma", "hubUser": "alma",
        "mode": "multiple-document", "store_id": 0, "token": "", "treePath": "", "workspace": "default",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("below", "workspace", "tree"),
    [
        ("", "default", ""),
        ("lab", "default", ""),
        ("lab/", "default", ""),
        ("lab/tree", "default", ""),
        ("lab/tree/home/One two.ipynb", "default", "home/One two.ipynb"),
        ("lab/tree/a/tree/b.ipynb", "default", "a/tree/b.ipynb"),
        ("lab/workspaces/auto-k", "auto-k", ""),
        ("lab/workspaces/auto-k/tree/x.ipynb", "auto-k", "x.ipynb"),
        ("lab/tree/line\nbreak", "default", "line\nbreak"),
    ],
)
def test_what_to_open_is_read_from_the_path(
    front: FrontEnd, route: Route, settings: Settings, below: str, workspace: str, tree: str
) -> None:
    """Workspace and file come from the address, as with JupyterLab's own handler."""
    made = frontend_page.configuration(front, route, settings, below)
    assert (made["workspace"], made["treePath"]) == (workspace, tree)


def test_the_guard_comes_before_any_other_script(front: FrontEnd, route: Route, settings: Settings) -> None:
    """Our script is the first that runs, knows its limit, and no script stands in the page itself."""
    page = Read(frontend_page.page(front, route, settings, "lab").decode())
    config, guard, *others = page.all("script")
    assert config == {"id": "jupyter-config-data", "type": "application/json"}
    assert guard == {"src": f"{PREFIX}-/guard.js", "data-limit": "2000", "data-report": f"{PREFIX}-/copied"}
    assert others == [{"defer": None, "src": f"{PREFIX}static/lab/main.efd3.js?v=efd3"}]
    assert page.all("link") == [
        {"rel": "icon", "type": "image/x-icon", "href": f"{PREFIX}favicon.ico", "class": "idle favicon"}
    ]
    assert page.all("body") == [{"class": "jp-ThemedContainer"}]


def test_printing_shows_nothing(front: FrontEnd, route: Route, settings: Settings) -> None:
    """A print-out of the page, or of the portal's page around it, is empty."""
    page = Read(frontend_page.page(front, route, settings, "lab").decode())
    assert re.fullmatch(r"@media print \{ html \{ display: none !important; \} \}", page.text["style"].strip())


NASTY = [
    "</script><script>alert(1)</script>", "<!--<script>", "]]>", "\u2028\u2029", '"', "'", "&lt;/script&gt;", "\\u003c", "{config}", "%s",
    "</SCRIPT ", "/user/placeholder-person/placeholder-project/",
]  # fmt: skip


@pytest.mark.parametrize("name", NASTY)
@pytest.mark.parametrize("form", ["lab/workspaces/{}/tree/{}", "lab/tree/{}", "lab/workspaces/{}"])
def test_a_path_does_not_break_out(front: FrontEnd, route: Route, settings: Settings, name: str, form: str) -> None:
    """Whatever stands in the address is text of the configuration, and the page has the elements that it always has."""
    plain = Read(frontend_page.page(front, route, settings, "lab").decode())
    below = form.replace("{}", name)
    html = frontend_page.page(front, route, settings, below).decode()
    page = Read(html)
    assert page.tags == plain.tags
    expected = frontend_page.configuration(front, route, settings, below)
    assert page.config == expected
    if "/" not in name:
        assert name in (expected["workspace"], expected["treePath"])
    assert not re.search(r"[<>&\u2028\u2029]", html.split('application/json">')[1].split("</script>")[0])


@given(st.text(max_size=60))
def test_no_text_ends_the_element_that_holds_it(text: str) -> None:
    """The configuration as it stands in the page reads back as what it was, and holds no mark-up."""
    written = frontend_page._inside_script({"treePath": text})
    assert not set("<>&") & set(written)
    assert json.loads(written) == {"treePath": text}
