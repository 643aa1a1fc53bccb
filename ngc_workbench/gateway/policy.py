"""The table of what may pass between a browser and a session over HTTP. Refuse by default.

`RULES` is the whole policy: `decide` reads it, `handbook` writes docs/gateway-policy.md from it, the tests walk it. The
first rule whose pattern and method match decides. Rules that refuse stand there too where a person deserves to hear why,
and how to ask instead; what no rule names is refused by `route.unlisted`.

A pattern is matched against the decoded path below the session's prefix (`paths.clean` has made it unambiguous).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from ngc_workbench.gateway.paths import Pairs
from ngc_workbench.policy.decision import Decision

KB = 1024
MB = 1024 * KB

ASK = "Put the file into the outbox and ask for its release in the portal."
SUPPORT = "Ask your data support centre if you need it."


class Handling(str, Enum):
    """What is done with the answer of a route that may pass."""

    DOCUMENT = "page written by the gateway; the session is asked for the sign-in alone, its own page is thrown away"
    CALLBACK = "end of signing in; a redirect within the session"
    STATIC = (
        "script, style, font or picture from the gateway's own copy of the image's front end; the session is not asked"
    )
    JSON = "JSON; type forced, size bounded"
    CONTENTS = "JSON that is read: notebooks and text below a size pass, anything else is refused"
    CHANNELS = "WebSocket whose messages are read one by one"
    TERMINAL = "WebSocket whose messages are read one by one; lines are recorded, the screen's text is filtered"
    TERMINALS = "JSON that is read: names and times of terminals, written anew"
    ANSWERED = "answered by the gateway itself; the session is not asked"
    REPORTED = "read and recorded by the gateway itself; the session is not asked"
    SILENT = "WebSocket that the gateway holds open; the session is not asked"
    REFUSED = "refused"


@dataclass(frozen=True)
class Rule:
    """One row of the table.

    Attributes:
        name: stable name; the reason in audit events.
        methods: HTTP methods it covers.
        pattern: regular expression for the whole path below the session's prefix, decoded.
        why: why it may pass, or what is said to the person when it may not.
        handling: what is done with the answer.
        remedy: for a refusal, how to ask instead.
        query: names of query parameters that pass; others are left out.
        request_limit: largest request body, in bytes; 0: none is accepted.
        response_limit: largest body that is taken from the session, in bytes; 0: none is read.
        answer: JSON text of an ANSWERED route.
        probe: the hub asks it too, by the gateway's own address.
    """

    name: str
    methods: tuple[str, ...]
    pattern: str
    why: str
    handling: Handling
    remedy: str = ""
    query: tuple[str, ...] = ()
    request_limit: int = 0
    response_limit: int = 1 * MB
    answer: str = ""
    probe: bool = False


_GET = ("GET",)
_READ = ("GET", "HEAD")
_ANY = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_TERMINAL = r"[A-Za-z0-9_]{1,40}"
_ASSET = r"[^?#]+\.(?:js|css|json|woff2?|ttf|svg|png|ico|gif|jpg)"


def _refuse(name: str, pattern: str, why: str, remedy: str, methods: tuple[str, ...] = _ANY) -> Rule:
    return Rule(name, methods, pattern, why, Handling.REFUSED, remedy)


RULES: tuple[Rule, ...] = (
    # -- doors that stay shut, with a word why ----------------------------------------------------
    _refuse("files.download", r"files(?:/.*)?", "Files don't leave a session by download.", ASK),
    _refuse("files.view", r"view(?:/.*)?", "Files aren't shown on pages of their own.", ASK),
    _refuse(
        "nbconvert.export", r"nbconvert(?:/.*)?", "Notebooks aren't converted for download.",
        "Put the notebook, its outputs cleared, into the outbox and ask for its release in the portal.",
    ),
    _refuse("archive.download", r"(?:directories|archive-download|extract-archive)(?:/.*)?", "Folders don't leave a session as an archive.", ASK),
    _refuse("extension.install", r"lab/api/(?:extensions|plugins)(?:/.*)?", "Extensions of JupyterLab can't be installed from a session.", SUPPORT),
    _refuse("lab.build", r"lab/api/build", "JupyterLab isn't rebuilt from a session.", SUPPORT, ("POST", "DELETE")),
    _refuse("config.write", r"api/config(?:/.*)?", "The server's configuration can't be changed from the browser.", SUPPORT, ("POST", "PUT", "PATCH", "DELETE")),
    _refuse("token.make", r"(?:hub|api/(?:security|tokens?))(?:/.*)?", "Sessions make no access tokens.", SUPPORT),
    _refuse("proxy.port", r"(?:proxy|vscode|rstudio|shiny|desktop|mlflow|tensorboard)(?:/.*)?", "Programs inside a session have no page of their own.", SUPPORT),
    _refuse("other.interface", r"(?:tree|notebooks|edit|consoles|doc|retro|voila)(?:/.*)?", "Only JupyterLab is served.", "Open the session from the portal."),
    _refuse("language.server", r"lsp/ws(?:/.*)?", "Language servers are closed in this version of the workbench.", SUPPORT),
    _refuse("log.in", r"(?:login|logout)", "Logging in and out is done in the portal.", "Go to the portal."),
    _refuse("server.insides", r"(?:metrics|api/spec\.yaml|api/shutdown|api/status)", "The server's own figures aren't shown.", SUPPORT),
    # -- what JupyterLab needs --------------------------------------------------------------------
    Rule(
        "lab.page", _GET, r"(?:lab/?|lab/tree(?:/.*)?|lab/workspaces/[A-Za-z0-9_-]+(?:/tree/.*)?)?", "JupyterLab's page.",
        Handling.DOCUMENT, query=("reset", "clone"), response_limit=0,
    ),
    Rule(
        "oauth.callback", _GET, r"oauth_callback", "End of the sign-in hop through the hub.",
        Handling.CALLBACK, query=("code", "state", "error", "error_description"), response_limit=64 * KB,
    ),
    # Whatever a browser runs comes from these rows, and none of them asks the container.
    Rule("guard.script", _READ, r"-/guard\.js", "Our own script on JupyterLab's page: large copies are stopped.", Handling.STATIC, response_limit=0),
    Rule("guard.report", ("POST",), r"-/copied", "The guard tells that it stopped a copy, and how large it was.", Handling.REPORTED, request_limit=1 * KB, response_limit=0),
    Rule("lab.static", _READ, rf"static/{_ASSET}", "JupyterLab's scripts, styles, fonts and pictures.", Handling.STATIC, query=("v",), response_limit=0),
    Rule("lab.extension", _READ, rf"lab/extensions/{_ASSET}", "Extensions that the image brings.", Handling.STATIC, query=("v",), response_limit=0),
    Rule("lab.theme", _READ, rf"lab/api/themes/{_ASSET}", "Themes that the image brings.", Handling.STATIC, query=("v",), response_limit=0),
    Rule("kernel.logo", _READ, r"kernelspecs/[A-Za-z0-9._-]+/[A-Za-z0-9._-]+\.(?:svg|png)", "Pictures of kernels.", Handling.STATIC, response_limit=0),
    Rule("favicon", _READ, r"favicon\.ico", "The page's icon.", Handling.STATIC, response_limit=0),
    Rule("server.version", _GET, r"api/?", "The server's version; the hub asks it to see that a session is up.", Handling.JSON, response_limit=4 * KB, probe=True),
    Rule("person", _GET, r"api/me", "Who is signed in.", Handling.JSON, query=("permissions",), response_limit=64 * KB),
    # Kernels and languages stay with the container: they are data that no browser runs, and a person may add a kernel of their own.
    Rule("kernelspecs", _GET, r"api/kernelspecs(?:/[A-Za-z0-9._-]+)?", "Which kernels there are.", Handling.JSON),
    Rule("kernels.list", _GET, r"api/kernels", "Which kernels run.", Handling.JSON),
    Rule("kernels.start", ("POST",), r"api/kernels", "Start a kernel.", Handling.JSON, request_limit=64 * KB),
    Rule("kernel.read", _GET, rf"api/kernels/{_ID}", "State of a kernel.", Handling.JSON),
    Rule("kernel.stop", ("DELETE",), rf"api/kernels/{_ID}", "Stop a kernel.", Handling.JSON),
    Rule("kernel.control", ("POST",), rf"api/kernels/{_ID}/(?:interrupt|restart)", "Interrupt or restart a kernel.", Handling.JSON, request_limit=4 * KB),
    Rule("kernel.channels", _GET, rf"api/kernels/{_ID}/channels", "A kernel's messages.", Handling.CHANNELS, query=("session_id",)),
    Rule("notebooks.list", _GET, r"api/sessions", "Which notebooks have a kernel.", Handling.JSON),
    Rule("notebooks.open", ("POST",), r"api/sessions", "Give a notebook a kernel.", Handling.JSON, request_limit=64 * KB),
    Rule("notebook.read", _GET, rf"api/sessions/{_ID}", "A notebook's kernel.", Handling.JSON),
    Rule("notebook.change", ("PATCH", "DELETE"), rf"api/sessions/{_ID}", "Change or end a notebook's kernel.", Handling.JSON, request_limit=64 * KB),
    Rule("checkpoints", ("GET", "POST", "DELETE"), r"api/contents/.+/checkpoints(?:/[A-Za-z0-9._-]+)?", "Saved points of a file; names and times only.", Handling.JSON, request_limit=4 * KB, response_limit=64 * KB),
    Rule("contents.read", _GET, r"api/contents(?:/.*)?", "Notebooks and text below a size, and names of files.", Handling.CONTENTS, query=("content", "type", "format", "hash"), response_limit=32 * MB),
    Rule("contents.write", ("POST", "PUT", "PATCH", "DELETE"), r"api/contents(?:/.*)?", "Save, make, rename and delete; text and notebooks only.", Handling.CONTENTS, request_limit=32 * MB, response_limit=64 * KB),
    Rule("lab.settings", _GET, r"lab/api/settings(?:/.*)?", "JupyterLab's settings.", Handling.JSON, query=("ids_only",), response_limit=8 * MB),
    Rule("lab.settings.write", ("PUT",), r"lab/api/settings/.+", "Change JupyterLab's settings.", Handling.JSON, request_limit=256 * KB),
    Rule("lab.workspace", _GET, r"lab/api/workspaces(?:/.*)?", "What was open in JupyterLab.", Handling.JSON),
    Rule("lab.workspace.write", ("PUT", "DELETE"), r"lab/api/workspaces/.+", "Remember what is open in JupyterLab.", Handling.JSON, request_limit=512 * KB),
    Rule("lab.translations", _GET, r"lab/api/translations(?:/[A-Za-z0-9_-]+)?", "JupyterLab's languages.", Handling.JSON, response_limit=8 * MB),
    Rule("lab.build.state", _GET, r"lab/api/build", "Whether JupyterLab wants a rebuild; never.", Handling.ANSWERED, answer='{"status": "stable", "message": ""}'),
    Rule("config.read", _GET, r"api/config/[A-Za-z0-9._-]+", "Settings of parts of the front end.", Handling.JSON, response_limit=64 * KB),
    Rule("terminals.list", _GET, r"api/terminals", "Which terminals run.", Handling.TERMINALS, response_limit=16 * KB),
    Rule("terminals.start", ("POST",), r"api/terminals", "Start a terminal.", Handling.TERMINALS, request_limit=4 * KB, response_limit=4 * KB),
    Rule("terminal.stop", ("DELETE",), rf"api/terminals/{_TERMINAL}", "Stop a terminal.", Handling.TERMINALS, response_limit=4 * KB),
    Rule("terminal.socket", _GET, rf"terminals/websocket/{_TERMINAL}", "What is typed into a terminal, and its screen.", Handling.TERMINAL),
    Rule("nbconvert.formats", _GET, r"api/nbconvert", "Formats to convert to: there are none.", Handling.ANSWERED, answer="{}"),
    Rule("language.servers", _GET, r"lsp/status", "Language servers: there are none.", Handling.ANSWERED, answer='{"version": 2, "sessions": {}, "specs": {}}'),
    Rule("lab.news", _GET, r"lab/api/(?:news|update)", "News from outside: there is none.", Handling.ANSWERED, answer='{"news": [], "notification": null}'),
    Rule("events", _GET, r"api/events/subscribe", "The server's events; JupyterLab listens, and hears nothing.", Handling.SILENT),
)  # fmt: skip

UNLISTED = _refuse("route.unlisted", r".*", "The gateway doesn't know this address, so it is closed.", SUPPORT)
TOP_LEVEL = _refuse(
    "page.outside_frame", r".*", "A session is shown inside the portal's page only.", "Open it from the portal."
)
NOT_A_PAGE = _refuse("page.not_a_page", r".*", "This address is not a page.", "Open the session from the portal.")
NOT_CODE = _refuse(
    "page.not_code", r".*", "This address gives data, which no page runs or draws.", "Open the session from the portal."
)
CROSS_ORIGIN = _refuse(
    "request.cross_origin", r".*", "Another site asked for this in your name.", "Open the session from the portal."
)
TOKEN = _refuse(
    "request.token",
    r".*",
    "A session is opened by a person who is signed in; a token alone opens nothing.",
    "Open it from the portal.",
)
TOO_LARGE = _refuse(
    "request.too_large", r".*", "What was sent is too large.", "Bring larger files in through the portal."
)
BODY_TYPE = _refuse("request.type", r".*", "Only JSON may be sent here.", SUPPORT)
PARAMETERS = _refuse("request.parameters", r".*", "A parameter of the address is given twice, or too long.", SUPPORT)
UPGRADE = _refuse("request.upgrade", r".*", "This address and this kind of connection don't go together.", SUPPORT)

GENERAL: tuple[Rule, ...] = (
    UNLISTED,
    TOP_LEVEL,
    NOT_A_PAGE,
    NOT_CODE,
    CROSS_ORIGIN,
    TOKEN,
    TOO_LARGE,
    BODY_TYPE,
    PARAMETERS,
    UPGRADE,
)
"""Refusals that don't hang on one address."""

_COMPILED: tuple[tuple[Rule, re.Pattern[str]], ...] = tuple(
    (rule, re.compile(rule.pattern, re.DOTALL)) for rule in RULES
)
_SOCKETS = (Handling.CHANNELS, Handling.TERMINAL, Handling.SILENT)
_PAGES = (Handling.DOCUMENT, Handling.CALLBACK)
# Destinations of a browser's request that would show the answer as a page or run it as a document's part.
_AS_PAGE = frozenset({"document", "iframe", "frame", "object", "embed", "fencedframe"})
# What fetch() and sockets say; "" is a program other than a browser, the hub's probe among them.
_AS_DATA = frozenset({"", "empty", "websocket"})
_MAX_VALUE = 2048


@dataclass(frozen=True)
class RouteDecision(Decision):
    """A decision with the row that decided and, when allowed, the query parameters that pass."""

    rule: Rule = UNLISTED
    query: Pairs = ()


def find(method: str, path: str) -> Rule:
    """The row for a path below the session's prefix (decoded, cleaned)."""
    for rule, pattern in _COMPILED:
        if method in rule.methods and pattern.fullmatch(path):
            return rule
    return UNLISTED


def decide(method: str, path: str, query: Pairs, headers: Mapping[str, str]) -> RouteDecision:
    """Whether a request may pass to the session.

    `path` is below the session's prefix, decoded and cleaned; `headers` is looked up without regard to case. What the
    body holds is judged later, where the row says CONTENTS or CHANNELS.
    """
    rule = find(method, path)
    if rule.handling is Handling.REFUSED:
        return _deny(rule)
    refusal = _wrong_kind(rule, headers) or _wrong_body(rule, method, headers)
    if refusal:
        return _deny(refusal)
    kept = tuple((name, value) for name, value in query if name in rule.query)
    if len({name for name, _ in kept}) < len(kept) or any(len(value) > _MAX_VALUE for _, value in kept):
        return _deny(PARAMETERS)
    return RouteDecision(True, rule.name, rule.why, rule=rule, query=kept)


def _deny(rule: Rule) -> RouteDecision:
    return RouteDecision(False, rule.name, rule.why, rule.remedy, rule=rule)


def _wrong_kind(rule: Rule, headers: Mapping[str, str]) -> Rule | None:
    # The token that a session's server has would work from anywhere, for whoever reads it there. Browsers send cookies.
    if "Authorization" in headers:
        return TOKEN
    if ("Upgrade" in headers) != (rule.handling in _SOCKETS):
        return UPGRADE
    destination = headers.get("Sec-Fetch-Dest", "")
    if rule.handling is Handling.DOCUMENT and destination not in ("", "iframe"):
        return TOP_LEVEL if destination == "document" else NOT_A_PAGE
    if rule.handling not in _PAGES:
        if destination in _AS_PAGE:
            return NOT_A_PAGE
        if headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            return CROSS_ORIGIN
        # A type and `nosniff` keep data from being run; here it isn't even fetched for that.
        if rule.handling is not Handling.STATIC and destination not in _AS_DATA:
            return NOT_CODE
    return None


def _wrong_body(rule: Rule, method: str, headers: Mapping[str, str]) -> Rule | None:
    length = headers.get("Content-Length", "0")
    announced = int(length) if length.isdecimal() and len(length) < 16 else rule.request_limit + 1
    if announced > rule.request_limit:
        return TOO_LARGE
    chunked = "Transfer-Encoding" in headers
    if chunked and rule.request_limit == 0:
        return TOO_LARGE
    kind = headers.get("Content-Type", "application/json").partition(";")[0].strip().lower()
    # JupyterLab sends some JSON as text/plain: fetch() gives that to a string body without a type.
    if method in ("POST", "PUT", "PATCH") and (announced or chunked) and kind not in ("application/json", "text/plain"):
        return BODY_TYPE
    return None
