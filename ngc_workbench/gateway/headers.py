"""Which headers pass, in both directions; the rest are ours.

To the container go only the headers that a Jupyter server reads. To the browser go only the hub's version and cookies that
stay below the session's own path; type, policy and caching are set here, by the table's row, whatever the container says. A
type that a browser runs or draws is given to files of the gateway's own copy alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit

from multidict import CIMultiDict, CIMultiDictProxy

from ngc_workbench.errors import Refused
from ngc_workbench.gateway.frontend import File
from ngc_workbench.gateway.paths import clean, written
from ngc_workbench.gateway.policy import Handling, Rule
from ngc_workbench.gateway.routes import Route
from ngc_workbench.settings import Settings

_TO_SESSION = (
    "Accept",
    "Accept-Language",
    "Content-Type",
    "Origin",
    "Sec-Fetch-Dest",
    "Sec-Fetch-Mode",
    "Sec-Fetch-Site",
    "User-Agent",
    "X-Requested-With",
    "X-XSRFToken",
)
_VERSION = re.compile(r"[0-9A-Za-z.+-]{1,40}")
_COOKIE = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}=[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e\"]{0,4000}")
_COOKIE_TIME = re.compile(r"(?:max-age=-?\d{1,10}|expires=[A-Za-z0-9,: -]{10,40})", re.IGNORECASE)
_MAX_COOKIES = 8

# Nothing of the machine on which the browser runs is a session's business. Pasting, and copying by hand, need no permission; what
# a script copies by itself does.
_PERMISSIONS = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer", "autoplay", "camera", "clipboard-read", "clipboard-write", "display-capture",
        "encrypted-media", "gamepad", "geolocation", "gyroscope", "hid", "identity-credentials-get", "idle-detection",
        "local-fonts", "magnetometer", "microphone", "midi", "otp-credentials", "payment", "picture-in-picture",
        "publickey-credentials-get", "screen-wake-lock", "serial", "usb", "window-management",
        "xr-spatial-tracking",
    )
)  # fmt: skip

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-DNS-Prefetch-Control": "off",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Origin-Agent-Cluster": "?1",
    "Server": "gateway",
}

_DATA_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox"


def document_policy(route: Route, settings: Settings) -> str:
    """The Content-Security-Policy of JupyterLab's page.

    Without `allow-downloads`, `allow-popups` and `allow-top-navigation`, and with a list for each kind of request. JupyterLab
    4.6 builds validators with `Function`, hence 'unsafe-eval'; its styles stand in the page, hence 'unsafe-inline' for them.
    """
    socket = route.origin.replace("http", "ws", 1)
    portal = settings.subdomain_url("portal--service")
    return "; ".join((
        "default-src 'none'",
        "script-src 'self' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        f"connect-src 'self' {socket}",
        "worker-src 'self'",
        "frame-src 'none'",
        "object-src 'none'",
        "media-src data: blob:",
        "manifest-src 'none'",
        f"frame-ancestors {portal}",
        "form-action 'self'",
        "base-uri 'none'",
        "sandbox allow-scripts allow-same-origin allow-forms allow-modals",
    ))  # fmt: skip


def own_page(portal: str) -> dict[str, str]:
    """Headers of a page that the gateway itself writes (a refusal)."""
    parts = urlsplit(portal)
    policy = f"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors {parts.scheme}://{parts.netloc}; base-uri 'none'; form-action 'none'"
    return {
        **_ALWAYS,
        "Content-Security-Policy": policy,
        "Permissions-Policy": _PERMISSIONS,
        "Cache-Control": "no-store",
        "Cross-Origin-Resource-Policy": "same-site",
    }


def own_data() -> dict[str, str]:
    """Headers of JSON: it is never a page, nobody's frame, and no cache keeps it."""
    return {
        **_ALWAYS,
        "Content-Security-Policy": _DATA_POLICY,
        "Cache-Control": "no-store",
        "Cross-Origin-Resource-Policy": "same-origin",
    }


def own_static(file: File) -> dict[str, str]:
    """Headers of a file of the gateway's own copy. A cache asks each time: by then the image may be another."""
    # A worker's script brings the policy that binds the worker: it gets none of the page's rights but the session's own origin.
    return {
        **own_data(),
        "Content-Type": file.kind,
        "Cache-Control": "private, no-cache",
        "ETag": f'"{file.digest}"',
    }


def unchanged(request_headers: Mapping[str, str], file: File) -> bool:
    """Whether the browser says that it has this very file."""
    asked = request_headers.get("If-None-Match", "")
    return any(part.strip().removeprefix("W/") in ("*", f'"{file.digest}"') for part in asked.split(","))


def to_session(incoming: Mapping[str, str], route: Route, settings: Settings) -> CIMultiDict[str]:
    """Headers of the request to the container: the listed ones, our own about where it came from, its own cookies."""
    host = urlsplit(route.origin).netloc
    kept: CIMultiDict[str] = CIMultiDict((name, incoming[name]) for name in _TO_SESSION if name in incoming)
    kept["Host"] = host
    kept["Accept-Encoding"] = "identity"  # what is measured and looked into is what arrives
    kept["X-Forwarded-Host"] = host
    kept["X-Forwarded-Proto"] = settings.public_scheme
    if cookies := _cookies_to_session(incoming.get("Cookie", ""), route):
        kept["Cookie"] = cookies
    return kept


def _cookies_to_session(raw: str, route: Route) -> str:
    # Another project's session of the same person shares the host: its cookies are none of this one's business.
    kept = []
    for part in raw.split(";"):
        name = part.partition("=")[0].strip()
        own = name == route.client_id or name.startswith(f"{route.client_id}-oauth-state")
        if own or name in ("_xsrf", "jupyterhub-session-id"):
            kept.append(part.strip())
    return "; ".join(kept)


def to_browser(upstream: CIMultiDictProxy[str], rule: Rule, route: Route, settings: Settings) -> CIMultiDict[str]:
    """Headers of the answer to the browser: those of a page that the gateway writes, or of JSON.

    Raises Refused when the container wants the answer saved as a file, or sends it encoded.
    """
    if "attachment" in upstream.get("Content-Disposition", "").lower():
        raise Refused(
            "answer.attachment",
            "The session wanted to hand out a file.",
            "Put it into the outbox and ask for its release in the portal.",
        )
    if upstream.get("Content-Encoding", "identity").lower() != "identity":
        raise Refused("answer.encoded", "The session's answer is encoded in a way that can't be looked into.")
    page = rule.handling in (Handling.DOCUMENT, Handling.CALLBACK)
    kept: CIMultiDict[str] = CIMultiDict(own_data())
    kept["Content-Type"] = "text/html; charset=utf-8" if page else "application/json; charset=utf-8"
    if page:
        kept["Content-Security-Policy"] = document_policy(route, settings)
        kept["Permissions-Policy"] = _PERMISSIONS
        kept["Cross-Origin-Resource-Policy"] = "same-site"  # the portal's page is another origin of the same site
    if _VERSION.fullmatch(upstream.get("X-JupyterHub-Version", "")):
        kept["X-JupyterHub-Version"] = upstream["X-JupyterHub-Version"]
    for cookie in upstream.getall("Set-Cookie", [])[:_MAX_COOKIES]:
        if own := cookie_to_browser(cookie, route, settings):
            kept.add("Set-Cookie", own)
    return kept


def cookie_to_browser(raw: str, route: Route, settings: Settings) -> str | None:
    """A cookie of the container's, confined to the session's own path; None when it is not one of a Jupyter server's.

    Names and path are checked, times and HttpOnly pass, the rest (Domain, SameSite, Secure) is ours.
    """
    value, *attributes = [part.strip() for part in raw.split(";")]
    name = value.partition("=")[0]
    known = name in ("_xsrf", route.client_id) or name.startswith(f"{route.client_id}-oauth-state")
    if not known or not _COOKIE.fullmatch(value):
        return None
    paths = [part[5:] for part in attributes if part.lower().startswith("path=")]
    if len(paths) != 1 or not paths[0].startswith(route.prefix.rstrip("/")):
        return None
    kept = [value, f"Path={route.prefix}", "SameSite=Lax"]
    kept += [part for part in attributes if _COOKIE_TIME.fullmatch(part)]
    if any(part.lower() == "httponly" for part in attributes):
        kept.append("HttpOnly")
    if settings.public_scheme == "https":
        kept.append("Secure")
    return "; ".join(kept)


_AUTHORIZE = ("client_id", "redirect_uri", "response_type", "state", "code_challenge", "code_challenge_method", "scope")
_SHORT = re.compile(r"[\x21-\x7e ]{1,300}")


def location(raw: str, route: Route, settings: Settings) -> str:
    """Where a redirect of the container's may lead: below its own prefix, or to the hub to sign in at this very server.

    Raises Refused otherwise: an address is a way to carry data out.
    """
    parts = urlsplit(raw)
    origin = f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
    if origin in ("", route.origin) and parts.scheme in ("", "http", "https"):
        try:
            path = clean(parts.path)
        except Refused:
            path = ""
        if path.startswith(route.prefix):
            query = urlencode(parse_qsl(parts.query))
            return written(path) + (f"?{query}" if query else "")
    if origin in ("", settings.public_url) and parts.path == "/hub/api/oauth2/authorize":
        pairs = parse_qsl(parts.query)
        query_ok = (
            len({name for name, _ in pairs}) == len(pairs)
            and all(name in _AUTHORIZE and _SHORT.fullmatch(value) for name, value in pairs)
            and dict(pairs).get("client_id") == route.client_id
            and dict(pairs).get("redirect_uri")
            in (f"{route.origin}{route.prefix}oauth_callback", f"{route.prefix}oauth_callback")
        )
        if query_ok:
            return f"{settings.public_url}/hub/api/oauth2/authorize?{urlencode(pairs)}"
    raise Refused(
        "answer.redirect", "The session wanted to send your browser elsewhere.", "Open the session from the portal."
    )
