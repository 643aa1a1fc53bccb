"""What a session costs in waiting: its start beside a plain DockerSpawner's, and Hail's first answer in it and outside."""

from __future__ import annotations

import asyncio
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ngc_workbench.cli.demo.kernel import Kernel
from ngc_workbench.sessions.container import driver_memory_mb
from ngc_workbench.settings import Settings
from tests.benchmarks.installation import Installation
from tests.benchmarks.measure import Ratio, in_turn
from tests.benchmarks.plain_hub import PlainHub

STARTS = 5
ANSWERS = 4
QUESTION = "print('ANSWER', hl.utils.range_table(1000).aggregate(hl.agg.sum(hl.rand_unif(0, 1)) < 1000))"
IN_SESSION = f"import ngc; ngc.start(); import hail as hl; {QUESTION}"
OUTSIDE = f"import hail as hl; hl.init(quiet=True); {QUESTION}"
PEER_CONTAINER = "ngc-plain-kernel"


async def measure(say: Callable[[str], None]) -> list[Ratio]:
    """Both ratios, on an installation and a peer that are started for it and taken down again."""
    with tempfile.TemporaryDirectory(prefix="ngc-bench-", ignore_cleanup_errors=True) as name:
        async with Installation(Path(name), say) as ours:
            return [await _starts(ours, Path(name), say), await _answers(ours, say)]


async def starts(say: Callable[[str], None]) -> list[Ratio]:
    """The first ratio alone, for the room of the door."""
    with tempfile.TemporaryDirectory(prefix="ngc-bench-", ignore_cleanup_errors=True) as name:
        async with Installation(Path(name), say) as ours:
            return [await _starts(ours, Path(name), say)]


async def _starts(ours: Installation, folder: Path, say: Callable[[str], None]) -> Ratio:
    browser = await ours.browser()
    async with PlainHub(ours.settings, folder) as peer:

        async def our_start() -> float:
            seconds = await browser.start_session(ours.project)
            await browser.stop_session(ours.project)
            return seconds

        async def their_start() -> float:
            seconds = await peer.start()
            await peer.stop()
            return seconds

        return await in_turn(
            "session_start_ratio", "from pressing start to JupyterLab's page", "plain DockerSpawner",
            our_start, their_start, runs=STARTS, say=say,
        )  # fmt: skip


async def _answers(ours: Installation, say: Callable[[str], None]) -> Ratio:
    browser = await ours.browser()
    await browser.start_session(ours.project)
    _plain_container(ours.settings)
    try:

        async def in_session() -> float:
            began = time.monotonic()
            async with Kernel(browser, ours.project, "home/first-answer.ipynb") as kernel:
                result = await kernel.run(IN_SESSION)
                seconds = time.monotonic() - began
            if result.error or "ANSWER True" not in result.text:
                raise RuntimeError(f"Hail gave no answer in a session: {result.error} {result.text}")
            return seconds

        return await in_turn(
            "first_answer_ratio", "from a kernel's start to Hail's first answer", "same image outside",
            in_session, _outside, runs=ANSWERS, say=say,
        )  # fmt: skip
    finally:
        _docker("rm", "--force", "--volumes", PEER_CONTAINER)
        await browser.stop_session(ours.project)


def _docker(*words: str) -> str:
    done = subprocess.run(["docker", *words], check=False, capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise RuntimeError(f"docker {words[0]} failed: {done.stderr[-1000:]}")
    return done.stdout


def _plain_container(settings: Settings) -> None:
    """A container as `docker run` makes it, with the memory and the processors of a session and nothing closed."""
    subprocess.run(["docker", "rm", "--force", PEER_CONTAINER], check=False, capture_output=True, timeout=60)
    _docker(
        "run", "--detach", "--name", PEER_CONTAINER, "--label", "ngc-workbench=bench",
        "--memory", f"{settings.session_memory_mb}m", "--cpus", str(settings.session_cpus),
        "--env", f"PYSPARK_SUBMIT_ARGS=--driver-memory {driver_memory_mb(settings)}m pyspark-shell",
        "--volume", f"{Path(__file__).parent.resolve()}:/bench:ro",
        "--entrypoint", "/usr/bin/tini", settings.researcher_image, "--", "sleep", "3600",
    )  # fmt: skip


async def _outside() -> float:
    printed = await asyncio.to_thread(
        _docker, "exec", PEER_CONTAINER, "/opt/workbench/bin/python", "/bench/inside_first_answer.py", OUTSIDE
    )
    if "ANSWER True" not in printed:
        raise RuntimeError(f"Hail gave no answer outside: {printed}")
    return float(printed.splitlines()[0])
