"""What stands around every page: headers, and the proof that a form came from our own page.

A form carries the token of the person's portal session (`csrf`, or the header `X-CSRF-Token`), and where the browser says from which
origin it posts, that must be the portal's own. No page runs inline scripts, and none may be framed; the session page alone
holds a frame, which may show the person's own session and the hub that signs it in.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from starlette.requests import Request

from ngc_workbench.errors import Refused
from ngc_workbench.portal.i18n import marked

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), display-capture=(), usb=(), serial=(), hid=(), payment=()",
    "X-DNS-Prefetch-Control": "off",
    "Cache-Control": "no-store",
}


def content_policy(frames: Sequence[str] = ()) -> str:
    """The Content-Security-Policy of a page that may frame the origins `frames`."""
    framed = " ".join(frames) or "'none'"
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            f"frame-src {framed}",
        ]
    )


def headers(frames: Sequence[str] = ()) -> dict[str, str]:
    """All headers of a page."""
    return {**_HEADERS, "Content-Security-Policy": content_policy(frames)}


def check_form(request: Request, expected: str, given: str, origin: str) -> None:
    """Raises Refused unless the form came from our own page: its token, and the origin where the browser names one."""
    said = request.headers.get("origin")
    if said is not None and said != origin:
        raise Refused(
            "form.origin",
            marked("The form came from another site."),
            marked("Open the page again and send the form from there."),
        )
    if not given or not hmac.compare_digest(given.encode(), expected.encode()):
        raise Refused(
            "form.token",
            marked("The form is out of date."),
            marked("Open the page again and send the form from there."),
        )
