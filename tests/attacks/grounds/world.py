"""The outside world of attacks: a network namespace with servers that say what reached them.

Its addresses are of a range for documentation (198.51.100.0/24, RFC 5737) and the address at which clouds keep metadata, both routed
to the namespace by this machine: an unprotected container reaches them as it would the internet, and no packet goes beyond this machine.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

NAMESPACE, NEAR_DEVICE, FAR_DEVICE = "ngca-world", "ngca-w0", "ngca-w1"
NEAR, NETWORK = "198.51.100.1", "198.51.100.0/24"
WEB, NAMES, STUN, METADATA = "198.51.100.10", "198.51.100.53", "198.51.100.34", "169.254.169.254"


def _ip(*words: str, check: bool = True) -> None:
    subprocess.run(["ip", *words], check=check, capture_output=True)


class World:
    """The world while the block runs; takes root."""

    def __enter__(self) -> Self:
        self._seen: list[str] = []
        _remove()
        _ip("netns", "add", NAMESPACE)
        try:
            _ip("link", "add", NEAR_DEVICE, "type", "veth", "peer", "name", FAR_DEVICE, "netns", NAMESPACE)
            _ip("addr", "add", f"{NEAR}/24", "dev", NEAR_DEVICE)
            _ip("link", "set", NEAR_DEVICE, "up")
            for address in (f"{WEB}/24", f"{NAMES}/24", f"{STUN}/24", f"{METADATA}/32"):
                _ip("-n", NAMESPACE, "addr", "add", address, "dev", FAR_DEVICE)
            for device in (FAR_DEVICE, "lo"):
                _ip("-n", NAMESPACE, "link", "set", device, "up")
            _ip("-n", NAMESPACE, "route", "add", "default", "via", NEAR)
            _ip("route", "add", f"{METADATA}/32", "dev", NEAR_DEVICE)
            program = Path(__file__).with_name("servers.py")
            self._process = subprocess.Popen(
                ["ip", "netns", "exec", NAMESPACE, sys.executable, str(program)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            assert self._process.stdout is not None
            assert json.loads(self._process.stdout.readline())["what"] == "ready"
            threading.Thread(target=self._listen, daemon=True).start()
        except BaseException:
            _remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            self._process.communicate(timeout=10)  # it ends when its input does
        _remove()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._seen.append(line)

    def saw(self, token: str, patience_s: float = 1.5) -> bool:
        """Whether something that holds `token` arrived, or does within the patience."""
        deadline = time.monotonic() + patience_s
        while True:
            if any(token in line for line in self._seen):
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)

    def count(self, what: str) -> int:
        """How many packets or requests of a kind (`udp 3478`) arrived so far."""
        return sum(json.loads(line)["what"] == what for line in self._seen)


def _remove() -> None:
    _ip("netns", "delete", NAMESPACE, check=False)
    _ip("link", "delete", NEAR_DEVICE, check=False)
