"""The means that an attacker has: code in their own container, their own browser, and what lies around both."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import subprocess
import textwrap
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

from playwright.sync_api import Frame, Page

from tests.attacks.grounds.door import Door
from tests.attacks.grounds.lab import Lab
from tests.attacks.grounds.messages import Kernel, Said
from tests.attacks.grounds.person import Answer, Person
from tests.attacks.grounds.world import World

T = TypeVar("T")

ATTACKER, NEIGHBOUR = "alma", "bo"
"""Two people of one project; each has a running session."""


class Ground(ABC):
    """One of the two places. `token` is new for each attempt: where it turns up, data went."""

    name = ""

    def __init__(self, world: World) -> None:
        self.world = world
        self.token = ""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._kernel: Kernel | None = None
        self.lab: Lab  # set by whoever has a browser

    # -- what each place says of itself -------------------------------------------------------------

    @abstractmethod
    def container(self, person: str) -> str:
        """Docker's name of a person's container."""

    @abstractmethod
    def address(self, person: str) -> str:
        """The address of a person's container."""

    @property
    @abstractmethod
    def host(self) -> str:
        """This machine's address as the attacker's container sees it."""

    @property
    @abstractmethod
    def person(self) -> Person:
        """The attacker's browser without a screen, signed in."""

    @abstractmethod
    def enter(self, page: Page) -> Frame:
        """Signs the attacker in with a browser; gives the page or frame that shows JupyterLab."""

    # -- code in the container ----------------------------------------------------------------------

    def begin(self) -> None:
        """A new attempt."""
        self.token = f"t{secrets.token_hex(8)}"

    def inside(self, code: str, person: str = ATTACKER, timeout_s: float = 30) -> Any:
        """Runs Python as the person does in a notebook; gives the JSON of its last line, None when it fails or takes too long."""
        command = [
            "docker",
            "exec",
            "-i",
            self.container(person),
            "timeout",
            str(int(timeout_s)),
            "/opt/workbench/bin/python",
            "-",
        ]
        done = subprocess.run(
            command, input=textwrap.dedent(code), capture_output=True, text=True, check=False, timeout=timeout_s + 30
        )
        lines = done.stdout.strip().splitlines()
        with contextlib.suppress(ValueError, IndexError):
            return json.loads(lines[-1])
        return None

    def arrives(self, code: str) -> bool:
        """Runs code that sends the token out; whether it came to the world."""
        self.inside(
            "import os, socket, struct, sys, time, urllib.request\nsocket.setdefaulttimeout(3)\n"
            + textwrap.dedent(code)
        )
        return self.world.saw(self.token)

    def answers(self, path: str, body: str, headers: dict[str, str] | None = None, *, status: int = 200) -> None:
        """From now on the attacker's own server answers so at `path` (a regular expression below the session's prefix)."""
        rules = [{"path": path, "body": body, "headers": headers or {}, "status": status}]
        self.inside(f"import json; json.dump({rules!r}, open('/tmp/hostile.json', 'w'))")

    @contextlib.contextmanager
    def listener(self, person: str, port: int) -> Iterator[None]:
        """A program in a person's container that gives the token to whoever connects."""
        code = f"import socket\nwith socket.create_server(('', {port})) as s:\n  while True: s.accept()[0].sendall(b'{self.token}')"
        with self._beside(person, code):
            time.sleep(1)
            yield

    @contextlib.contextmanager
    def hail(self, person: str) -> Iterator[list[int]]:
        """Hail at work in a person's container; gives the ports that it listens on at all addresses."""
        code = "import hail as hl, time; hl.init(quiet=True); print('up', flush=True); time.sleep(60)"
        look = """
import json
lines = [line.split() for name in ('tcp', 'tcp6') for line in open('/proc/net/' + name).readlines()[1:]]
print(json.dumps(sorted({int(line[1].split(':')[1], 16) for line in lines
                         if line[3] == '0A' and not line[1].startswith(('0100007F', '0' * 24 + '01000000'))} - {8888})))
"""
        with self._beside(person, code) as process:
            assert process.stdout is not None
            while process.stdout.readline().strip() not in ("up", ""):
                pass
            yield self.inside(look, person)

    @contextlib.contextmanager
    def _beside(self, person: str, code: str) -> Iterator[subprocess.Popen[str]]:
        command = [
            "docker",
            "exec",
            "-i",
            self.container(person),
            "timeout",
            "90",
            "/opt/workbench/bin/python",
            "-c",
            code,
        ]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            yield process
        finally:
            # The program inside goes on until it is told.
            stop = f"import os, signal, json\nfor one in os.listdir('/proc'):\n  try:\n    line = open('/proc/' + one + '/cmdline').read()\n  except OSError: continue\n  if {code[:40]!r} in line and 'timeout' not in line: os.kill(int(one), 9)\nprint(json.dumps(1))"
            self.inside(stop, person)
            process.terminate()
            process.wait(10)
            if process.stdout is not None:
                process.stdout.close()

    @contextlib.contextmanager
    def door(self, protocol: str = "tcp") -> Iterator[Door]:
        """A program of this machine that listens at all its addresses."""
        with Door(protocol) as door:
            yield door

    def log_bytes(self) -> int:
        """What Docker keeps of what the attacker's container printed, in bytes on this machine's disk."""
        command = ["docker", "inspect", "--format", "{{.LogPath}}", self.container(ATTACKER)]
        path = Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())
        return sum(one.stat().st_size for one in path.parent.glob(f"{path.name}*"))

    # -- the browser, without a screen --------------------------------------------------------------

    def ask(self, method: str, path: str, **words: Any) -> Answer:
        """A request below the attacker's own session."""
        return self.wait(self.person.ask(method, path, **words))

    def gets(self, path: str, **words: Any) -> bool:
        """Whether the answer of a GET holds the token, in any of the ways in which it could be written."""
        return self.ask("GET", path, **words).holds(self.token)

    def kernel(self) -> Kernel:
        """A kernel of the attacker's, over a WebSocket as JupyterLab's."""
        # Nobody reads the socket between two attacks, so that a long one leaves the server's questions unanswered and it hangs up.
        if self._kernel is None or not self.wait(self._kernel.stands()):
            self._kernel = self.wait(Kernel.start(self.person))
        return self._kernel

    def run(self, code: str, patience_s: float = 60) -> Said:
        """Runs a cell; what came to the browser."""
        return self.wait(self.kernel().run(textwrap.dedent(code), patience_s))

    def wait(self, work: Coroutine[Any, Any, T], patience_s: float = 120) -> T:
        """Waits for the loop of the browsers, which runs in a thread of its own."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(patience_s)

    # -- the browser, with a screen ------------------------------------------------------------------

    def leave_by_script(self, script: str, patience_s: float = 1.5) -> bool:
        """Sends JavaScript as a cell's output to the attacker's own browser; whether the token came to the world."""
        self.lab.run(f"from IPython.display import Javascript, display; display(Javascript({script!r}))")
        return self.world.saw(self.token, patience_s)

    def leave_by_html(self, html: str, kind: str = "HTML", patience_s: float = 1.5) -> bool:
        """Sends HTML (or Markdown) as a cell's output to the attacker's own browser; whether the token came to the world."""
        self.lab.run(f"from IPython.display import {kind}, display; display({kind}({html!r}))")
        return self.world.saw(self.token, patience_s)

    def close(self) -> None:
        """Ends what was started here."""
        if self._kernel is not None:
            with contextlib.suppress(Exception):
                self.wait(self._kernel.close(), 20)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
