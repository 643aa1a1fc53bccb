"""The security officer's commands on sessions: what runs, what was shown, pause, release, stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer
from sqlalchemy.orm import Session as Transaction

from ngc_workbench import people
from ngc_workbench.audit import AuditLog
from ngc_workbench.cli.context import Workbench, opened
from ngc_workbench.errors import NotFound, Refused
from ngc_workbench.model import Session, utcnow
from ngc_workbench.policy.meter import Pause, readings, said
from ngc_workbench.sessions import pause as pausing
from ngc_workbench.sessions import traffic

ReasonOption = Annotated[str, typer.Option(help="Why: at least 10 characters; it is recorded with your name.")]
SessionArgument = Annotated[str, typer.Argument(help="The session's id, as `session list` shows it.")]


def register(app: typer.Typer) -> None:
    """Adds the group `session`."""
    group = typer.Typer(help="Sessions: list, show, pause, release, stop.", no_args_is_help=True)
    group.command("list")(list_sessions)
    group.command("show")(show)
    group.command("pause")(pause)
    group.command("release")(release)
    group.command("stop")(stop)
    app.add_typer(group, name="session")


def list_sessions(context: typer.Context) -> None:
    """Lists sessions that run or are held: id, state, person, project, what they showed in all."""
    workbench = opened(context)
    people.require(workbench.database, workbench.log, workbench.actor, "session.watch", subject="sessions")
    with workbench.database.reading() as db:
        held = pausing.holds(db)
        known = {row.id for row in held}
        for row in [*held, *(row for row in pausing.live(db) if row.id not in known)]:
            state = row.state if row.paused_at is None or row.state == "paused" else f"{row.state}, held"
            typer.echo(f"{row.id:14} {state:14} {row.person_name:20} {row.project_name:30} {_mb(row.bytes_out):>10}")


def show(context: typer.Context, session: SessionArgument) -> None:
    """Shows one session: its pause, its thresholds, and what it showed by hour and kind."""
    workbench = opened(context)
    people.require(workbench.database, workbench.log, workbench.actor, "session.watch", subject="sessions")
    with workbench.database.reading() as db:
        row = db.get(Session, session)
        if row is None:
            raise NotFound(f"There is no session {session}.", "`ngc-workbench session list` shows what there is.")
        typer.echo(
            f"session {row.id}: {row.person_name} in {row.project_name}, {row.state}, {_mb(row.bytes_out)} shown in all"
        )
        held = pausing.pause_of(row)
        if held is not None:
            typer.echo(_held(held))
        if row.metered_from is not None:
            typer.echo(
                f"released at {row.metered_from.isoformat(timespec='seconds')}; what was shown before counts no more"
            )
        allowed = traffic.allowed(db, traffic.default_thresholds(workbench.settings), row.project_name)
        for one in readings(traffic.used(db, row.person_name, row.project_name, utcnow()), allowed):
            typer.echo(f"{one.reason} {one.kind or 'all'}: {_mb(one.shown)} of {_mb(one.limit)}")
        for shown in traffic.table(db, row.id):
            typer.echo(f"{shown.hour.isoformat(timespec='minutes')}  {shown.kind:40} {shown.bytes:>14,}")


def pause(context: typer.Context, session: SessionArgument, reason: ReasonOption) -> None:
    """Pauses a running session at once; its person reads the reason."""
    _act(context, session, "session.pause", reason, pausing.pause)
    typer.echo(f"Session {session} is paused. It goes on with `ngc-workbench session release {session}`.")


def release(context: typer.Context, session: SessionArgument, reason: ReasonOption) -> None:
    """Releases a pause: the session goes on, and what was shown so far counts towards no threshold."""
    _act(context, session, "session.release", reason, pausing.release)
    typer.echo(f"Session {session} is released.")


def stop(context: typer.Context, session: SessionArgument, reason: ReasonOption) -> None:
    """Stops a session: its door is closed at once, its container is gone within a minute. A pause stays until it is released."""
    _act(context, session, "session.stop", reason, pausing.stop)
    typer.echo(f"Session {session} is stopped.")


def _act(context: typer.Context, session: str, action: str, reason: str, deed: Callable[..., object]) -> None:
    workbench = opened(context)
    people.require(workbench.database, workbench.log, workbench.actor, action, subject=session)
    try:
        _in_one(workbench, lambda db, log: deed(db, log, session=session, actor=workbench.actor, reason=reason))
    except Refused as refused:
        why = refused
        # In a transaction of its own: the one that was refused is rolled back.
        _in_one(workbench, lambda db, log: pausing.refuse(db, log, why, session=session, actor=workbench.actor))
        raise


def _in_one(workbench: Workbench, work: Callable[[Transaction, AuditLog], object]) -> None:
    with workbench.database.writing() as db:
        work(db, workbench.log)


def _held(held: Pause) -> str:
    what, _ = said(held)
    return f"{what} {held.why}".strip()


def _mb(count: int) -> str:
    return f"{count / 1_000_000:,.1f} MB"
