"""What the one door costs, and what it holds back: the gateway beside the hub's own proxy, and the catalogue of attacks on both grounds."""

from __future__ import annotations

import asyncio
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from ngc_workbench.cli.context import open_workbench
from ngc_workbench.cli.stack import node_binary, service_environment
from ngc_workbench.model import Person, Project, Session
from ngc_workbench.settings import ROOT, Settings
from tests.attacks.attack import catalogue
from tests.attacks.grounds import image
from tests.attacks.grounds.ground import Ground
from tests.attacks.grounds.here import Here
from tests.attacks.grounds.lab import Lab, chromium
from tests.attacks.grounds.plain import Plain
from tests.attacks.grounds.world import World
from tests.benchmarks import installation, sessions
from tests.benchmarks.measure import Figure, Measure, in_turn

# The server that both stand before listens on loopback; a benchmark shows more than anybody may.
CONFIG = (
    installation.CONFIG.replace("10.215.0.0/16", "127.0.0.0/8") + "meter_hour_mb = 1000000\nmeter_day_mb = 1000000\n"
)
PREFIX = "/user/alma/bench/"
UPSTREAM, PROXY, PROXY_API = 19200, 19201, 19202
SIZES = {"small": ("api/kernels", 100, 4000), "large": ("lab/api/settings", 200_000, 1500)}
"""What is asked for, bytes of the answer, requests in one run."""
AT_ONCE = 32
RUNS = 5
IN_A_ROW = 600
Say = Callable[[str], None]


async def measure(say: Say) -> list[Measure]:
    """All figures. What is started for them is taken down again."""
    found: list[Measure] = await _proxies(say)
    found += await sessions.starts(say)
    found += await asyncio.to_thread(_attacks, say)
    return found


# -- the gateway and the hub's proxy in front of one server ------------------------------------------------


@dataclass(frozen=True)
class _Doors:
    ours: str
    theirs: str
    host: str


async def _proxies(say: Say) -> list[Measure]:
    with tempfile.TemporaryDirectory(prefix="ngc-bench-", ignore_cleanup_errors=True) as name:
        async with (
            _doors(Path(name)) as doors,
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=AT_ONCE), headers={"Host": doors.host}
            ) as client,
        ):
            found: list[Measure] = []
            for size, (path, length, count) in SIZES.items():
                found.append(await _throughput(client, doors, size, path, length, count, say))
            found.append(await _latency(client, doors, say))
            return found


@contextlib.asynccontextmanager
async def _doors(folder: Path) -> AsyncIterator[_Doors]:
    config = folder / "workbench.toml"
    config.write_text(CONFIG.format(state=folder / "state"), encoding="utf-8")
    bench = open_workbench(config)
    settings = bench.settings
    with bench.database.writing() as db:
        db.add(Person(name="alma", full_name="Alma"))
        db.add(Project(name="bench", title="t", purpose="p", ethics_approval="e", state="active"))
        db.flush()
        db.add(
            Session(
                id="b1", person_name="alma", project_name="bench", state="running", prefix=PREFIX, network="n",
                subnet="127.0.0.0/29", address="127.0.0.1", port=UPSTREAM,
            )
        )  # fmt: skip
    proxy = ROOT / "build/node/node_modules/configurable-http-proxy/bin/configurable-http-proxy"
    commands = [
        ([sys.executable, str(Path(__file__).with_name("upstream.py")), str(UPSTREAM)], None),
        ([sys.executable, "-m", "ngc_workbench.gateway"], service_environment(bench)),
        (
            [
                node_binary(), str(proxy), "--ip", "127.0.0.1", "--port", str(PROXY), "--api-port", str(PROXY_API),
                "--default-target", f"http://127.0.0.1:{UPSTREAM}", "--log-level", "error",
            ],
            os.environ | {"CONFIGPROXY_AUTH_TOKEN": "of-a-benchmark"},
        ),
    ]  # fmt: skip
    with contextlib.ExitStack() as stack:
        stack.callback(bench.database.close)
        for command, environment in commands:
            stack.enter_context(_process(command, environment))
        doors = _Doors(f"http://127.0.0.1:{settings.gateway_port}", f"http://127.0.0.1:{PROXY}", _host(settings))
        await _both_answer(doors)
        yield doors


def _host(settings: Settings) -> str:
    return settings.subdomain_url("alma").partition("://")[2]


@contextlib.contextmanager
def _process(command: list[str], environment: dict[str, str] | None) -> Iterator[None]:
    process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()


async def _both_answer(doors: _Doors) -> None:
    deadline = time.monotonic() + 60
    async with aiohttp.ClientSession(headers={"Host": doors.host}) as client:
        for door in (doors.ours, doors.theirs):
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    async with client.get(f"{door}{PREFIX}api/kernels") as answer:
                        if answer.status == 200 and len(await answer.read()) == SIZES["small"][1]:
                            break
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{door} does not pass on what the server answers")
                await asyncio.sleep(0.1)


async def _throughput(
    client: aiohttp.ClientSession, doors: _Doors, size: str, path: str, length: int, count: int, say: Say
) -> Figure:
    async def run(door: str) -> float:
        left = iter(range(count))

        async def one() -> None:
            for _ in left:
                async with client.get(f"{door}{PREFIX}{path}") as answer:
                    if answer.status != 200 or len(await answer.read()) != length:
                        raise RuntimeError(f"{door} answered {answer.status}")

        began = time.monotonic()
        await asyncio.gather(*(one() for _ in range(AT_ONCE)))
        return time.monotonic() - began

    ratio = await in_turn(
        f"gateway_rps_{size}", "", "configurable-http-proxy",
        lambda: run(doors.ours), lambda: run(doors.theirs), runs=RUNS, say=say,
    )  # fmt: skip
    ours, theirs = (count / statistics.median(some) for some in (ratio.ours, ratio.theirs))
    return Figure(
        ratio.name, f"requests a second, answers of {length} bytes, {AT_ONCE} at once: ours over the peer's", ratio.peer,
        ours / theirs, f"{ours:.0f}/s", f"{theirs:.0f}/s",
        {"ours_rps": round(ours), "peer_rps": round(theirs)},
    )  # fmt: skip


async def _latency(client: aiohttp.ClientSession, doors: _Doors, say: Say) -> Figure:
    took: dict[str, list[float]] = {doors.ours: [], doors.theirs: []}
    for number in range(IN_A_ROW + 50):
        for door in (doors.ours, doors.theirs):
            began = time.monotonic()
            async with client.get(f"{door}{PREFIX}api/kernels") as answer:
                await answer.read()
            if number >= 50:
                took[door].append((time.monotonic() - began) * 1000)
    half, most = ({door: _part(some, share) for door, some in took.items()} for share in (0.5, 0.99))
    say(f"gateway_added_p50_ms: ours {half[doors.ours]:.2f}, peer {half[doors.theirs]:.2f}")
    return Figure(
        "gateway_added_p50_ms", "milliseconds of one small request through the gateway less those through the peer, median",
        "configurable-http-proxy", half[doors.ours] - half[doors.theirs],
        f"{half[doors.ours]:.2f} ms", f"{half[doors.theirs]:.2f} ms",
        {"ours_p99_ms": round(most[doors.ours], 2), "peer_p99_ms": round(most[doors.theirs], 2)}, unit="ms",
    )  # fmt: skip


def _part(some: list[float], share: float) -> float:
    return sorted(some)[int(len(some) * share)]


# -- attacks -----------------------------------------------------------------------------------------------


def _attacks(say: Say) -> list[Measure]:
    """How many of the catalogue work on each ground."""
    attacks = catalogue()
    working: dict[str, list[str]] = {}

    def tried(ground: Ground, lab: Lab) -> None:
        ground.lab = lab
        working[ground.name] = []
        for attack in attacks:
            ground.begin()
            if attack.attempt(ground):
                working[ground.name].append(attack.name)
        lab.close()
        say(
            f"attacks: {len(working[ground.name])} of {len(attacks)} work {'on a plain hub' if ground.name == 'plain' else 'here'}"
        )

    with tempfile.TemporaryDirectory(prefix="ngc-bench-", ignore_cleanup_errors=True) as name, World() as world:
        attacker = image.build()
        settings = Settings(instance="atk", demo=True, state_dir=Path(name) / "plain", session_image=attacker)
        settings.state_dir.mkdir()
        (Path(name) / "here").mkdir()
        with chromium() as browser:
            with Plain(world, settings, settings.state_dir) as plain:
                tried(plain, Lab(browser, plain.enter))
            with Here(world, Path(name) / "here", attacker) as here:
                tried(here, Lab(browser, here.enter))
    counts = {ground: len(names) for ground, names in working.items()}
    return [
        Figure(
            f"attacks_working_{where}", f"attacks of the catalogue ({len(attacks)}) that work {words}", "the other ground",
            counts[ground], str(counts[ground]), str(counts[other]), {"attacks": len(attacks), "working": working[ground]}, unit="count",
        )
        for where, words, ground, other in (
            ("on_plain", "on a plain JupyterHub with DockerSpawner", "plain", "here"), ("here", "here", "here", "plain")
        )
    ]  # fmt: skip
