"""Commands for views: what a project sees of a release."""

from __future__ import annotations

from typing import Annotated

import typer

from ngc_workbench import genomes
from ngc_workbench.cli import refresh
from ngc_workbench.cli.context import group, opened, progress, progress_done
from ngc_workbench.genomes.optouts import current_views

Dataset = Annotated[str, typer.Argument(help="Name of the dataset.")]
Release = Annotated[str, typer.Argument(help="Name of the release.")]


def register(app: typer.Typer) -> None:
    """Adds the group `views`."""
    views = typer.Typer(help="What a project sees of a release.", no_args_is_help=True)
    views.callback()(group)
    views.command("build")(build_view)
    views.command("list")(list_views)
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


def list_views(
    context: typer.Context,
    project: Annotated[str | None, typer.Argument(help="Name of a project; without it: all.")] = None,
) -> None:
    """Lists the views in force: people, variants, whether they share a cut, and since when they stand."""
    workbench = opened(context)
    with workbench.database.reading() as db:
        for view, release, owner in current_views(db):
            if project in (None, owner.name):
                name = f"{release.dataset_name}/{release.name}"
                shares = f"cut {view.cut[:8]}" if view.cut else "the release"
                typer.echo(
                    f"{owner.name:30} {name:30} {view.people:7} people {view.variants:10} variants  "
                    f"shares {shares}, since {view.created:%Y-%m-%d %H:%M}"
                )
