"""Starts Hail rightly for a session: once, quietly, reachable by nobody."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import memory, places
from .errors import NgcError


def say(text: str) -> None:
    """One line to the person at the notebook."""
    sys.stdout.write(f"{text}\n")


def hail() -> Any:
    """The `hail` module; importing it takes seconds, so it is done when first needed."""
    import hail as module

    return module


def running() -> bool:
    """Whether Hail has been started in this kernel."""
    if "hail" not in sys.modules:
        return False
    from hail.utils.java import Env

    return bool(Env.is_fully_initialized())


@contextlib.contextmanager
def _java_speaks_into(file: Path) -> Iterator[None]:
    """The Java process, started inside, writes its warnings into a file and not into the notebook.

    A process inherits file descriptors, not Python's `sys.stderr`, hence the exchange of the descriptors.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(1), os.dup(2)]
    into = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.dup2(into, 1)
        os.dup2(into, 2)
        yield
    finally:
        for number, copy in zip((1, 2), kept, strict=True):
            os.dup2(copy, number)
            os.close(copy)
        os.close(into)


def _genome() -> str:
    """Reference genome of what is mounted; the most common where releases differ; GRCh38 without any."""
    genomes = [view.genome for view in places.mounted() if view.genome]
    return max(sorted(set(genomes)), key=genomes.count) if genomes else "GRCh38"


def start() -> None:
    """Starts Hail with this session's memory and processors. Does nothing when it runs already.

    Temporary files and Hail's log, in which pseudonyms may stand, are under the session's own `/tmp`, which
    ends with the session. Raises NgcError when memory is too short, or when Java doesn't start.
    """
    if running():
        return
    begun = time.monotonic()
    mib = memory.prepare()
    folder = Path(tempfile.mkdtemp(prefix="ngc-hail-"))
    java_log = folder / "java.log"
    # Spark would ask the network who this machine is; there is none, and nobody is to reach it.
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    os.environ.setdefault("SPARK_LOCAL_DIRS", str(folder))
    hl = hail()
    genome = _genome()
    try:
        with _java_speaks_into(java_log), warnings.catch_warnings():
            # Hail names Java 11; its own tests pass under the image's Java 17.
            warnings.filterwarnings("ignore", message="Hail was built and tested with Java")
            hl.init(
                master="local[*]",
                quiet=True,
                idempotent=True,
                log=str(folder / "hail.log"),
                tmp_dir=str(folder),
                local_tmpdir=f"file://{folder}",
                spark_conf={
                    "spark.ui.enabled": "false",
                    "spark.ui.showConsoleProgress": "false",
                    "spark.driver.host": "127.0.0.1",
                    "spark.driver.bindAddress": "127.0.0.1",
                },
            )
            hl.default_reference(genome)
    except Exception as error:
        last = java_log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:] or ["nothing"]
        raise NgcError(
            f"Hail didn't start: {str(error).splitlines()[0] if str(error) else type(error).__name__}. "
            f"Java's last word: {last[0]}",
            f"Restart the kernel and try again; all that Java said is in {java_log}.",
        ) from error
    cores = hl.spark_context().defaultParallelism
    say(
        f"Hail {hl.version().split('-')[0]} is ready after {time.monotonic() - begun:.0f} s: "
        f"{mib / 1024:.1f} GiB of memory, {cores} processors, reference genome {genome}."
    )
