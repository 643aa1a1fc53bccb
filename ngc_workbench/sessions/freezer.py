"""Keeps containers as their rows say: paused sessions frozen, released ones running. Looked at every second by the warden.

`frozen` is written before Docker is told to freeze, and taken back after Docker was told to thaw. So whatever was interrupted in
between, the next look finds it: a paused row whose container runs, or a running row that is marked.
"""

from __future__ import annotations

import structlog
from docker.errors import APIError, DockerException, NotFound
from requests.exceptions import RequestException
from sqlalchemy import or_, select, update

from ngc_workbench.model import Session
from ngc_workbench.sessions.runtime import Runtime

_log = structlog.get_logger()


def look(runtime: Runtime) -> list[tuple[str, str]]:
    """Freezes and thaws what isn't as its row says; gives (session, `frozen` or `thawed`) of each that was not."""
    with runtime.database.reading() as db:
        rows = db.execute(
            select(Session.id, Session.container, Session.state, Session.frozen).where(
                Session.state.in_(("running", "paused")), or_(Session.state == "paused", Session.frozen)
            )
        ).all()
    done = []
    for row in rows:
        try:
            if row.state == "paused":
                changed = "frozen" if _freeze(runtime, row.id, row.container, marked=row.frozen) else ""
            else:
                changed = "thawed" if _thaw(runtime, row.id, row.container) else ""
        except NotFound:
            continue  # the warden's round buries it
        except (DockerException, RequestException) as error:
            _log.error("a container can't be frozen or thawed", session=row.id, error=str(error)[:200])
            continue
        if changed:
            _log.info("container", session=row.id, now=changed)
            done.append((row.id, changed))
    return done


def _freeze(runtime: Runtime, session: str, container: str, *, marked: bool) -> bool:
    if not marked and not _mark(runtime, session, "paused", frozen=True):
        return False  # released meanwhile
    if _is_frozen(runtime, container):
        return False
    try:
        runtime.docker.pause(container)
    except APIError:
        # It may be frozen already, by a warden before this one.
        if not _is_frozen(runtime, container):
            raise
    return True


def _thaw(runtime: Runtime, session: str, container: str) -> bool:
    frozen = _is_frozen(runtime, container)
    if frozen:
        runtime.docker.unpause(container)
    # Paused again meanwhile: the mark stays, and the next look freezes.
    _mark(runtime, session, "running", frozen=False)
    return frozen


def _is_frozen(runtime: Runtime, container: str) -> bool:
    return bool(runtime.docker.inspect_container(container)["State"]["Paused"])


def _mark(runtime: Runtime, session: str, state: str, *, frozen: bool) -> bool:
    with runtime.database.writing() as db:
        changed = db.execute(
            update(Session)
            .where(Session.id == session, Session.state == state)
            .values(frozen=frozen)
            .returning(Session.id)
        )
        return changed.first() is not None
