"""The security officer's commands on the audit log."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ngc_workbench import people
from ngc_workbench.audit import export_bundle, verify_bundle, verify_live
from ngc_workbench.cli.context import opened
from ngc_workbench.errors import IntegrityError


def register(app: typer.Typer) -> None:
    """Adds the group `audit`."""
    group = typer.Typer(help="The audit log: verify, export.", no_args_is_help=True)
    group.command("verify")(verify)
    group.command("export")(export)
    app.add_typer(group, name="audit")


def verify(
    context: typer.Context,
    bundle: Annotated[
        Path | None, typer.Option(help="An exported bundle: verified without database or network.")
    ] = None,
) -> None:
    """Says whether the log is whole; else names the first event that is not as it was written."""
    if bundle is not None:
        report = verify_bundle(bundle)
    else:
        workbench = opened(context)
        report = verify_live(workbench.database, workbench.log, actor=workbench.actor)
    for line in report.lines:
        typer.echo(line)
    if not report.ok:
        raise IntegrityError(report.first_fault, "Keep this copy as it is, and call the security officer.")


def export(context: typer.Context, folder: Annotated[Path, typer.Argument(help="New folder for the bundle.")]) -> None:
    """Writes the log, its signed heads and the public key to a folder that anyone can verify. The look is an event too."""
    workbench = opened(context)
    people.require(workbench.database, workbench.log, workbench.actor, "audit.read", subject="the audit log")
    events = export_bundle(workbench.database, workbench.log, folder, actor=workbench.actor)
    typer.echo(f"{events} events written to {folder}.")
