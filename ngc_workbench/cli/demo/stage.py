"""What the steps of the demo share: people's browsers, the names of this play's release and projects, and commands."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from ngc_workbench.audit import AuditEvent
from ngc_workbench.cli.context import Workbench
from ngc_workbench.cli.demo.client import Browser
from ngc_workbench.cli.demo.kernel import CellResult, Kernel
from ngc_workbench.errors import WorkbenchError
from ngc_workbench.settings import ROOT

NOTEBOOK_PATH = "home/examples/01-association.ipynb"
LEAD, MEMBER, STRANGER = "alma", "bo", "carl"
SUPPORT, CUSTODIAN, CHECKERS, SECURITY = "sofie", "karen", ("oda", "olav"), "signe"
EVERYBODY = (LEAD, MEMBER, STRANGER, SUPPORT, CUSTODIAN, *CHECKERS, SECURITY)


class NotAsExpected(WorkbenchError):
    """A step did not show what it should."""


def expect(condition: object, what: str) -> None:
    """Raises NotAsExpected with `what` unless the condition holds."""
    if not condition:
        raise NotAsExpected(what, "The step did not show what it should; logs are in the state directory.")


@dataclass
class Stage:
    """The play's state. `truth` holds the causal variants of a simulated trait, as `chromosome:position`."""

    workbench: Workbench
    progress: Callable[[str], None]
    work_dir: Path
    vcf: Path
    pheno: Path
    dataset: str
    release: str
    project: str
    other_project: str
    opted_out: tuple[str, ...] = ()
    truth: list[str] = field(default_factory=list)
    browsers: dict[str, Browser] = field(default_factory=dict)
    exits: AsyncExitStack = field(default_factory=AsyncExitStack)
    kernel: Kernel | None = None
    table: str = ""
    seen: dict[str, Any] = field(default_factory=dict)

    async def browser(self, name: str) -> Browser:
        """The person's browser, logged in."""
        if name not in self.browsers:
            browser = await self.exits.enter_async_context(Browser(self.workbench.settings, name))
            page = await browser.log_in()
            expect(
                page.status == 200 and page.url.startswith(browser.portal),
                f"{name} could not log in: {page.status} at {page.url}",
            )
            self.browsers[name] = browser
        return self.browsers[name]

    async def command(self, actor: str, *words: str) -> str:
        """Runs `ngc-workbench` as an operator would, in the name of `actor`; gives its standard output.

        Raises NotAsExpected with its error line when the exit code is not 0.
        """
        code, out, error = await self.try_command(actor, *words)
        expect(code == 0, f"`ngc-workbench {' '.join(words[:2])}` ended with {code}: {error.strip().splitlines()[-1:]}")
        return out

    async def try_command(self, actor: str, *words: str) -> tuple[int, str, str]:
        """Runs `ngc-workbench`; gives exit code, output and errors. Its progress lines are passed on."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "ngc_workbench.cli", "--config", str(self.workbench.config), "--as", actor, *words,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd=ROOT,
        )  # fmt: skip
        if process.stdout is None or process.stderr is None:
            raise NotAsExpected("the command has no output to read")
        errors: list[str] = []

        async def listen(stream: asyncio.StreamReader) -> None:
            async for line in stream:
                errors.append(line.decode("utf-8", "replace").rstrip())
                self.progress(f"    {errors[-1]}")

        out, _ = await asyncio.gather(process.stdout.read(), listen(process.stderr))
        return await process.wait(), out.decode(), "\n".join(errors)

    async def run_cell(self, code: str, patience_s: float = 300) -> CellResult:
        """Runs code in the researcher's kernel."""
        if self.kernel is None:
            raise NotAsExpected("there is no kernel")
        return await self.kernel.run(code, patience_s)

    async def probe(self, code: str) -> Any:
        """Runs a probe in the kernel whose last line prints JSON; gives the value."""
        result = await self.run_cell(code)
        expect(not result.error, f"the probe raised {result.error}")
        return json.loads(result.text.strip().splitlines()[-1])

    def events(self, kind: str, since: int, **match: str) -> list[dict[str, Any]]:
        """Audit events of a kind after sequence number `since`, as their recorded bodies; `match` compares fields."""
        with self.workbench.database.reading() as db:
            rows = db.scalars(select(AuditEvent).where(AuditEvent.seq > since).order_by(AuditEvent.seq)).all()
        bodies = [json.loads(row.body) for row in rows]
        return [
            body
            for body in bodies
            if body["kind"] == kind and all(body.get(key) == value for key, value in match.items())
        ]

    async def await_events(self, kind: str, since: int, patience_s: float = 20, **match: str) -> list[dict[str, Any]]:
        """Like `events`, waiting until there is one (the gateway collapses equal refusals for a moment)."""
        deadline = time.monotonic() + patience_s
        while True:
            found = self.events(kind, since, **match)
            if found or time.monotonic() > deadline:
                return found
            await asyncio.sleep(0.25)

    def last_event(self) -> int:
        """Sequence number of the newest audit event; 0 when there is none."""
        with self.workbench.database.reading() as db:
            newest = db.scalar(select(func.max(AuditEvent.seq)))
        return newest or 0
