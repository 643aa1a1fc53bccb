"""From what is known to a page, or to JSON for programs that ask for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from ngc_workbench.model import Person
from ngc_workbench.policy.roles import may
from ngc_workbench.portal import security
from ngc_workbench.portal.auth import Visitor
from ngc_workbench.portal.i18n import LANGUAGES, Language, Languages, marked
from ngc_workbench.settings import ROOT, Settings

_HERE = Path(__file__).parent
VENDOR: Final = ROOT / "build" / "node" / "node_modules"
_DESIGN = "dkfds/dist/css/dkfds.min.css"
_HTMX = "htmx.org/dist/htmx.min.js"

STATES: Final[Mapping[str, tuple[str, str]]] = {
    # state: (what the page calls it, the badge's colour)
    "draft": (marked("Draft"), "info"),
    "submitted": (marked("Submitted"), "info"),
    "checking": (marked("Being checked"), "info"),
    "in_review": (marked("In review"), "info"),
    "approved": (marked("Approved"), "success"),
    "released": (marked("Released"), "success"),
    "returned": (marked("Returned for changes"), "warning"),
    "rejected": (marked("Rejected"), "error"),
    "withdrawn": (marked("Withdrawn"), "info"),
    "revoked": (marked("Revoked"), "error"),
    "active": (marked("Active"), "success"),
    "suspended": (marked("Suspended"), "warning"),
    "closed": (marked("Closed"), "info"),
    "archived": (marked("Archived"), "info"),
    "refused": (marked("Refused"), "error"),
    "running": (marked("Running"), "success"),
    "starting": (marked("Starting"), "info"),
    "stopping": (marked("Stopping"), "info"),
    "stopped": (marked("Not running"), "info"),
    "failed": (marked("Did not start"), "error"),
    "paused": (marked("Paused"), "warning"),
}
VERDICTS: Final[Mapping[str, tuple[str, str]]] = {
    "": (marked("Not checked yet"), "info"),
    "pass": (marked("No remarks"), "success"),
    "review": (marked("Look with care"), "warning"),
    "block": (marked("Can't be released"), "error"),
}
SEVERITIES: Final[Mapping[str, tuple[str, str]]] = {
    "info": (marked("Note"), "info"),
    "warn": (marked("Warning"), "warning"),
    "block": (marked("Blocks"), "error"),
}
_NAVIGATION: Final[tuple[tuple[str, str, str], ...]] = (
    # action that a person needs, address, name
    ("export.review", "review", marked("Review")),
    ("project.provision", "support", marked("Projects")),
    ("session.watch", "watch", marked("Watch")),
    ("audit.read", "audit", marked("Audit")),
)


@dataclass(frozen=True)
class Guest:
    """Somebody who is signed in, as a page needs them: visitor, person, language and the request."""

    request: Request
    visitor: Visitor
    person: Person
    language: Language

    @property
    def name(self) -> str:
        """The person's user name."""
        return self.person.name


def wants_json(request: Request) -> bool:
    """Whether the program asked for JSON rather than for a page."""
    return request.headers.get("accept", "").split(",")[0].split(";")[0].strip() == "application/json"


class Pages:
    """Renders templates. `prefix` is the portal's path with a slash at its end."""

    def __init__(self, settings: Settings, prefix: str, languages: Languages) -> None:
        self.settings = settings
        self.prefix = prefix
        self.languages = languages
        self._environments = {code: self._environment(language) for code, language in languages.known.items()}

    def _environment(self, language: Language) -> Environment:
        made = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        made.globals |= {
            "_": language.text,
            "lang": language,
            "languages": LANGUAGES,
            "base": self.prefix,
            "settings": self.settings,
            "states": STATES,
            "verdicts": VERDICTS,
            "severities": SEVERITIES,
            "has_design": (VENDOR / _DESIGN).is_file(),
            "has_htmx": (VENDOR / _HTMX).is_file(),
            "design": _DESIGN,
            "htmx": _HTMX,
        }
        return made

    def render(
        self, template: str, language: Language, *, request: Request, guest: Guest | None = None, status: int = 200,
        frames: tuple[str, ...] = (), extra: Mapping[str, str] | None = None, **values: Any,
    ) -> Response:  # fmt: skip
        """A page, or a fragment for htmx. `frames`: origins that the page may frame; `extra`: more headers."""
        navigation = []
        if guest is not None:
            navigation = [(path, title) for action, path, title in _NAVIGATION if may(guest.person.roles, action)]
        html = self._environments[language.code].get_template(template).render(
            person=guest.person if guest else None,
            csrf=guest.visitor.csrf if guest else "",
            navigation=navigation,
            path=request.url.path,
            **values,
        )  # fmt: skip
        return HTMLResponse(html, status, headers={**security.headers(frames), **(extra or {})})

    def show(self, guest: Guest, template: str, **values: Any) -> Response:
        """A page for somebody who is signed in."""
        return self.render(template, guest.language, request=guest.request, guest=guest, **values)


def as_json(value: Any, status: int = 200) -> Response:
    """An answer in JSON."""
    return JSONResponse(value, status, headers=security.headers())
