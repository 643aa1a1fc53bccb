"""The custodian's commands for pseudonyms and their keys."""

from __future__ import annotations

from typing import Annotated

import typer

from ngc_workbench import pseudonyms
from ngc_workbench.cli.context import group, opened, progress, progress_done


def register(app: typer.Typer) -> None:
    """Adds the group `pseudonym`."""
    pseudonym = typer.Typer(help="Pseudonyms of a project's people, and their keys.", no_args_is_help=True)
    pseudonym.callback()(group)
    pseudonym.command("reverse")(reverse)
    pseudonym.command("rotate")(rotate)
    pseudonym.command("keys")(keys)
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


def rotate(
    context: typer.Context,
    reason: Annotated[str, typer.Option(help="Why; it is recorded.")],
) -> None:
    """Adds a version of the master key, for new projects and for names and numbers; projects keep their pseudonyms."""
    workbench = opened(context)
    done = pseudonyms.rotate(
        workbench.settings, workbench.database, workbench.log,
        actor=workbench.actor, reason=reason, progress=progress,
    )  # fmt: skip
    progress_done()
    begun = "finished the rotation that an earlier run began" if done.finished else "added"
    typer.echo(
        f"Version {done.version} of the master key: {begun}. {done.individuals} people and {done.opt_outs} opt-outs are "
        "sealed under it. Back up the keys now."
    )


def keys(context: typer.Context) -> None:
    """Shows the versions of the master key, and what uses each; never a key."""
    workbench = opened(context)
    found = pseudonyms.key_versions(workbench.settings, workbench.database, workbench.log, actor=workbench.actor)
    if not found:
        typer.echo("There is no master key yet: the first is made with the first genomes or opt-outs.")
    for one in found:
        made = f"made {one.made:%Y-%m-%d %H:%M} UTC" if one.made else "made before dates were kept"
        rows = "; names and numbers are sealed under it" if one.rows else ""
        typer.echo(f"Version {one.version}: {made}; {one.projects} projects{rows}")
