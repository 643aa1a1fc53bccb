"""An installation of the benchmarks' own: started, given a small simulated cohort and a project, taken down again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from ngc_workbench.cli.context import open_workbench
from ngc_workbench.cli.demo import steps_data
from ngc_workbench.cli.demo.client import Browser
from ngc_workbench.cli.demo.stage import LEAD, Stage
from ngc_workbench.genomes import simulate
from ngc_workbench.settings import ROOT, load

CONFIG = """
instance = "bnch"
demo = true
state_dir = "{state}"
public_port = 19000
hub_api_port = 19081
proxy_api_port = 19001
portal_port = 19010
gateway_port = 19002
gateway_session_port = 19003
identity_port = 19020
session_subnets = "10.215.0.0/16"
"""


class Installation:
    """A running workbench with one project. Use as an async context manager."""

    def __init__(self, folder: Path, say: Callable[[str], None], config: str = CONFIG) -> None:
        """`config` is the text of the configuration, with `{state}` where the state's folder goes."""
        self.folder = folder
        self.say = say
        self.config = folder / "workbench.toml"
        self.config.write_text(config.format(state=folder / "state"), encoding="utf-8")
        self.settings = load(self.config)

    def _command(self, *words: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "ngc_workbench.cli", "--config", str(self.config), *words],
            check=False, capture_output=True, text=True, cwd=ROOT, timeout=600,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"`ngc-workbench {words[0]}` failed: {done.stderr[-1500:]}")

    async def __aenter__(self) -> Self:
        self.say("starting an installation of our own")
        try:
            self._command("up")
            cohort = simulate.simulate_cohort(self.folder / "cohort", people=200)
            invented = cohort.pheno.read_text(encoding="utf-8").splitlines()
            cpr = dict(zip(invented[0].split("\t"), invented[1].split("\t"), strict=True))["cpr"]
            self.stage = Stage(
                workbench=open_workbench(self.config), progress=lambda _: None, work_dir=self.folder, vcf=cohort.vcf,
                pheno=cohort.pheno, dataset="simulated", release="r1", project="bench-1", other_project="bench-2",
                opted_out=("--cpr", cpr),
            )  # fmt: skip
            for step in (steps_data.log_in, steps_data.ingest, steps_data.publish, steps_data.provision):
                self.say(str((await step(self.stage))["text"]))
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if hasattr(self, "stage"):
            await self.stage.exits.aclose()
        self._command("down")

    @property
    def project(self) -> str:
        """The project whose sessions are measured."""
        return self.stage.project

    async def browser(self) -> Browser:
        """The browser of the project's lead, logged in."""
        return await self.stage.browser(LEAD)
