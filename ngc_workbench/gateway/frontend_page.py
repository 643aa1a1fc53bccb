"""JupyterLab's page, written by the gateway.

A session's server is asked for it all the same, since the sign-in hop through the hub begins there; what it answers is
thrown away unread. The page is made of the copy's template, the session's names and the path alone. It holds no token:
JupyterLab works with the cookies that the sign-in left.
"""

from __future__ import annotations

import json
import re
from html import escape
from typing import Any

from ngc_workbench.gateway.frontend import GUARD, FrontEnd
from ngc_workbench.gateway.routes import Route
from ngc_workbench.settings import Settings

REPORT = "-/copied"
"""Address, below a session's prefix, to which the guard reports a copy that it stopped."""

# The parts of an address in which JupyterLab's own handler reads what to open.
_OPENED = re.compile(r"lab/?(?:workspaces/(?P<workspace>[^/]+)/?)?(?:tree/(?P<tree>.*))?", re.DOTALL)

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>JupyterLab</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>@media print {{ html {{ display: none !important; }} }}</style>
<script id="jupyter-config-data" type="application/json">{config}</script>
<script src="{guard}" data-limit="{limit}" data-report="{report}"></script>
{icons}
{scripts}
</head>
<body class="{body}"></body>
</html>
"""


def configuration(front: FrontEnd, route: Route, settings: Settings, below: str) -> dict[str, Any]:
    """JupyterLab's configuration for one session's page; `below` is the cleaned, decoded path below the session's prefix."""
    template = front.page
    fixed: dict[str, Any] = _moved(template["config"], template["prefix"], route.prefix)
    opened = _OPENED.fullmatch(below)
    return {
        **fixed,
        "baseUrl": route.prefix,
        "hubHost": settings.public_url,
        "hubServerName": route.project,
        "hubServerUser": route.person,
        "hubUser": route.person,
        "mode": "multiple-document",
        "store_id": 0,
        "token": "",
        "treePath": (opened and opened["tree"]) or "",
        "workspace": (opened and opened["workspace"]) or "default",
    }


def page(front: FrontEnd, route: Route, settings: Settings, below: str) -> bytes:
    """The page, HTML in UTF-8."""
    template = front.page
    text = _PAGE.format(
        config=_inside_script(configuration(front, route, settings, below)),
        guard=escape(route.prefix + GUARD),
        limit=settings.copy_limit,
        report=escape(route.prefix + REPORT),
        icons="\n".join(_icon(icon, route) for icon in template["icons"]),
        scripts="\n".join(
            f'<script defer src="{escape(route.prefix + name)}"></script>' for name in template["scripts"]
        ),
        body=escape(template["body"]),
    )
    return text.encode()


def _icon(icon: dict[str, str], route: Route) -> str:
    pairs = {**icon, "href": route.prefix + icon["href"]}
    return "<link " + " ".join(f'{escape(name)}="{escape(value)}"' for name, value in pairs.items()) + ">"


def _moved(value: Any, old: str, new: str) -> Any:
    """The same value, with addresses below one prefix brought below the other."""
    if isinstance(value, str):
        return value.replace(old, new)
    if isinstance(value, list):
        return [_moved(item, old, new) for item in value]
    if isinstance(value, dict):
        return {key: _moved(item, old, new) for key, item in value.items()}
    return value


def _inside_script(value: Any) -> str:
    """JSON in which nothing ends the element that it stands in, or begins another."""
    text = json.dumps(value, sort_keys=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
