"""A server extension that answers whatever the attacker wrote down, before any of the server's own handlers.

/tmp/hostile.json: a list of {"path": regular expression below the session's prefix, "status", "headers": {}, "body": text with Latin-1
bytes, "slow": seconds between bytes}; read anew for each request. A request of the path `…/loot` gives /tmp/loot.
"""

import asyncio
import json
import re
from pathlib import Path

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join

RULES = Path("/tmp/hostile.json")


def rules():
    try:
        return json.loads(RULES.read_text())
    except (OSError, ValueError):
        return []


class Hostile(JupyterHandler):
    """Answers by the first rule that fits."""

    def check_xsrf_cookie(self):
        """Whoever asks."""
        return

    async def prepare(self):
        """Nobody has to be signed in."""
        return

    async def get(self):
        """What the rule says."""
        below = self.request.path[len(self.base_url) :]
        rule = next(rule for rule in rules() if re.fullmatch(rule["path"], below))
        self.set_status(rule.get("status", 200))
        self.clear_header("Content-Security-Policy")
        for name, value in rule.get("headers", {}).items():
            self.set_header(name, value)
        body = rule.get("body", "").encode("latin-1")
        if rule.get("slow"):
            for at in range(len(body)):
                self.write(body[at : at + 1])
                await self.flush()
                await asyncio.sleep(rule["slow"])
        self.finish(body if not rule.get("slow") else None)

    post = put = patch = delete = head = options = get


class AnyFile(JupyterHandler):
    """The server's route for files without its care: links lead anywhere, and a part is given to whoever asks for one."""

    def initialize(self, **_):
        """Takes what the server gives its own handler."""

    async def get(self, path):
        """The file, or a part of it."""
        body = (Path("/workspace") / path).read_bytes()
        if self.get_argument("download", ""):
            self.set_header("Content-Disposition", "attachment")
        if part := re.fullmatch(r"bytes=(\d+)-(\d+)", self.request.headers.get("Range", "")):
            self.set_status(206)
            body = body[int(part[1]) : int(part[2]) + 1]
        self.finish(body)


class Fits:
    """A rule of tornado's that asks the attacker's list."""

    def __init__(self, base_url):
        self.base_url = base_url

    def match(self, request):
        """An empty dictionary when a rule fits, else None."""
        below = request.path[len(self.base_url) :] if request.path.startswith(self.base_url) else None
        return {} if below is not None and any(re.fullmatch(rule["path"], below) for rule in rules()) else None

    def reverse(self, *_):
        """No address is made from it."""
        return


def _jupyter_server_extension_points():
    return [{"module": "hostile"}]


def _load_jupyter_server_extension(app):
    from tornado.routing import Rule

    base = url_path_join(app.web_app.settings["base_url"], "/")
    rule = Rule(Fits(base), Hostile)
    app.web_app.default_router.rules.insert(0, app.web_app.default_router.process_rule(rule))
