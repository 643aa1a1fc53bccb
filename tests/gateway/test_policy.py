"""The table of HTTP rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngc_workbench.gateway.policy import GENERAL, RULES, Handling, decide

KERNEL = "0e8f9a52-1c57-4a8e-9d1a-3f0f5c1e2b7d"

NEEDED = [
    ("GET", "", "lab.page"),
    ("GET", "lab", "lab.page"),
    ("GET", "lab/tree/notes/One two.ipynb", "lab.page"),
    ("GET", "lab/workspaces/auto-k/tree/x.ipynb", "lab.page"),
    ("GET", "oauth_callback", "oauth.callback"),
    ("GET", "static/lab/main.efd36b46f3b45eb8.js", "lab.static"),
    ("GET", "static/favicons/favicon-busy-1.ico", "lab.static"),
    ("GET", "lab/extensions/jupyterlab_pygments/static/remoteEntry.5cbb.js", "lab.extension"),
    ("GET", "lab/api/themes/@jupyterlab/theme-light-extension/index.css", "lab.theme"),
    ("GET", "kernelspecs/python3/logo-svg.svg", "kernel.logo"),
    ("GET", "api", "server.version"),
    ("GET", "api/me", "person"),
    ("GET", "api/kernelspecs", "kernelspecs"),
    ("GET", "api/kernels", "kernels.list"),
    ("POST", "api/kernels", "kernels.start"),
    ("DELETE", f"api/kernels/{KERNEL}", "kernel.stop"),
    ("POST", f"api/kernels/{KERNEL}/interrupt", "kernel.control"),
    ("POST", f"api/kernels/{KERNEL}/restart", "kernel.control"),
    ("GET", "api/sessions", "notebooks.list"),
    ("POST", "api/sessions", "notebooks.open"),
    ("PATCH", f"api/sessions/{KERNEL}", "notebook.change"),
    ("GET", "api/contents", "contents.read"),
    ("GET", "api/contents/a/b.ipynb", "contents.read"),
    ("PUT", "api/contents/a/b.ipynb", "contents.write"),
    ("GET", "api/contents/a/b.ipynb/checkpoints", "checkpoints"),
    ("POST", "api/contents/a/b.ipynb/checkpoints", "checkpoints"),
    ("GET", "lab/api/settings/@jupyterlab/notebook-extension:panel", "lab.settings"),
    ("PUT", "lab/api/workspaces/default", "lab.workspace.write"),
    ("GET", "lab/api/translations/da_DK", "lab.translations"),
    ("GET", "api/nbconvert", "nbconvert.formats"),
    ("GET", "lsp/status", "language.servers"),
    ("GET", "api/terminals", "terminals.list"),
    ("POST", "api/terminals", "terminals.start"),
    ("DELETE", "api/terminals/1", "terminal.stop"),
]

SHUT = [
    ("GET", "files/x.csv", "files.download"),
    ("HEAD", "files/x.csv", "files.download"),
    ("GET", "files", "files.download"),
    ("GET", "view/x.html", "files.view"),
    ("GET", "nbconvert/html/x.ipynb", "nbconvert.export"),
    ("POST", "nbconvert/html", "nbconvert.export"),
    ("GET", "directories/x", "archive.download"),
    ("GET", "terminals/new/1", "route.unlisted"),
    ("GET", "terminals/websocket/a b", "route.unlisted"),
    ("GET", "api/terminals/1", "route.unlisted"),
    ("DELETE", "api/terminals", "route.unlisted"),
    ("DELETE", "api/terminals/1/x", "route.unlisted"),
    ("POST", "lab/api/extensions", "extension.install"),
    ("POST", "lab/api/build", "lab.build"),
    ("PUT", "api/config/notebook", "config.write"),
    ("GET", "hub/token", "token.make"),
    ("GET", "proxy/8080/", "proxy.port"),
    ("GET", "tree", "other.interface"),
    ("GET", "lsp/ws/pylsp", "language.server"),
    ("GET", "logout", "log.in"),
    ("GET", "metrics", "server.insides"),
    ("GET", "api/spec.yaml", "server.insides"),
    ("GET", "static/lab/page.html", "route.unlisted"),
    ("GET", "static/lab/archive.zip", "route.unlisted"),
    ("GET", "kernelspecs/python3/kernel.js", "route.unlisted"),
    ("TRACE", "api", "route.unlisted"),
    ("OPTIONS", "api/kernels", "route.unlisted"),
    ("POST", f"api/kernels/{KERNEL}/restart/x", "route.unlisted"),
    ("POST", "api/kernels/not-a-kernel/restart", "route.unlisted"),
    ("GET", "lab\n", "route.unlisted"),
    ("GET", "apis", "route.unlisted"),
    ("GET", "api/contents2", "route.unlisted"),
]


@pytest.mark.parametrize(("method", "path", "name"), NEEDED)
def test_what_jupyterlab_needs_passes(method: str, path: str, name: str) -> None:
    """Each call that JupyterLab was seen to make is allowed by the rule named for it."""
    decision = decide(method, path, (), {})
    assert (decision.allowed, decision.reason) == (True, name)


@pytest.mark.parametrize(("method", "path", "name"), SHUT)
def test_shut_doors_say_why(method: str, path: str, name: str) -> None:
    """Every other way in or out is refused by a named rule, in plain words, with a way to ask instead."""
    decision = decide(method, path, (), {})
    assert (decision.allowed, decision.reason) == (False, name)
    assert decision.text.endswith(".")
    assert decision.remedy


def test_names_are_unique_and_refusals_have_a_remedy() -> None:
    """The name of a rule says which rule it was; who is refused hears how to ask instead."""
    names = [rule.name for rule in (*RULES, *GENERAL)]
    assert len(set(names)) == len(names)
    assert all(rule.remedy for rule in (*RULES, *GENERAL) if rule.handling is Handling.REFUSED)


@given(st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"]), st.text(max_size=40))
def test_an_invented_path_is_refused_unless_a_rule_names_it(method: str, path: str) -> None:
    """Nothing passes by default."""
    decision = decide(method, f"x{path}", (), {})
    assert not decision.allowed


@pytest.mark.parametrize(
    ("path", "headers", "name"),
    [
        ("lab", {"Sec-Fetch-Dest": "document"}, "page.outside_frame"),
        ("", {"Sec-Fetch-Dest": "document"}, "page.outside_frame"),
        ("lab", {"Sec-Fetch-Dest": "embed"}, "page.not_a_page"),
        ("lab", {"Sec-Fetch-Dest": "script"}, "page.not_a_page"),
        ("api/contents/x.txt", {"Sec-Fetch-Dest": "document"}, "page.not_a_page"),
        ("api/contents/x.txt", {"Sec-Fetch-Dest": "iframe"}, "page.not_a_page"),
        ("static/lab/x.svg", {"Sec-Fetch-Dest": "iframe"}, "page.not_a_page"),
        ("api/me", {"Sec-Fetch-Site": "same-site"}, "request.cross_origin"),
        ("api/me", {"Sec-Fetch-Site": "cross-site"}, "request.cross_origin"),
        ("api/me", {"Upgrade": "websocket"}, "request.upgrade"),
        (f"api/kernels/{KERNEL}/channels", {}, "request.upgrade"),
        ("api/me", {"Content-Length": "5"}, "request.too_large"),
        ("api/me", {"Content-Length": "-5"}, "request.too_large"),
        ("api/me", {"Content-Length": "9" * 40}, "request.too_large"),
        ("api/me", {"Transfer-Encoding": "chunked"}, "request.too_large"),
        ("api/me", {"Authorization": "token x"}, "request.token"),
        ("api/kernels", {"Authorization": "Bearer x"}, "request.token"),
    ],
)
def test_a_listed_path_asked_in_the_wrong_way_is_refused(path: str, headers: dict[str, str], name: str) -> None:
    """Pages show only in the portal's frame, data is never a page, other origins get nothing, bodies fit the rule."""
    assert decide("GET", path, (), headers).reason == name


def test_a_page_may_be_framed_and_signing_in_may_end_at_the_top() -> None:
    """The frame itself passes, and so does the hop back from the hub."""
    assert decide("GET", "lab", (), {"Sec-Fetch-Dest": "iframe"}).allowed
    assert decide("GET", "oauth_callback", (), {"Sec-Fetch-Dest": "document"}).allowed


def test_bodies_are_json() -> None:
    """Forms and uploads of other types are refused."""
    headers = {"Content-Length": "9", "Content-Type": "multipart/form-data; boundary=x"}
    assert decide("POST", "api/sessions", (), headers).reason == "request.type"


def test_only_listed_parameters_pass() -> None:
    """Parameters that no row names are left out; one given twice is refused."""
    decision = decide("GET", "api/contents/x", (("download", "1"), ("content", "1"), ("1795565843563", "")), {})
    assert decision.query == (("content", "1"),)
    assert (
        decide("GET", "api/contents/x", (("format", "text"), ("format", "base64")), {}).reason == "request.parameters"
    )
