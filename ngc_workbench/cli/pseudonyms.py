"""The custodian's commands for pseudonyms and their keys."""

from __future__ import annotations

from typing import Annotated

import typer

from ngc_workbench import pseudonyms
from ngc_workbench.cli.context import group, opened


def register(app: typer.Typer) -> None:
    """Adds the group `pseudonym`."""
    pseudonym = typer.Typer(help="Pseudonyms of a project's people.", no_args_is_help=True)
    pseudonym.callback()(group)
    pseudonym.command("reverse")(reverse)
    app.add_typer(pseudonym, name="pseudonym")


def reverse(
    context: typer.Context,
    project: Annotated[str, typer.Argument(help="Project that the pseudonym belongs to.")],
    pseudonym: Annotated[str, typer.Argument(help="The pseudonym, as it was told.")],
    reason: Annotated[str, typer.Option(help="What for; it is recorded.")],
) -> None:
    """Finds the patient behind a pseudonym; recorded each time."""
    workbench = opened(context)
    identity = pseudonyms.reverse(
        workbench.settings, workbench.database, workbench.log,
        project=project, pseudonym=pseudonym, reason=reason, actor=workbench.actor,
    )  # fmt: skip
    typer.echo(f"Dataset {identity.dataset}, sample {identity.sample}, CPR number {identity.cpr or 'not given'}")
