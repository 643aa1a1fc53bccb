"""Services without systemd."""

from __future__ import annotations

import os
import socket
import sys
import time

import pytest

from ngc_workbench.cli import processes
from ngc_workbench.errors import Unavailable

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_marked(mark):
    """How many processes carry the mark, once there is one: the kernel shows a new process's environment a moment late."""
    for _ in range(100):
        if found := len(processes.marked(str(mark))):
            return found
        time.sleep(0.05)
    return 0


def service(argv, **change):
    values = {
        "name": "one",
        "argv": argv,
        "env": dict(os.environ),
        "port": free_port(),
        "ready": lambda: True,
        "patience_s": 2,
    }
    return processes.Service(**{**values, **change})


def test_a_service_is_started_once_and_stopped(tmp_path):
    """A second start finds it running; after the stop nothing of it is left."""
    one = service(SLEEP)
    assert processes.start(one, tmp_path, str(tmp_path))
    assert not processes.start(one, tmp_path, str(tmp_path))
    assert wait_for_marked(tmp_path) == 1
    processes.stop("one", tmp_path)
    assert processes.marked(str(tmp_path)) == []
    assert not processes.running("one", tmp_path)


def test_a_taken_port_is_said_with_a_remedy(tmp_path):
    """The error names the port and what to do; nothing is started."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Unavailable, match=f"Port {port} .* taken"):
            processes.start(service(SLEEP, port=port), tmp_path, str(tmp_path))
    assert processes.marked(str(tmp_path)) == []


def test_a_service_that_ends_early_quotes_its_log(tmp_path):
    """What the service said last is in the error."""
    dying = service([sys.executable, "-c", "raise SystemExit('no such setting')"], ready=lambda: False)
    with pytest.raises(Unavailable, match="no such setting"):
        processes.start(dying, tmp_path, str(tmp_path))


def test_a_service_that_is_never_ready_is_stopped_again(tmp_path):
    """A start that fails leaves no process behind."""
    with pytest.raises(Unavailable, match="not ready after"):
        processes.start(service(SLEEP, ready=lambda: False, patience_s=0.3), tmp_path, str(tmp_path))
    assert processes.marked(str(tmp_path)) == []


def test_a_number_used_again_by_a_stranger_is_not_signalled(tmp_path):
    """A process id whose start time differs is somebody else's."""
    (tmp_path / "one.pid").write_text(f'{{"pid": {os.getpid()}, "started": "1"}}', encoding="utf-8")
    processes.stop("one", tmp_path)
    assert not (tmp_path / "one.pid").exists()


def test_children_that_outlive_their_parent_are_found(tmp_path):
    """What a killed service had started is ended by the mark."""
    code = f"import subprocess, os; subprocess.Popen({SLEEP!r}, start_new_session=True); os._exit(0)"
    with pytest.raises(Unavailable):
        processes.start(service([sys.executable, "-c", code], ready=lambda: False), tmp_path, str(tmp_path))
    assert wait_for_marked(tmp_path) == 1
    assert processes.stop_marked(str(tmp_path)) == 1
    assert processes.marked(str(tmp_path)) == []
