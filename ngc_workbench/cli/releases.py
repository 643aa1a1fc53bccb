"""The custodian's commands for releases."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from ngc_workbench import genomes, people
from ngc_workbench.cli import quality
from ngc_workbench.cli.context import opened, progress, progress_done
from ngc_workbench.errors import InputError
from ngc_workbench.genomes import catalogue
from ngc_workbench.genomes.quality import lines as quality_lines

Dataset = Annotated[str, typer.Argument(help="Name of the dataset.")]
Release = Annotated[str, typer.Argument(help="Name of the release.")]


def register(app: typer.Typer) -> None:
    """Adds the group `release`."""
    release = typer.Typer(help="Releases: publish, withdraw, show, compare, list, catalogue.", no_args_is_help=True)
    release.command("publish")(publish)
    release.command("withdraw")(withdraw)
    release.command("diff")(diff)
    release.command("catalogue")(print_catalogue)
    release.command("show")(show)
    release.command("list")(list_releases)
    release.command("quality")(quality.show)
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


def withdraw(
    context: typer.Context, dataset: Dataset, release: Release, reason: Annotated[str, typer.Option(help="Why.")]
) -> None:
    """Takes a release back for good: no session mounts it any more; those that do are stopped within a minute."""
    workbench = opened(context)
    genomes.withdraw(
        workbench.settings, workbench.database, workbench.log,
        dataset=dataset, release=release, actor=workbench.actor, reason=reason,
    )  # fmt: skip
    typer.echo(f"{dataset}/{release} is withdrawn.")


def show(
    context: typer.Context,
    dataset: Dataset,
    release: Release,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Shows what a release is: state, counts, shapes, fields, quality, sources' hashes; not the hashes of its files."""
    workbench = opened(context)
    with workbench.database.reading() as db:
        row = genomes.find(db, dataset, release)
    manifest = {key: value for key, value in row.manifest.items() if key != "files"}
    found = {
        "state": row.state,
        "published": row.published.isoformat(timespec="seconds") if row.published else None,
        "withdrawn": row.withdrawn.isoformat(timespec="seconds") if row.withdrawn else None,
        "shapes": genomes.shapes(row.manifest),
        "file_count": len(row.manifest["files"]),
        **manifest,
    }
    if as_json:
        typer.echo(json.dumps(found, indent=1))
        return
    figures = found.pop("quality", None)
    typer.echo("\n".join([*_lines(found), *(["", "quality", *quality_lines(figures)] if figures else [])]))


def _lines(found: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    """A manifest for reading: a name a line, what is inside a thing under it."""
    for key, value in found.items():
        label = f"{indent}{key.replace('_', ' ')}"
        if isinstance(value, Mapping):
            yield label
            yield from _lines(value, f"{indent}  ")
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            yield label
            for item in value:
                yield f"{indent}  " + ", ".join(
                    f"{name} {part}" for name, part in item.items() if part not in (None, "")
                )
        elif value not in (None, "", []):
            yield f"{label:20} {', '.join(map(str, value)) if isinstance(value, list) else value}"


def diff(
    context: typer.Context,
    old: Annotated[str, typer.Argument(help="DATASET/RELEASE.")],
    new: Annotated[str, typer.Argument(help="DATASET/RELEASE to compare with it.")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Says what is different between two releases: people (numbers alone), variants, fields, phenotypes, tools, files."""
    workbench = opened(context)
    found = genomes.compare(
        workbench.settings, workbench.database, workbench.log, old=_pair(old), new=_pair(new), actor=workbench.actor
    )
    typer.echo(json.dumps(found, indent=1) if as_json else "\n".join(genomes.tell_differences(found)))


def print_catalogue(
    context: typer.Context,
    dataset: Dataset,
    release: Release,
    form: Annotated[str, typer.Option("--format", help="json, or dcat for HealthDCAT-AP as JSON-LD.")] = "json",
    write: Annotated[bool, typer.Option("--write", help="Writes the catalogue's files anew as well.")] = False,
) -> None:
    """Prints a release's catalogue record as it would be published now."""
    workbench = opened(context)
    if form not in ("json", "dcat"):
        raise InputError(f"{form[:20]!r} is no format of the catalogue.", "Choose json or dcat.")
    people.require(
        workbench.database, workbench.log, workbench.actor, "genomes.describe", subject=f"{dataset}/{release}"
    )
    with workbench.database.reading() as db:
        row = genomes.find(db, dataset, release)
        record = catalogue.build(workbench.settings, db, row)
        if write:
            catalogue.write(workbench.settings, db, row)
    found = record if form == "json" else catalogue.health_dcat(workbench.settings, record)
    typer.echo(json.dumps(found, indent=1, ensure_ascii=False))


def _pair(text: str) -> tuple[str, str]:
    dataset, slash, release = text.partition("/")
    if not (dataset and slash and release):
        raise InputError(f"{text[:40]!r} does not name a release.", "Write it as DATASET/RELEASE.")
    return dataset, release


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
