"""JupyterLab's front end, taken out of an image of sessions: its files and its page, with a manifest of their hashes.

`collect.py IMAGE MADE-BY` runs inside the image, without a network, and writes a tar to its standard output:

    files/<address below a session's prefix>   scripts, styles, fonts, pictures
    page.json                                  what JupyterLab's page holds, with names of nobody in it
    manifest.json                              the image's id, and the SHA-256 of each file

`collect.py --intact FOLDER IMAGE MADE-BY` runs outside, on what was unpacked, with Python's standard library alone.

The page is what the image's own server answers: the very program that a session runs, started with a hub of our own on
loopback. So nothing has to be known here about where JupyterLab, its server, its extensions and JupyterHub put what; what
can't be understood ends the set-up, not the browser.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

FORMAT = 1
PERSON, PROJECT, HUB = "placeholder-person", "placeholder-project", "http://placeholder-hub.invalid"
TOKEN = "placeholder-token"  # noqa: S105 (known to the loopback hub below alone)
PORT, HUB_PORT = 8888, 8889
# What differs from session to session; the gateway fills it in.
FILLED_IN = (
    "baseUrl",
    "hubHost",
    "hubServerName",
    "hubServerUser",
    "hubUser",
    "mode",
    "store_id",
    "token",
    "treePath",
    "workspace",
)
# What the gateway's table serves.
ENDINGS = frozenset({".js", ".css", ".json", ".woff", ".woff2", ".ttf", ".svg", ".png", ".ico", ".gif", ".jpg"})
PATIENCE_S = 120


class Hub(BaseHTTPRequestHandler):
    """As much of the hub's API as a session asks before it serves its page."""

    person, project = PERSON, PROJECT

    def do_GET(self) -> None:
        """Says that it is a hub, and that whoever asks is the session's person."""
        import jupyterhub

        scopes = [f"access:servers!server={self.person}/{self.project}"]
        user = {"kind": "user", "name": self.person, "admin": False, "groups": [], "scopes": scopes}
        body = json.dumps(user if self.path.endswith("/user") else {"version": jupyterhub.__version__}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-JupyterHub-Version", jupyterhub.__version__)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 (as above; "this server is used")

    def log_message(self, *_: Any) -> None:
        """Nothing: the tar goes to standard output, and errors are told by the server itself."""


def served(person: str, project: str, hub_host: str) -> str:
    """JupyterLab's page as a session of this person in this project answers it, HTML."""
    prefix = f"/user/{person}/{project}/"
    Hub.person, Hub.project = person, project
    hub = ThreadingHTTPServer(("127.0.0.1", HUB_PORT), Hub)
    threading.Thread(target=hub.serve_forever, daemon=True).start()
    api = f"http://127.0.0.1:{HUB_PORT}/hub/api"
    scopes = json.dumps([f"access:servers!server={person}/{project}"])
    environment = {
        **os.environ,
        "JUPYTERHUB_API_TOKEN": TOKEN,
        "JUPYTERHUB_API_URL": api,
        "JUPYTERHUB_ACTIVITY_URL": f"{api}/users/{person}/activity",
        "JUPYTERHUB_BASE_URL": "/",
        "JUPYTERHUB_CLIENT_ID": f"jupyterhub-user-{person}-{project}",
        "JUPYTERHUB_DEFAULT_URL": "/lab",
        "JUPYTERHUB_HOST": hub_host,
        "JUPYTERHUB_OAUTH_ACCESS_SCOPES": scopes,
        "JUPYTERHUB_OAUTH_CALLBACK_URL": f"{prefix}oauth_callback",
        "JUPYTERHUB_OAUTH_SCOPES": scopes,
        "JUPYTERHUB_SERVER_NAME": project,
        "JUPYTERHUB_SERVICE_PREFIX": prefix,
        "JUPYTERHUB_SERVICE_URL": f"http://127.0.0.1:{PORT}{prefix}",
        "JUPYTERHUB_USER": person,
    }
    server = subprocess.Popen(["/opt/workbench/bin/jupyterhub-singleuser"], env=environment, stdout=sys.stderr)
    try:
        return _ask(server, f"http://127.0.0.1:{PORT}{prefix}lab")
    finally:
        # Not asked to stop: it has nothing to save, and a signal while it logs would leave it running.
        server.kill()
        server.wait()
        hub.shutdown()


def _ask(server: subprocess.Popen[bytes], address: str) -> str:
    request = urllib.request.Request(address, headers={"Authorization": f"token {TOKEN}"})  # noqa: S310 (loopback)
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 (loopback)
                text: str = answer.read().decode()
                return text
        except urllib.error.HTTPError as error:
            sys.exit(f"JupyterLab answered {error.code} for its page")
        except OSError:
            if server.poll() is not None or time.monotonic() > until:
                sys.exit("JupyterLab's server did not start in the image")
            time.sleep(0.2)


class Page(HTMLParser):
    """What stands on JupyterLab's page. Anything that isn't known here ends the program."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.scripts: list[str] = []
        self.icons: list[dict[str, str]] = []
        self.body = ""
        self._inline: dict[str, str | None] | None = None
        self._config = ""
        self.feed(html)
        self.close()
        self.config: dict[str, Any] = json.loads(self._config)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Scripts, icons and the body's class are kept."""
        named = dict(attrs)
        if tag == "script" and "src" in named:
            self.scripts.append(str(named["src"]))
        elif tag == "script":
            self._inline = named
        elif tag == "link" and "favicon" in str(named.get("class")):
            self.icons.append({name: str(named.get(name) or "") for name in ("rel", "type", "href", "class")})
        elif tag == "body":
            self.body = str(named.get("class") or "")
        elif tag not in ("html", "head", "meta", "title"):
            sys.exit(f"JupyterLab's page holds something new: <{tag} {named}>")

    def handle_data(self, data: str) -> None:
        """The configuration is kept; the one script in the page takes tokens out of addresses, which have none here."""
        if self._inline is None:
            return
        if self._inline.get("id") == "jupyter-config-data":
            self._config += data
        elif "Remove token from URL" not in data:
            sys.exit("JupyterLab's page holds a new script of its own")

    def handle_endtag(self, tag: str) -> None:
        """A script ends."""
        if tag == "script":
            self._inline = None


def template(page: Page) -> dict[str, Any]:
    """What the gateway writes a session's page from: addresses below the prefix, and configuration without a person."""
    prefix = f"/user/{PERSON}/{PROJECT}/"
    fixed = {key: value for key, value in page.config.items() if key not in FILLED_IN}
    left = json.dumps(fixed).replace(prefix, "")
    if "placeholder" in left or (page.config.get("baseUrl"), page.config.get("token")) != (prefix, TOKEN):
        sys.exit("JupyterLab's configuration names the session where it did not before: the gateway must fill it in")
    if not all(address.startswith(prefix) for address in (*page.scripts, *(icon["href"] for icon in page.icons))):
        sys.exit("JupyterLab's page loads something from outside of the session's prefix")
    return {
        "prefix": prefix,
        "config": fixed,
        "scripts": [address.removeprefix(prefix) for address in page.scripts],
        "icons": [{**icon, "href": icon["href"].removeprefix(prefix)} for icon in page.icons],
        "body": page.body,
    }


def files(config: dict[str, Any]) -> dict[str, Path]:
    """Where each file of the front end stands in the image, by its address below the prefix. The first one counts, as for Jupyter."""
    import jupyter_server
    from jupyter_client.kernelspec import KernelSpecManager

    static = Path(jupyter_server.__file__).parent / "static"
    extensions = [Path(folder) for folder in (*config["extraLabextensionsPath"], *config["labextensionsPath"])]
    kernels = KernelSpecManager().get_all_specs()
    places = [
        ("", static, "favicon.ico"),
        ("static/", static, "favicons/*"),
        ("static/", static, "logo/*"),
        ("static/lab/", Path(config["staticDir"]), "**/*"),
        *(("lab/extensions/", folder, "**/*") for folder in extensions),
        *(("lab/api/themes/", themes, "**/*") for folder in extensions for themes in sorted(folder.glob("**/themes"))),
        ("lab/api/themes/", Path(config["themesDir"]), "**/*"),
        *((f"kernelspecs/{name}/", Path(spec["resource_dir"]), "logo-*") for name, spec in sorted(kernels.items())),
    ]
    found: dict[str, Path] = {}
    for below, folder, pattern in places:
        for path in _regular(folder, pattern):
            found.setdefault(below + path.relative_to(folder).as_posix(), path)
    return found


def _regular(folder: Path, pattern: str) -> Iterator[Path]:
    for path in sorted(folder.glob(pattern)):
        if path.is_file() and not path.is_symlink() and path.suffix in ENDINGS:
            yield path


def collect(image: str, made_by: str) -> None:
    """Writes the tar."""
    page = Page(served(PERSON, PROJECT, HUB))
    found = files(page.config)
    made = template(page)
    wanted = [script.partition("?")[0] for script in made["scripts"]] + [icon["href"] for icon in made["icons"]]
    wanted += [f"lab/extensions/{one['name']}/{one['load']}" for one in made["config"]["federated_extensions"]]
    if missing := sorted(set(wanted) - set(found)):
        sys.exit(f"JupyterLab's page names files that are not in the image: {missing}")
    with tarfile.open(fileobj=sys.stdout.buffer, mode="w|") as tar:
        sums = {}
        for name, path in sorted(found.items()):
            body = path.read_bytes()
            sums[name] = {"sha256": hashlib.sha256(body).hexdigest(), "bytes": len(body)}
            _add(tar, f"files/{name}", body)
        text = json.dumps(made, indent=1, sort_keys=True).encode()
        _add(tar, "page.json", text)
        manifest = {
            "format": FORMAT,
            "image": image,
            "made_by": made_by,
            "page": hashlib.sha256(text).hexdigest(),
            "files": sums,
        }
        _add(tar, "manifest.json", json.dumps(manifest, indent=1, sort_keys=True).encode())


def _add(tar: tarfile.TarFile, name: str, body: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(body), 0o644
    tar.addfile(entry, io.BytesIO(body))


def intact(folder: Path, image: str, made_by: str) -> bool:
    """Whether a copy is this image's, made by this program, and whole."""
    try:
        manifest = json.loads((folder / "manifest.json").read_bytes())
        sums = {f"files/{name}": entry["sha256"] for name, entry in manifest["files"].items()} | {
            "page.json": manifest["page"]
        }
        there = {
            path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir() or path.is_symlink()
        }
        return (
            (manifest["format"], manifest["image"], manifest["made_by"]) == (FORMAT, image, made_by)
            and there == {*sums, "manifest.json"}
            and all(hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest for name, digest in sums.items())
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--intact", folder, image, made_by]:
            sys.exit(0 if intact(Path(folder), image, made_by) else 1)
        case ["--page", person, project, hub_host]:
            sys.stdout.write(served(person, project, hub_host))
        case [image, made_by]:
            collect(image, made_by)
        case _:
            sys.exit(__doc__)
