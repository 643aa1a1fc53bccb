"""The custodian's commands for people whose data may not be used for research."""

from __future__ import annotations

from typing import Annotated

import typer

from ngc_workbench import genomes
from ngc_workbench.cli.context import group, opened


def register(app: typer.Typer) -> None:
    """Adds the group `optout`."""
    optout = typer.Typer(help="People whose data may not be used for research.", no_args_is_help=True)
    optout.callback()(group)
    optout.command("add")(add_opt_out)
    app.add_typer(optout, name="optout")


def add_opt_out(
    context: typer.Context,
    cpr: Annotated[
        str | None,
        typer.Option(help="The person's CPR number; `-` asks for it, so that no list of processes shows it."),
    ] = None,
    dataset: Annotated[str | None, typer.Option(help="Dataset of the sample.")] = None,
    sample: Annotated[str | None, typer.Option(help="The sample's name, where no CPR number is known.")] = None,
) -> None:
    """Records that a person's data may not be used for research."""
    workbench = opened(context)
    if cpr == "-":
        cpr = str(typer.prompt("CPR number", hide_input=True, err=True))
    recorded = genomes.record_opt_out(
        workbench.settings, workbench.database, workbench.log,
        actor=workbench.actor, cpr=cpr, dataset=dataset, sample=sample,
    )  # fmt: skip
    typer.echo(f"Recorded. The person is in the store {recorded.individuals} times.")
    for project, name, release in recorded.views:
        typer.echo(f"A view may hold them. Next: ngc-workbench views build {project} {name} {release}")
