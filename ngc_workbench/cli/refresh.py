"""Commands that make opt-outs count in views, and prove it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from ngc_workbench import genomes
from ngc_workbench.cli.context import opened, progress, progress_done
from ngc_workbench.errors import IntegrityError


def refresh(
    context: typer.Context,
    deadline: Annotated[
        int | None,
        typer.Option(
            min=0, max=1440,
            help="Minutes until sessions with a replaced view are stopped; else the setting view_replaced_grace_min.",
        ),
    ] = None,
) -> None:  # fmt: skip
    """Rebuilds every view that holds somebody who opted out, and proves by recount that they are gone."""
    workbench = opened(context)
    done = genomes.refresh_views(
        workbench.settings, workbench.database, workbench.log, actor=workbench.actor, progress=progress,
        deadline=None if deadline is None else timedelta(minutes=deadline),
    )  # fmt: skip
    progress_done()
    for one in done.changed:
        name = f"{one.project}: {one.dataset}/{one.release}"
        if one.reason:
            typer.echo(f"{name}: retired without a new view ({one.reason}); {one.people_before} people before")
        else:
            typer.echo(
                f"{name}: rebuilt, {one.people_before} people before, {one.people_after} after; "
                f"digest {one.digest_before[:12]} before, {one.digest_after[:12]} after"
            )
    if not done.changed:
        typer.echo("No view held anybody who must be left out.")
    for count in done.recounted:
        typer.echo(
            f"{count.project}: {count.dataset}/{count.release}: counted {count.columns} people, {count.rows} variants, "
            f"{count.most} entries a variant in {count.read} of them; none of {count.left_out} people who are left out"
        )
        if count.alike:
            typer.echo(
                f"  {count.alike} of its people have there the genotypes of somebody who is left out, and are others: "
                "twins, or a sample taken in twice? `release show` lists relatives."
            )
    if done.told:
        typer.echo(f"{done.told} sessions mount a view that was replaced; their pages say when they end.")
    typer.echo(f"Proof {done.proof.name}, SHA-256 {done.proof.sha256}, in the audit log.")


def proof(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the proof, as `views refresh` printed it.")],
) -> None:
    """Counts the views again, and compares them with what a proof says."""
    workbench = opened(context)
    found = genomes.reprove(
        workbench.settings, workbench.database, workbench.log, actor=workbench.actor, name=name, progress=progress
    )
    progress_done()
    for fault in found.faults:
        typer.echo(fault, err=True)
    if found.faults:
        raise IntegrityError(
            f"{len(found.faults)} faults: the views are not what they must be.",
            "Run `ngc-workbench views refresh`, which retires them; call the security officer.",
        )
    typer.echo(f"The proof holds: {found.same} views are as they were, {found.gone} were retired since.")
