"""Long-running services without systemd: start detached, know again, stop.

A service is known by its process id together with that process's start time, so that a number used again by a
stranger is never signalled. Every service and what it starts carries `NGC_STACK=<state directory>` in its environment, by which
`stop_all` finds children that outlived a killed parent.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ngc_workbench.errors import Unavailable

MARK = "NGC_STACK"


@dataclass(frozen=True)
class Service:
    """One service: how it is started, the loopback port it listens on, and whether it is ready."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    port: int
    ready: Callable[[], bool]
    patience_s: float = 60


def start(service: Service, run_dir: Path, mark: str) -> bool:
    """Starts a service and waits until it is ready. False when it runs already.

    Raises Unavailable when its port is taken, when it ends early or isn't ready in time; the last lines of its log are quoted.
    """
    pid_file = run_dir / f"{service.name}.pid"
    if _alive(pid_file) and service.ready():
        return False
    stop(service.name, run_dir)
    if port_taken(service.port):
        raise Unavailable(
            f"Port {service.port} on this machine is taken by another program; {service.name} needs it.",
            "Stop that program, or set another port (docs/operations.md).",
        )
    log_path = run_dir / f"{service.name}.log"
    with log_path.open("ab") as log:
        offset = log.tell()
        process = subprocess.Popen(
            list(service.argv), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            env={**service.env, MARK: mark}, start_new_session=True, cwd=run_dir,
        )  # fmt: skip
    pid_file.write_text(json.dumps({"pid": process.pid, "started": _start_time(process.pid)}), encoding="utf-8")
    deadline = time.monotonic() + service.patience_s
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pid_file.unlink(missing_ok=True)
            raise Unavailable(f"{service.name} ended at once: {_tail(log_path, offset)}", f"Its log is {log_path}.")
        if service.ready():
            process.returncode = 0  # it lives on without us: Popen must neither wait for it nor warn
            return True
        time.sleep(0.1)
    stop(service.name, run_dir)
    process.returncode = -signal.SIGKILL  # reaped by `stop`
    raise Unavailable(
        f"{service.name} was not ready after {service.patience_s:.0f} s: {_tail(log_path, offset)}",
        f"Its log is {log_path}.",
    )


def stop(name: str, run_dir: Path, patience_s: float = 15) -> None:
    """Ends a service (TERM, then KILL for its whole process group); does nothing when it doesn't run."""
    pid_file = run_dir / f"{name}.pid"
    if _alive(pid_file):
        pid = int(json.loads(pid_file.read_text(encoding="utf-8"))["pid"])
        _signal(pid, signal.SIGTERM)
        if not _wait_gone(pid, patience_s):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
            _wait_gone(pid, 5)
    pid_file.unlink(missing_ok=True)


def stop_marked(mark: str) -> int:
    """Ends every other process that carries this installation's mark; gives their number."""
    found = [pid for pid in marked(mark) if pid != os.getpid()]
    for pid in found:
        _signal(pid, signal.SIGTERM)
    for pid in found:
        if not _wait_gone(pid, 5):
            _signal(pid, signal.SIGKILL)
            _wait_gone(pid, 5)
    return len(found)


def marked(mark: str) -> list[int]:
    """Process ids that carry the mark."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return found


def running(name: str, run_dir: Path) -> bool:
    """Whether the service's process lives."""
    return _alive(run_dir / f"{name}.pid")


def port_taken(port: int) -> bool:
    """Whether something listens on a TCP port of this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))  # noqa: S104  (asks whether any address of this machine is taken; never listens)
        except OSError:
            return True
    return False


def _alive(pid_file: Path) -> bool:
    try:
        stored = json.loads(pid_file.read_text(encoding="utf-8"))
        return _start_time(int(stored["pid"])) == str(stored["started"])
    except (OSError, ValueError, KeyError):
        return False


def _start_time(pid: int) -> str:
    """Start time in clock ticks since boot: field 22 of /proc/<pid>/stat. Raises OSError when there is no such process."""
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    state, *fields = stat.rsplit(")", 1)[1].split()
    if state == "Z":
        raise ProcessLookupError(pid)
    return fields[18]


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _wait_gone(pid: int, patience_s: float) -> bool:
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        try:
            _start_time(pid)
        except OSError:
            return True
        time.sleep(0.05)
    return False


def _tail(path: Path, offset: int, lines: int = 5) -> str:
    text = path.read_bytes()[offset:].decode("utf-8", "replace")
    return " | ".join(line.strip() for line in text.splitlines()[-lines:] if line.strip()) or "it said nothing"
