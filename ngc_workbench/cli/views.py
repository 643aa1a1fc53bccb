"""Commands for views: what a project sees of a release."""

from __future__ import annotations

from typing import Annotated

import typer

from ngc_workbench import genomes
from ngc_workbench.cli import refresh
from ngc_workbench.cli.context import group, opened, progress, progress_done

Dataset = Annotated[str, typer.Argument(help="Name of the dataset.")]
Release = Annotated[str, typer.Argument(help="Name of the release.")]


def register(app: typer.Typer) -> None:
    """Adds the group `views`."""
    views = typer.Typer(help="What a project sees of a release.", no_args_is_help=True)
    views.callback()(group)
    views.command("build")(build_view)
    views.command("refresh")(refresh.refresh)
    views.command("proof")(refresh.proof)
    app.add_typer(views, name="views")


def build_view(
    context: typer.Context,
    project: Annotated[str, typer.Argument(help="Name of the project.")],
    dataset: Dataset,
    release: Release,
) -> None:
    """Builds a project's view anew: without the people who have opted out since."""
    workbench = opened(context)
    view = genomes.build_view(
        workbench.settings, workbench.database, workbench.log,
        project=project, dataset=dataset, release=release, actor=workbench.actor, progress=progress,
    )  # fmt: skip
    progress_done()
    typer.echo(f"View of {dataset}/{release} for {project}: {view.people} people, {view.variants} variants.")
