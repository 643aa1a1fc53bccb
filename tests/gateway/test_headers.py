"""Headers in both directions."""

from __future__ import annotations

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from ngc_workbench.errors import Refused
from ngc_workbench.gateway import headers
from ngc_workbench.gateway.policy import RULES, Handling, Rule, find
from ngc_workbench.gateway.routes import Route
from ngc_workbench.settings import Settings


def upstream(*pairs: tuple[str, str]) -> CIMultiDictProxy[str]:
    return CIMultiDictProxy(CIMultiDict(pairs))


def rule(path: str) -> Rule:
    return find("GET", path)


def test_the_page_has_a_strict_policy_of_ours(route: Route, settings: Settings) -> None:
    """A container's own policy is left out; ours names the session's origin, the portal as only frame, no way out."""
    kept = headers.to_browser(upstream(("Content-Security-Policy", "default-src *")), rule("lab"), route, settings)
    policy = dict(part.partition(" ")[::2] for part in kept["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self' 'unsafe-eval'"
    assert policy["connect-src"] == f"'self' ws://alma.workbench.localhost:{settings.public_port}"
    assert policy["frame-ancestors"] == f"http://portal--service.workbench.localhost:{settings.public_port}"
    assert policy["form-action"] == "'self'"
    assert policy["base-uri"] == "'none'"
    assert policy["frame-src"] == policy["object-src"] == "'none'"
    sandbox = policy["sandbox"].split()
    assert not {
        "allow-downloads",
        "allow-popups",
        "allow-top-navigation",
        "allow-top-navigation-by-user-activation",
    } & set(sandbox)
    assert kept["Referrer-Policy"] == "no-referrer"
    assert kept["X-Content-Type-Options"] == "nosniff"
    assert kept["X-DNS-Prefetch-Control"] == "off"
    assert "camera=()" in kept["Permissions-Policy"]
    # A script can't write the clipboard past the guard, which sees events alone.
    assert "clipboard-write=()" in kept["Permissions-Policy"]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("lab", "text/html; charset=utf-8"),
        ("api/me", "application/json; charset=utf-8"),
        ("api/contents/x", "application/json; charset=utf-8"),
        ("lab/api/translations/da_DK", "application/json; charset=utf-8"),
    ],
)
def test_types_are_forced(route: Route, settings: Settings, path: str, kind: str) -> None:
    """The type comes from the route, whatever the container says."""
    kept = headers.to_browser(upstream(("Content-Type", "application/octet-stream")), rule(path), route, settings)
    assert kept["Content-Type"] == kind


def test_no_answer_of_a_container_has_a_type_that_runs(route: Route, settings: Settings) -> None:
    """Of all rows that ask the container, none gives more than JSON, or a page that the gateway writes."""
    asking = {Handling.DOCUMENT, Handling.CALLBACK, Handling.JSON, Handling.CONTENTS}
    sent = upstream(("Content-Type", "text/javascript"))
    kinds = {
        (row.handling, headers.to_browser(sent, row, route, settings)["Content-Type"])
        for row in RULES
        if row.handling in asking
    }
    assert kinds == {
        (Handling.DOCUMENT, "text/html; charset=utf-8"), (Handling.CALLBACK, "text/html; charset=utf-8"),
        (Handling.JSON, "application/json; charset=utf-8"), (Handling.CONTENTS, "application/json; charset=utf-8"),
    }  # fmt: skip


@pytest.mark.parametrize(
    "pair",
    [
        ("Content-Disposition", "attachment"),
        ("Content-Disposition", 'ATTACHMENT; filename="x.vcf"'),
        ("Content-Disposition", "inline; x, attachment"),
        ("Content-Encoding", "gzip"),
        ("Content-Encoding", "br"),
    ],
)
def test_files_and_encoded_bodies_are_refused(route: Route, settings: Settings, pair: tuple[str, str]) -> None:
    """An answer to be saved as a file, or one that can't be looked into, doesn't pass."""
    with pytest.raises(Refused):
        headers.to_browser(upstream(pair), rule("api/me"), route, settings)


def test_only_listed_headers_pass(route: Route, settings: Settings) -> None:
    """Whatever else a container sends is left out."""
    sent = [
        ("Link", "<https://outside.example/x>; rel=preload"), ("Refresh", "0; url=https://outside.example"), ("Clear-Site-Data", '"*"'),
        ("Access-Control-Allow-Origin", "*"), ("X-Data", "QUJD"), ("Report-To", "{}"), ("NEL", "{}"), ("SourceMap", "x"),
        ("Service-Worker-Allowed", "/"), ("ETag", '"abc"'), ("X-JupyterHub-Version", "6.1.1"), ("Content-Disposition", "inline"),
        ("Strict-Transport-Security", "max-age=1"), ("Set-Login", "x"), ("Transfer-Encoding", "chunked"), ("Connection", "X-Data"),
    ]  # fmt: skip
    for path in ("api/me", "lab", "api/contents/x"):
        kept = headers.to_browser(upstream(*sent), rule(path), route, settings)
        assert {name for name, _ in sent} & set(kept) == {"X-JupyterHub-Version"}


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("_xsrf=2|a|b; Path=/user/alma/heart/", "_xsrf=2|a|b; Path=/user/alma/heart/; SameSite=Lax"),
        ("_xsrf=v; expires=Wed, 01 Dec 2027 00:00:00 GMT; Path=/user/alma/heart/", "_xsrf=v; Path=/user/alma/heart/; SameSite=Lax; expires=Wed, 01 Dec 2027 00:00:00 GMT"),
        ('jupyterhub-user-alma-heart="2|1:0|x=="; HttpOnly; Path=/user/alma/heart/', 'jupyterhub-user-alma-heart="2|1:0|x=="; Path=/user/alma/heart/; SameSite=Lax; HttpOnly'),
        ("jupyterhub-user-alma-heart-oauth-state=x; Max-Age=600; Path=/user/alma/heart/", "jupyterhub-user-alma-heart-oauth-state=x; Path=/user/alma/heart/; SameSite=Lax; Max-Age=600"),
        ("_xsrf=v; Path=/user/alma/heart/; Domain=workbench.localhost; SameSite=None", "_xsrf=v; Path=/user/alma/heart/; SameSite=Lax"),
        ("_xsrf=v; Path=/", None),
        ("_xsrf=v", None),
        ("_xsrf=v; Path=/user/alma/heart/; Path=/", None),
        ("_xsrf=v; Path=/user/alma/other/", None),
        ("jupyterhub-hub-login=x; Path=/user/alma/heart/", None),
        ("jupyterhub-session-id=x; Path=/user/alma/heart/", None),
        ("jupyterhub-user-alma-other=x; Path=/user/alma/heart/", None),
        ("data=QUJD; Path=/user/alma/heart/", None),
        ("_xsrf=a b; Path=/user/alma/heart/", None),
        ("_xsrf=" + "x" * 5000 + "; Path=/user/alma/heart/", None),
        ("", None),
    ],
)  # fmt: skip
def test_cookies_stay_below_the_sessions_path(route: Route, settings: Settings, raw: str, kept: str | None) -> None:
    """Only a Jupyter server's own cookies pass, for the session's own path."""
    assert headers.cookie_to_browser(raw, route, settings) == kept


def test_requests_are_scrubbed(route: Route, settings: Settings) -> None:
    """The container gets no cookie of another session or of the hub, no address, and no header beyond the list."""
    incoming = CIMultiDict({
        "Host": "evil", "Cookie": "_xsrf=1; jupyterhub-user-alma-other=2; jupyterhub-hub-login=3; jupyterhub-user-alma-heart=4",
        "X-Forwarded-For": "192.0.2.1", "X-Forwarded-Host": "evil", "Referer": "http://portal/", "Range": "bytes=0-", "Accept-Encoding": "gzip",
        "If-None-Match": '"x"', "If-Modified-Since": "x", "Connection": "X-XSRFToken", "TE": "trailers", "X-XSRFToken": "t", "Authorization": "token x",
    })  # fmt: skip
    kept = headers.to_session(incoming, route, settings)
    host = f"alma.workbench.localhost:{settings.public_port}"
    assert dict(kept) == {
        "X-XSRFToken": "t", "Host": host, "Accept-Encoding": "identity", "X-Forwarded-Host": host,
        "X-Forwarded-Proto": "http", "Cookie": "_xsrf=1; jupyterhub-user-alma-heart=4",
    }  # fmt: skip


def test_redirects_stay_inside_or_go_to_sign_in(route: Route, settings: Settings) -> None:
    """A redirect leads below the session's prefix, or to the hub's sign-in for this very server."""
    assert headers.location("/user/alma/heart/lab?x=1", route, settings) == "/user/alma/heart/lab?x=1"
    assert headers.location(f"{route.origin}/user/alma/heart/lab", route, settings) == "/user/alma/heart/lab"
    query = "client_id=jupyterhub-user-alma-heart&redirect_uri=%2Fuser%2Falma%2Fheart%2Foauth_callback&response_type=code&state=abc"
    expected = f"{settings.public_url}/hub/api/oauth2/authorize?{query}"
    assert headers.location(f"{settings.public_url}/hub/api/oauth2/authorize?{query}", route, settings) == expected
    assert headers.location(f"/hub/api/oauth2/authorize?{query}", route, settings) == expected


@pytest.mark.parametrize(
    "raw",
    [
        "https://outside.example/?d=QUJD", "//outside.example/", "/\\outside.example/", "http:outside", "javascript:alert(1)", "data:text/html,x",
        "/user/alma/other/lab", "/user/alma/heart/../other/", "/user/alma/heart/%2e%2e/other/", "/hub/logout", "/", "",
        "http://alma.workbench.localhost.outside.example/user/alma/heart/lab", "/user/alma/heart/lab\r\nX: y",
        "http://workbench.localhost:1/hub/api/oauth2/authorize?client_id=jupyterhub-user-alma-heart",
        "/hub/api/oauth2/authorize?client_id=jupyterhub-user-bo-heart&redirect_uri=/user/alma/heart/oauth_callback",
        "/hub/api/oauth2/authorize?client_id=jupyterhub-user-alma-heart&redirect_uri=https://outside.example/",
        "/hub/api/oauth2/authorize?client_id=jupyterhub-user-alma-heart&redirect_uri=/user/alma/heart/oauth_callback&data=QUJD",
    ],
)  # fmt: skip
def test_other_redirects_are_refused(route: Route, settings: Settings, raw: str) -> None:
    """No redirect carries anything elsewhere."""
    with pytest.raises(Refused):
        headers.location(raw, route, settings)
