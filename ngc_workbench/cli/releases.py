"""The custodian's commands for releases."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from ngc_workbench import genomes
from ngc_workbench.cli.context import opened, progress, progress_done

Dataset = Annotated[str, typer.Argument(help="Name of the dataset.")]
Release = Annotated[str, typer.Argument(help="Name of the release.")]


def register(app: typer.Typer) -> None:
    """Adds the group `release`."""
    release = typer.Typer(help="Releases: publish, show, list.", no_args_is_help=True)
    release.command("publish")(publish)
    release.command("show")(show)
    release.command("list")(list_releases)
    app.add_typer(release, name="release")


def publish(context: typer.Context, dataset: Dataset, release: Release) -> None:
    """Makes a release available for approvals."""
    workbench = opened(context)
    genomes.publish(
        workbench.settings, workbench.database, workbench.log,
        dataset=dataset, release=release, actor=workbench.actor, progress=progress,
    )  # fmt: skip
    progress_done()
    typer.echo(f"{dataset}/{release} is published.")


def show(context: typer.Context, dataset: Dataset, release: Release) -> None:
    """Prints a release's manifest as JSON, without the hashes of its files."""
    workbench = opened(context)
    with workbench.database.reading() as db:
        row = genomes.find(db, dataset, release)
    manifest = {key: value for key, value in row.manifest.items() if key != "files"}
    typer.echo(json.dumps({"state": row.state, "file_count": len(row.manifest["files"]), **manifest}, indent=1))


def list_releases(context: typer.Context) -> None:
    """Lists all releases with state and counts."""
    workbench = opened(context)
    with workbench.database.reading() as db:
        for row in genomes.list_releases(db):
            counts = row.manifest["counts"]
            typer.echo(
                f"{row.dataset_name}/{row.name:20} {row.state:10} {counts['samples']:7} people "
                f"{counts['variants']:10} variants  {row.manifest['genome']}"
            )
