"""A running workbench of the tests' own, on which the main job was played once with real genotypes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ngc_workbench.cli.processes import marked
from ngc_workbench.cli.stack import LABEL, mark
from ngc_workbench.settings import ROOT, Settings, load

DATA = Path(os.environ.get("NGC_TEST_DATA", ROOT.parent / "shared" / "data"))
"""Real public genotypes; see SOURCES.md there. Never part of this repository."""

VCF = DATA / "kgp3_chr1_11.70-11.84Mb_2504s.vcf.gz"

CONFIG = """
instance = "jour"
demo = true
state_dir = "{state}"
public_port = 17000
hub_api_port = 17081
proxy_api_port = 17001
portal_port = 17010
gateway_port = 17002
gateway_session_port = 17003
identity_port = 17020
session_subnets = "10.217.0.0/16"
"""


@dataclass(frozen=True)
class Played:
    """The running installation, and what the play showed: one object a step."""

    settings: Settings
    config: Path
    steps: dict[str, dict[str, Any]]
    output: str

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Runs `ngc-workbench` on this installation."""
        return run(self.config, *words)


def run(config: Path, *words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    """Runs `ngc-workbench` with a configuration."""
    return subprocess.run(
        [sys.executable, "-m", "ngc_workbench.cli", "--config", str(config), *words],
        check=False, capture_output=True, text=True, cwd=ROOT, **more,
    )  # fmt: skip


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """The main job, played on the real 1000 Genomes file with 2,504 people."""
    if not VCF.is_file():
        pytest.fail(f"the public genotypes are not at {DATA}: set NGC_TEST_DATA to their folder")
    folder = tmp_path_factory.mktemp("workbench")
    config = folder / "workbench.toml"
    config.write_text(CONFIG.format(state=folder / "state"), encoding="utf-8")
    try:
        done = run(config, "demo", "--json", "--vcf", str(VCF), timeout=1200)
        steps = {}
        for line in done.stdout.splitlines():
            if line.startswith("{"):
                step = json.loads(line)
                steps[step["step"]] = step
        yield Played(load(config), config, steps, f"exit {done.returncode}\n{done.stdout}\n{done.stderr[-6000:]}")
    finally:
        down = run(config, "down", timeout=180)
    assert down.returncode == 0, down.stderr
    assert left_behind(load(config)) == {}


def left_behind(settings: Settings) -> dict[str, object]:
    """What is left of an installation on this machine: containers, networks, a firewall table, processes. Empty: nothing."""
    own = f"label={LABEL}={settings.instance}"
    asked = {
        "containers": ["docker", "ps", "-aq", "--filter", own],
        "networks": ["docker", "network", "ls", "-q", "--filter", own],
        "firewall": ["nft", "list", "table", "inet", settings.firewall_table],
    }
    found: dict[str, object] = {
        name: subprocess.run(words, check=False, capture_output=True, text=True).stdout.split()
        for name, words in asked.items()
    }
    found["processes"] = marked(mark(settings))
    return {name: things for name, things in found.items() if things}
