"""`release quality`: what was measured of a release."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from ngc_workbench.cli.context import opened
from ngc_workbench.genomes import quality


def show(
    context: typer.Context,
    dataset: Annotated[str, typer.Argument(help="Name of the dataset.")],
    release: Annotated[str, typer.Argument(help="Name of the release.")],
    samples: Annotated[
        bool, typer.Option("--samples", help="Also the figures by internal id; this is recorded.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Shows quality figures of a release, and what is unusual."""
    workbench = opened(context)
    found = quality.read(
        workbench.settings, workbench.database, workbench.log,
        dataset=dataset, release=release, actor=workbench.actor, samples=samples,
    )  # fmt: skip
    if as_json:
        content = {"release": found.name, "summary": found.summary, **({"samples": found.samples} if samples else {})}
        typer.echo(json.dumps(content, indent=1))
        return
    for line in [found.name, *quality.lines(found.summary)]:
        typer.echo(line)
    if samples:
        typer.echo()
        for line in quality.sample_lines(found.samples):
            typer.echo(line)
