"""The order of the play, and how a step is told."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from ngc_workbench.cli.demo import steps_airlock, steps_data, steps_refusals
from ngc_workbench.cli.demo.stage import Stage
from ngc_workbench.errors import WorkbenchError

Step = Callable[[Stage], Awaitable[dict[str, Any]]]

STEPS: tuple[tuple[str, Step], ...] = (
    ("log-in", steps_data.log_in),
    ("a-ingest", steps_data.ingest),
    ("a-publish", steps_data.publish),
    ("b-provision", steps_data.provision),
    ("c-session", steps_data.start_session),
    ("c-notebook", steps_data.notebook),
    ("d-download", steps_refusals.downloads),
    ("d-network", steps_refusals.network),
    ("d-other-project", steps_refusals.other_project),
    ("d-write", steps_refusals.write_data),
    ("e-request", steps_airlock.request_export),
    ("e-review", steps_airlock.review),
    ("e-download", steps_airlock.download),
    ("f-audit", steps_airlock.audit),
    ("stop", steps_airlock.stop_session),
)


async def play(stage: Stage, tell: Callable[[str, bool, dict[str, Any], float], None]) -> bool:
    """Plays all steps; ends at the first that does not show what it should. True when all did."""
    async with stage.exits:
        for name, step in STEPS:
            began = time.monotonic()
            try:
                seen = await step(stage)
            except WorkbenchError as error:
                tell(name, False, {"text": str(error)}, time.monotonic() - began)
                return False
            tell(name, True, seen, time.monotonic() - began)
    return True


def tell_person(name: str, ok: bool, seen: dict[str, Any], seconds: float) -> None:
    """One line a step for a person."""
    sys.stdout.write(f"{'ok  ' if ok else 'FAIL'} {name:16} {seconds:6.1f} s  {seen['text']}\n")
    sys.stdout.flush()


def tell_json(name: str, ok: bool, seen: dict[str, Any], seconds: float) -> None:
    """One JSON object a step: {"step": …, "ok": …, "seconds": …, "seen": …}."""
    sys.stdout.write(json.dumps({"step": name, "ok": ok, "seconds": round(seconds, 2), "seen": seen}) + "\n")
    sys.stdout.flush()
