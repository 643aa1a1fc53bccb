"""A stand-in for a vault's KV engine, version 2. No Vault or OpenBao can be installed where the tests run, so this answers as
HashiCorp's API documentation says (kv-v2: read, create with `options.cas`; statuses and `{"errors": [...]}` of the API's
overview), and as Vault does where the documentation is silent: 404 with empty errors for a secret that never was, 404 with
the version's metadata for one that was deleted, 400 with a text for a check-and-set that does not match.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "hvs.stand-in-token"


class Vault(ThreadingHTTPServer):
    """State: `secrets` by path, a list of versions each. `fault` answers everything with (status, body, headers) instead.

    `seen` holds (method, path, headers, body) of each request. `before_write` is called before a write is compared.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.secrets: dict[str, list[dict[str, Any]]] = {}
        self.deleted: set[str] = set()
        self.fault: tuple[int, bytes, dict[str, str]] | None = None
        self.seen: list[tuple[str, str, dict[str, str], Any]] = []
        self.before_write: Any = lambda: None
        self.after_write: Any = lambda: None

    @property
    def address(self) -> str:
        """Where it listens, over plain HTTP."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Vault

    def log_message(self, *_args: Any) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        """Reads a secret."""
        self._answer(None)

    def do_POST(self) -> None:
        """Writes a secret."""
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answer(self, body: Any) -> None:
        vault = self.server
        vault.seen.append((self.command, self.path, dict(self.headers), body))
        if vault.fault is not None:
            self._send(*vault.fault)
        elif self.headers.get("X-Vault-Token") != TOKEN:
            self._errors(403, "permission denied")
        elif not self.path.startswith("/v1/secret/data/"):
            self._errors(404, f'no handler for route "{self.path}". route entry not found.')
        elif self.command == "GET":
            self._read(self.path.removeprefix("/v1/secret/data/"))
        else:
            self._write(self.path.removeprefix("/v1/secret/data/"), body)

    def _read(self, path: str) -> None:
        versions = self.server.secrets.get(path, [])
        if not versions:
            self._errors(404)
        elif path in self.server.deleted:
            metadata = {**_metadata(len(versions)), "deletion_time": "2026-01-02T00:00:00Z"}
            self._json(404, {"data": {"data": None, "metadata": metadata}})
        else:
            self._json(200, {"data": {"data": versions[-1], "metadata": _metadata(len(versions))}})

    def _write(self, path: str, body: Any) -> None:
        self.server.before_write()
        versions = self.server.secrets.setdefault(path, [])
        if body.get("options", {}).get("cas") != len(versions):
            self._errors(400, "check-and-set parameter did not match the current version")
            return
        versions.append(body["data"])
        self.server.after_write()
        self._json(200, {"data": _metadata(len(versions))})

    def _errors(self, status: int, *texts: str) -> None:
        self._json(status, {"errors": list(texts)})

    def _json(self, status: int, body: Any) -> None:
        self._send(status, json.dumps(body).encode(), {"Content-Type": "application/json"})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _metadata(version: int) -> dict[str, Any]:
    return {
        "created_time": "2026-01-01T00:00:00Z", "custom_metadata": None, "deletion_time": "", "destroyed": False,
        "version": version,
    }  # fmt: skip


@contextmanager
def running(context: Any = None) -> Iterator[Vault]:
    """A stand-in that listens until the block ends; with TLS when given a context."""
    vault = Vault()
    if context is not None:
        vault.socket = context.wrap_socket(vault.socket, server_side=True)
    thread = threading.Thread(target=vault.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield vault
    finally:
        vault.shutdown()
        thread.join()
        vault.server_close()
