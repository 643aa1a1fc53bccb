"""Hail for the custodian: a container without any network, driven by JSON lines.

Hail's driver opens a port on all interfaces with no authentication, so it never runs on the host: it runs in the image
of sessions with `--network none`, a read-only root, no capabilities, bounded memory, as the user who owns the store,
and sees only the folders that its one job needs. What it may do is a closed list of verbs (`hail_worker`).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from ngc_workbench.errors import ConfigurationError, InputError, IntegrityError, Unavailable, WorkbenchError
from ngc_workbench.genomes.store import disk_full
from ngc_workbench.settings import Settings

_PYTHON = "/opt/workbench/bin/python"
_PROGRAM = Path(__file__).parent / "hail_worker"
_NO_DOCKER = Unavailable("Docker does not answer.", "Start the Docker Engine, for instance with `make setup`.")


@dataclass(frozen=True)
class Mount:
    """A folder or file of the host that the container sees, read-only unless `writable`."""

    source: Path
    target: str
    writable: bool = False

    def option(self) -> str:
        """As Docker's `--mount` takes it. Raises ConfigurationError for a path that it can't take."""
        source = str(self.source)
        if any(character in source for character in ',"\n'):
            raise ConfigurationError("A path holds a comma or quotation mark, which Docker can't mount.", "Rename it.")
        return f"type=bind,source={source},target={self.target}{'' if self.writable else ',readonly'}"


def store_label(settings: Settings) -> str:
    """Tells the containers of one genome store from those of another with the same instance name."""
    return hashlib.sha256(str(settings.custody_dir).encode()).hexdigest()[:16]


def docker_command(
    settings: Settings, image: str, name: str, mounts: Sequence[Mount], owner: tuple[int, int]
) -> list[str]:
    """The command that runs the worker. `owner` is the user and group id that the store belongs to."""
    memory = settings.worker_memory_mb
    # The rest is for Python, Java's own needs and /tmp; a heap near the limit ends in a broken connection.
    heap = memory * 5 // 8
    environment = {
        "HOME": "/tmp",  # noqa: S108  (the container's own)
        "PYTHONPATH": "/worker",
        # Jobs are short and want throughput: measured on an import, 6 % less processor time than with Java's default.
        "PYSPARK_SUBMIT_ARGS": f"--driver-memory {heap}m --driver-java-options -XX:+UseParallelGC pyspark-shell",
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_HOSTNAME": "localhost",
        "SPARK_LOCAL_DIRS": "/scratch",
    }
    labels = {
        "ngc-workbench": settings.instance,
        "ngc-workbench.kind": "job",
        "ngc-workbench.store": store_label(settings),
    }
    words = ["docker", "run", "-i", "--name", name, "--network", "none", "--hostname", "localhost", "--read-only"]
    words += ["--user", f"{owner[0]}:{owner[1]}", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
    words += ["--memory", f"{memory}m", "--memory-swap", f"{memory}m", "--pids-limit", "1024", "--log-driver", "none"]
    words += ["--tmpfs", "/tmp:rw,exec,nosuid,nodev,size=512m", "--workdir", "/tmp", "--entrypoint", _PYTHON]  # noqa: S108
    for key, value in labels.items():
        words += ["--label", f"{key}={value}"]
    for key, value in environment.items():
        words += ["--env", f"{key}={value}"]
    for mount in (Mount(_PROGRAM, "/worker/hail_worker"), *mounts):
        words += ["--mount", mount.option()]
    return [*words, image, "-B", "-P", "-s", "-m", "hail_worker"]


class Worker:
    """One running container. Use it as a context manager; `call` as often as needed within.

    Raises Unavailable (Docker, memory, disk), InputError (the data), IntegrityError (a check failed).
    """

    def __init__(
        self,
        settings: Settings,
        job: str,
        mounts: Sequence[Mount],
        progress: Callable[[str], None],
        *,
        wait: bool = True,
    ) -> None:
        """`wait` False: entering does not wait until Hail runs; the first call does."""
        self._settings = settings
        self._wait = wait
        self._progress = progress
        self._name = f"ngc-{settings.instance}-job-{job}-{secrets.token_hex(4)}"
        self._scratch = settings.custody_dir / "scratch" / self._name
        self._mounts = [*mounts, Mount(self._scratch, "/scratch", writable=True)]
        self._log_path = settings.custody_dir / "logs" / f"{self._name}.log"
        self._log: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._failed = False
        self._keep_log = True
        self._said_why = False
        self.hail_version = ""

    def __enter__(self) -> Self:
        remove_leftover_containers(self._settings)
        for folder in (self._scratch, self._log_path.parent):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        owner = self._settings.custody_dir.stat()
        command = docker_command(
            self._settings, self._settings.researcher_image, self._name, self._mounts, (owner.st_uid, owner.st_gid)
        )
        try:
            self._log = os.fdopen(os.open(self._log_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
            # Its own session: an interrupt from the keyboard is for us, who then remove the container.
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, start_new_session=True
            )
            self._progress("Starting Hail")
            if self._wait:
                self.hail_version = self._ask({"verb": "start"})["hail"]
        except FileNotFoundError as error:
            self._end()
            raise _NO_DOCKER from error
        except BaseException:
            self._failed = True
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._failed = self._failed or kind is not None
        # A file with defects is no failure of Hail's: its log would say nothing of them.
        self._keep_log = self._failed and (self._said_why or kind is None or not issubclass(kind, InputError))
        self._end()

    def call(self, verb: str, *, records: int = 0, **arguments: Any) -> dict[str, Any]:
        """Has the container do `verb`; gives its result. `records` is how many it reads, for the rate that is told."""
        return self._ask({"verb": verb, "records": records, "arguments": arguments})

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._process is not None and self._process.stdin is not None  # noqa: S101, PT018  (told to mypy)
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._death() from None
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process is not None and self._process.stdout is not None  # noqa: S101, PT018  (told to mypy)
        for line in self._process.stdout:
            message: dict[str, Any] = json.loads(line)
            if "progress" in message:
                self._progress(str(message["progress"]))
            elif "error" in message:
                self._said_why = True
                raise self._error(str(message["error"]["code"]), str(message["error"]["text"]))
            else:
                result: dict[str, Any] = message["result"]
                return result
        raise self._death()

    def _error(self, code: str, text: str) -> WorkbenchError:
        """What a code of the worker's closed list (`hail_worker.faults`) means here."""
        if code == "disk_full":
            return disk_full()
        if code == "out_of_memory":
            return self._no_memory()
        if code == "input":
            return InputError(text, "Mend the file, then repeat.")
        if code == "no_pgen":
            return InputError(
                f"{text}, though Hail can: the release would have no PGEN.",
                f"The custodian's log {self._log_path.name} says why. To do without: accept no-pgen.",
            )
        if code == "integrity":
            return IntegrityError(text, "Nothing was published. Call the security officer before you repeat.")
        return Unavailable(text, f"The custodian's log {self._log_path.name} says more.")

    def _no_memory(self) -> Unavailable:
        return Unavailable(
            f"Hail ran out of its memory ({self._settings.worker_memory_mb} MiB).",
            "Raise worker_memory_mb, then repeat.",
        )

    def _death(self) -> WorkbenchError:
        """Why the container ended without an answer."""
        assert self._process is not None  # noqa: S101  (told to mypy)
        code = self._process.wait()
        if code == 137 or _docker_says(["inspect", "--format", "{{.State.OOMKilled}}", self._name]) == "true":
            return self._no_memory()
        said = self._log_path.read_text(encoding="utf-8", errors="replace")
        if "Cannot connect to the Docker daemon" in said or "permission denied while trying to connect" in said:
            return _NO_DOCKER
        if "No such image" in said or "Unable to find image" in said:
            return ConfigurationError("The image of sessions is not on this machine.", "Run `make setup`.")
        if "No space left" in said:
            return disk_full()
        return Unavailable(
            f"Hail's container ended early (exit code {code}).", f"The custodian's log {self._log_path.name} says more."
        )

    def _end(self) -> None:
        """Removes the container, whatever happened, and the log of a run that went well."""
        process = self._process
        if process is not None:
            with contextlib.suppress(OSError):
                if process.stdin is not None:
                    process.stdin.close()
            if not self._failed:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=10)
            # Twice: the Engine may not have made the container yet, and would start it after the first.
            for patience in (10, 20):
                _docker_says(["rm", "-f", self._name])
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=patience)
            if process.poll() is None:
                process.kill()
                process.wait()
            _await_removal(self._name)
            if process.stdout is not None:
                process.stdout.close()
        if self._log is not None:
            self._log.close()
            if not self._failed or not self._keep_log:
                self._log_path.unlink(missing_ok=True)
        shutil.rmtree(self._scratch, ignore_errors=True)


def remove_leftover_containers(settings: Settings) -> None:
    """Removes worker containers of this store that a killed run left. Call it with the store's lock held.

    Raises Unavailable when Docker does not answer.
    """
    found = _docker_says(
        [
            "ps", "-aq", "--filter", f"label=ngc-workbench={settings.instance}", "--filter", "label=ngc-workbench.kind=job",
            "--filter", f"label=ngc-workbench.store={store_label(settings)}",
        ]
    )  # fmt: skip
    if found is None:
        raise _NO_DOCKER
    if found:
        _docker_says(["rm", "-f", *found.split()])


def _await_removal(name: str, patience_s: float = 20) -> None:
    """Waits until the container is gone: `rm` answers at once when the Engine is removing it already."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline and _docker_says(["ps", "-aq", "--filter", f"name=^/{name}$"]):
        time.sleep(0.1)


def _docker_says(words: Sequence[str]) -> str | None:
    """What a short Docker command prints; None when it fails."""
    try:
        done = subprocess.run(["docker", *words], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
