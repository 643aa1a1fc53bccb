"""A program of this machine that an attacker must not reach."""

from __future__ import annotations

import socket
import threading
import time
from types import TracebackType
from typing import Self


class Door:
    """Listens at all addresses of this machine on a port that it is given; keeps what comes. Use as a context manager."""

    def __init__(self, protocol: str) -> None:
        self._tcp = protocol == "tcp"
        self._seen = b""

    def __enter__(self) -> Self:
        everywhere = "0.0.0.0"  # noqa: S104  (the point: every address of this machine)
        if self._tcp:
            self._socket = socket.create_server((everywhere, 0))
        else:
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._socket.bind((everywhere, 0))
        self._socket.settimeout(0.1)
        self.port: int = self._socket.getsockname()[1]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(5)
        self._socket.close()

    def _listen(self) -> None:
        while not self._over.is_set():
            try:
                if not self._tcp:
                    self._seen += self._socket.recv(65536)
                    continue
                connection, _ = self._socket.accept()
                with connection:
                    connection.settimeout(1)
                    self._seen += connection.recv(65536)
            except OSError:
                continue

    def saw(self, token: str) -> bool:
        """Whether the token came, or does within a second."""
        deadline = time.monotonic() + 1
        while token.encode() not in self._seen and time.monotonic() < deadline:
            time.sleep(0.05)
        return token.encode() in self._seen
