"""Asks every 15 seconds of each session whether it may go on, and ends it when not.

Run by the hub as its service: `python -m ngc_workbench.sessions.warden`. A session that policy ends is recorded as stopped in the
transaction that decided it, so the gateway turns its back at once; then the hub is asked to stop the server, and
container and network are removed here in any case. Every part of a round stands alone: one that fails is said in the log
and tried again.

Beside the rounds two things are looked at every second, each in a thread of its own so that nothing slow holds it up: whether
containers of paused sessions are frozen (`freezer`), and whether the security officer waits for a notice (`notices`).
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import httpx
import structlog
from docker.errors import APIError, DockerException, NotFound
from requests.exceptions import RequestException
from sqlalchemy import select

from ngc_workbench.errors import Unavailable, WorkbenchError
from ngc_workbench.genomes.replaced import mounted_views, replaced_views
from ngc_workbench.model import Session, utcnow
from ngc_workbench.policy import Decision
from ngc_workbench.policy.sessions import may_keep_views, may_run
from ngc_workbench.projects import SessionFacts, session_facts
from ngc_workbench.sessions import firewall, freezer, lifecycle, network, notices
from ngc_workbench.sessions.channels import channels
from ngc_workbench.sessions.lifecycle import LIVE
from ngc_workbench.sessions.pause import STOPPED_BY_HAND
from ngc_workbench.sessions.runtime import Runtime, open_runtime, runtime

INTERVAL_S = 15
LOOK_S = 1.0
START_PATIENCE = timedelta(minutes=5)
SWEEP_AFTER_S = 120
MOST_NOTED = 50
"""Refused connections recorded in one round, at most: a session must not flood the log."""

_log = structlog.get_logger()


class Hub:
    """The few calls that the warden makes to the hub."""

    def __init__(self, url: str, token: str) -> None:
        self._client = httpx.Client(base_url=url.rstrip("/"), headers={"Authorization": f"token {token}"}, timeout=30)

    def stop(self, person: str, project: str) -> None:
        """Asks the hub to stop a server, so that it forgets it."""
        try:
            answer = self._client.delete(f"/users/{person}/servers/{project}")
        except httpx.HTTPError as error:
            _log.warning("the hub does not answer the warden", error=type(error).__name__)
            return
        if answer.status_code not in (202, 204, 404):
            _log.warning("the hub did not stop a server", status=answer.status_code)


def judge(
    facts: SessionFacts, mounted: set[int], runtime: Runtime, *, replaced: frozenset[int], ends: datetime | None
) -> Decision:
    """Whether a running session may go on: as for a start, and each mounted view is one of the current.

    With views of `replaced` it may go on until `ends` (`policy.sessions.may_keep_views`).
    """
    decision = may_run(
        facts.applicant, facts.project_state, facts.grants, today=utcnow().date(),
        assurance_levels=runtime.settings.assurance_levels, mfa_methods=runtime.settings.mfa_methods,
    )  # fmt: skip
    if not decision:
        return decision
    views = may_keep_views(
        mounted=mounted, current={view.id for view in facts.views}, replaced=replaced, ends=ends, now=utcnow()
    )
    return decision if views else views


def review(runtime: Runtime, hub: Hub | None) -> list[str]:
    """Re-decides each living session and ends those that may not go on; gives their ids."""
    ended = []
    with runtime.database.reading() as db:
        rows = list(db.scalars(select(Session).where(Session.state.in_(LIVE))))
    for row in rows:
        with runtime.database.reading() as db:
            facts = session_facts(db, row.person_name, row.project_name, utcnow().date())
            # Read with the facts: a refresh between the two would look like a view that nobody replaced.
            ends = db.scalar(select(Session.ends).where(Session.id == row.id))
            mounted = mounted_views(row)
            replaced = replaced_views(db, mounted, facts.views)
        decision = judge(facts, mounted, runtime, replaced=replaced, ends=ends)
        if decision:
            if row.state == "starting" and utcnow() - row.started > START_PATIENCE:
                end(runtime, hub, row, "start.abandoned", "the start did not come to an end")
                ended.append(row.id)
            continue
        end(runtime, hub, row, decision.reason, decision.text, denied=True)
        ended.append(row.id)
    return ended


def bury(runtime: Runtime, hub: Hub | None) -> list[str]:
    """Ends the records of sessions whose container has died; gives their ids."""
    ended = []
    with runtime.database.reading() as db:
        rows = list(db.scalars(select(Session).where(Session.state.in_(("running", "paused")))))
    for row in rows:
        try:
            state = runtime.docker.inspect_container(row.container)["State"]
        except NotFound:
            state = {"Running": False, "ExitCode": None}
        if state["Running"]:
            continue
        what = "out of memory" if state.get("OOMKilled") else f"exit code {state.get('ExitCode')}"
        end(runtime, hub, row, "container.ended", what)
        ended.append(row.id)
    return ended


def end(runtime: Runtime, hub: Hub | None, row: Session, reason: str, what: str, *, denied: bool = False) -> None:
    """Records the end, and has it done."""
    if lifecycle.finish(runtime, row.id, reason, actor="sessions", what=what, denied=denied):
        _log.info("session ended", session=row.id, project=row.project_name, reason=reason)
    if hub is not None:
        hub.stop(row.person_name, row.project_name)
    # The hub takes nothing away of a server that it finds dead, and it may not answer at all.
    try:
        lifecycle.remove(runtime, row.id, grace_s=1)
    except (DockerException, RequestException) as error:
        _log.warning("left for the sweep", session=row.id, error=str(error)[:200])


def carry_out(runtime: Runtime, hub: Hub | None) -> list[str]:
    """Takes away what a security officer stopped; gives the sessions' ids. The gateway has turned its back already."""
    with runtime.database.reading() as db:
        rows = list(
            db.scalars(
                select(Session).where(
                    Session.state == "stopped",
                    Session.stop_reason == STOPPED_BY_HAND,
                    Session.stopped > utcnow() - timedelta(seconds=SWEEP_AFTER_S),
                )
            )
        )
    done = []
    for row in rows:
        try:
            runtime.docker.inspect_container(row.container)
        except NotFound:
            continue  # done before; the hub may have started another server of that name since
        end(runtime, hub, row, STOPPED_BY_HAND, "")
        done.append(row.id)
    return done


def sweep(runtime: Runtime) -> list[str]:
    """Removes containers and networks of sessions that ended or that nobody knows; gives the sessions' ids."""
    client, settings = runtime.docker, runtime.settings
    label = {"label": [f"{network.LABEL}={settings.instance}", network.SESSION_LABEL]}
    now = time.time()
    found = {
        item["Labels"][network.SESSION_LABEL]: float(item["Created"])
        for item in client.containers(all=True, filters=label)
    }
    for item in network.ours(client, settings):
        found.setdefault(item["Labels"][network.SESSION_LABEL], 0.0)
    with runtime.database.reading() as db:
        rows = {row.id: row for row in db.scalars(select(Session).where(Session.id.in_(found)))}
    swept = []
    for session, created in found.items():
        row = rows.get(session)
        if row is not None and (
            row.state in LIVE or (row.stopped and utcnow() - row.stopped < timedelta(seconds=SWEEP_AFTER_S))
        ):
            continue
        if row is None and now - created < SWEEP_AFTER_S:
            continue
        lifecycle.remove(runtime, session, grace_s=1)
        swept.append(session)
    return swept


def keep_firewall(runtime: Runtime, hub: Hub | None) -> None:
    """Puts the firewall back when somebody changed it; when that fails, every session ends."""
    try:
        firewall.check(runtime.settings)
    except Unavailable as error:
        with runtime.database.writing() as db:
            runtime.log.append(
                db,
                "firewall.refused",
                actor="sessions",
                decision="deny",
                reason="firewall.not_ours",
                details={"what": error.what},
            )
        try:
            firewall.install(runtime.settings)
            _log.warning("firewall put back", why=error.what)
        except Unavailable as still:
            _log.error("firewall can't be put back: all sessions end", why=still.what)
            with runtime.database.reading() as db:
                rows = list(db.scalars(select(Session).where(Session.state.in_(LIVE))))
            for row in rows:
                end(runtime, hub, row, "firewall.not_ours", still.what, denied=True)


def note_refusals(runtime: Runtime) -> int:
    """Records what sessions tried to reach and the firewall refused; gives the number of events.

    A target is recorded once in a round, with its packets since it was last recorded.
    """
    noted = firewall.refusals(runtime.settings)[:MOST_NOTED]
    if not noted:
        return 0
    with runtime.database.writing() as db:
        for refusal in noted:
            row = db.scalar(
                select(Session).where(Session.address == refusal.source).order_by(Session.started.desc()).limit(1)
            )
            runtime.log.append(
                db, "network.refused", actor=row.person_name if row else "", decision="deny", reason="network.not_the_gateway",
                project=row.project_name if row else "", session=row.id if row else "", subject=refusal.subject,
                details={"source": refusal.source, "packets": refusal.packets},
            )  # fmt: skip
    firewall.forget(runtime.settings, noted)
    return len(noted)


def one_round(runtime: Runtime, hub: Hub | None) -> None:
    """All parts once."""
    parts: list[Callable[[], object]] = [
        lambda: keep_firewall(runtime, hub),
        lambda: review(runtime, hub),
        lambda: carry_out(runtime, hub),
        lambda: bury(runtime, hub),
        lambda: sweep(runtime),
        lambda: note_refusals(runtime),
        lambda: runtime.log.sign_head_if_stale(runtime.database),
    ]
    for part in parts:
        try:
            part()
        except WorkbenchError as error:
            _log.error("the warden could not", what=error.what, remedy=error.remedy)
        except (APIError, DockerException, RequestException) as error:
            _log.error("Docker does not answer the warden", error=str(error)[:300])


def every_second(name: str, look: Callable[[], object], over: threading.Event) -> None:
    """Looks again and again until `over`; whatever goes wrong is said in the log, and looked at again."""
    while not over.wait(LOOK_S):
        try:
            look()
        except WorkbenchError as error:
            _log.error("the warden could not", part=name, what=error.what)
        except (DockerException, RequestException) as error:
            _log.error("Docker does not answer the warden", part=name, error=str(error)[:300])
        except Exception:  # noqa: BLE001 (a thread that ended would leave paused sessions running, unseen)
            _log.exception("the warden failed", part=name)


def tell(runtime: Runtime) -> int:
    """Delivers what is due to the security officer; gives how many notices were taken."""
    known = channels(runtime.settings)
    notices.spread(runtime.database, known)
    return notices.deliver(runtime.database, known)


def main() -> None:
    """Rounds until the hub ends it."""
    # The hub ends its services with SIGINT first, which a process started in the background inherits as ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))
    hub = Hub(os.environ["JUPYTERHUB_API_URL"], os.environ["JUPYTERHUB_API_TOKEN"])
    here = runtime()
    # A Docker client of its own: a slow call of a round must not hold up a pause.
    aside = open_runtime(here.settings)
    over = threading.Event()
    for name, look in (("pauses", lambda: freezer.look(aside)), ("notices", lambda: tell(here))):
        threading.Thread(target=every_second, args=(name, look, over), name=name, daemon=True).start()
    while True:
        one_round(here, hub)
        time.sleep(INTERVAL_S)


if __name__ == "__main__":
    main()
