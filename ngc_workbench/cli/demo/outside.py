"""A host on the far side of the network, to show that a leak would arrive: a network namespace with a web server.

Its addresses are of the range for documentation (203.0.113.0/24, RFC 5737), which leads nowhere else: nothing that is shown here sends a
packet beyond this machine. An unprotected container reaches it by this machine's routes, as it would the internet.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import zlib
from ipaddress import IPv4Network
from types import TracebackType
from typing import Self

from ngc_workbench.errors import Unavailable
from ngc_workbench.sessions.privileged import privileged
from ngc_workbench.settings import Settings

_RANGE = IPv4Network("203.0.113.0/24")
_PORT = 80

# Answers every request, and says on its own output who asked: that is how a leak is seen to arrive. It ends when its input does,
# so it never outlives whoever started it.
_SERVER = """
import http.server, socketserver, sys, threading
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b'outside\\n')
    do_POST = do_PUT = do_GET
    def log_message(self, *args):
        print(self.client_address[0], self.requestline, flush=True)
# Not an HTTPServer: that asks a name server for its own name.
server = socketserver.ThreadingTCPServer((sys.argv[1], int(sys.argv[2])), Handler)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
print('ready', flush=True)
sys.stdin.read()
"""


def _network(settings: Settings) -> IPv4Network:
    """Two installations on one machine take different parts of the range."""
    parts = list(_RANGE.subnets(new_prefix=30))
    return parts[zlib.crc32(settings.instance.encode()) % len(parts)]


class OutsideHost:
    """The stand-in, while the block runs. Raises Unavailable when it can't be made (it takes root).

    `address` and `url` are where it answers; `arrived()` is what reached it.
    """

    def __init__(self, settings: Settings) -> None:
        self.namespace = f"ngco-{settings.instance}"
        self._device = f"ngco-{settings.instance}0"
        self._peer = f"ngco-{settings.instance}1"
        near, far = _network(settings).hosts()
        self._near = str(near)
        self.address = str(far)
        self.url = f"http://{far}:{_PORT}/"
        self._settings = settings
        self._server: subprocess.Popen[str] | None = None
        self._seen: list[str] = []

    def __enter__(self) -> Self:
        remove_outside(self._settings)
        try:
            inside = ["ip", "-n", self.namespace]
            privileged(["ip", "netns", "add", self.namespace])
            privileged(
                ["ip", "link", "add", self._device, "type", "veth", "peer", "name", self._peer, "netns", self.namespace]
            )
            privileged(["ip", "addr", "add", f"{self._near}/30", "dev", self._device])
            privileged(["ip", "link", "set", self._device, "up"])
            privileged([*inside, "addr", "add", f"{self.address}/30", "dev", self._peer])
            privileged([*inside, "link", "set", self._peer, "up"])
            privileged([*inside, "link", "set", "lo", "up"])
            privileged([*inside, "route", "add", "default", "via", self._near])
            self._server = self._serve()
            self._wait()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                out, _ = self._server.communicate(timeout=10)
                self._seen = [line for line in out.splitlines() if line != "ready"]
            self._server = None
        remove_outside(self._settings)

    @property
    def arrived(self) -> list[str]:
        """`<address> <request line>` of each request that reached the host; complete once the block has ended."""
        return list(self._seen)

    def _serve(self) -> subprocess.Popen[str]:
        argv = ["ip", "netns", "exec", self.namespace, sys.executable, "-c", _SERVER, self.address, str(_PORT)]
        # A server goes on running, so it is started here and not by `privileged`, which waits for an end.
        command = argv if os.geteuid() == 0 else ["sudo", "-n", "--", *argv]
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def _wait(self) -> None:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection((self.address, _PORT), timeout=1):
                return
            time.sleep(0.1)
        raise Unavailable(
            "The stand-in for an outside host does not answer.", "Check that network namespaces work here (ip netns)."
        )


def remove_outside(settings: Settings) -> None:
    """Takes the stand-in away, if there is one."""
    namespace = f"ngco-{settings.instance}"
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=False).stdout
    if any(line.split()[:1] == [namespace] for line in listed.splitlines()):
        # Both ends of the veth go with the namespace.
        privileged(["ip", "netns", "delete", namespace], check=False)
    if subprocess.run(["ip", "link", "show", "dev", f"{namespace}0"], capture_output=True, check=False).returncode == 0:
        privileged(["ip", "link", "delete", f"{namespace}0"], check=False)
