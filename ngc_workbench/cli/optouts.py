"""The custodian's commands for people whose data may not be used for research."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from ngc_workbench import genomes
from ngc_workbench.cli.context import group, opened, progress, progress_done
from ngc_workbench.genomes.optouts import UnusableExtract


class Encoding(str, Enum):
    """How an extract's letters are written."""

    UTF_8 = "utf-8"
    LATIN_1 = "latin-1"


def register(app: typer.Typer) -> None:
    """Adds the group `optout`."""
    optout = typer.Typer(help="People whose data may not be used for research.", no_args_is_help=True)
    optout.callback()(group)
    optout.command("add")(add_opt_out)
    optout.command("import")(import_register)
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
        typer.echo(f"The view of {name}/{release} for {project} holds them.")
    if recorded.views:
        typer.echo("Next: ngc-workbench views refresh")


def import_register(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Extract of the tissue-use register: columns cpr, status, date, by.")],
    full: Annotated[
        bool,
        typer.Option(
            "--full/--changes", help="Whether the extract lists everybody who is in the register, or changes."
        ),
    ] = False,
    encoding: Annotated[Encoding, typer.Option(help="How the extract's letters are written.")] = Encoding.UTF_8,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="Apply a full extract although it ends the entries of many people.")
    ] = False,
) -> None:
    """Takes in an extract of the tissue-use register: all of it, or nothing."""
    workbench = opened(context)
    try:
        done = genomes.import_register(
            workbench.settings, workbench.database, workbench.log, path=file, full=full, encoding=encoding.value,
            confirmed=confirm, actor=workbench.actor, progress=progress,
        )  # fmt: skip
    except UnusableExtract as error:
        progress_done()
        for fault in error.faults:
            typer.echo(fault, err=True)
        raise
    progress_done()
    typer.echo(
        f"{done.lines} lines: {done.opted_out} people are out from now on ({done.again} of them again), "
        f"{done.ended} have opted in again ({done.absent} because the extract lacks them), "
        f"{done.unchanged} as they were."
    )
    if done.kept_guardian:
        typer.echo(
            f"{done.kept_guardian} whom a guardian opted out stay out though the extract lacks them: "
            "they are old enough to withdraw themselves."
        )
    typer.echo(f"People of the store whose entry changed: {done.individuals}.")
    if done.views:
        typer.echo(f"{done.views} views hold somebody who is out. Next: ngc-workbench views refresh")
