"""`ngc-workbench demo`: starts the workbench when it does not run, plays, and leaves it running."""

from __future__ import annotations

import asyncio
import csv
import re
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import select

from ngc_workbench.cli import stack
from ngc_workbench.cli.context import Workbench, opened, progress, progress_done
from ngc_workbench.cli.demo.play import play, tell_json, tell_person
from ngc_workbench.cli.demo.stage import EVERYBODY, Stage
from ngc_workbench.cli.demo.steps_data import causal_variants
from ngc_workbench.errors import ConfigurationError, InputError
from ngc_workbench.genomes import simulate
from ngc_workbench.model import Project, Release


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("demo")(demo)


def demo(
    context: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a step.")] = False,
    vcf: Annotated[Path | None, typer.Option(help="Your own genotypes (VCF); else a cohort is simulated.")] = None,
    pheno: Annotated[
        Path | None, typer.Option(help="Your own phenotype table with a numeric column; else a trait is simulated.")
    ] = None,
) -> None:
    """Plays the way of a result, from a VCF to a reviewed download, with real clients. Exit code 1 when a step fails."""
    if pheno is not None and vcf is None:
        raise InputError("A phenotype table was given without genotypes.", "Name the genotypes too: --vcf FILE.")
    workbench = opened(context)
    if not workbench.settings.demo:
        raise ConfigurationError("This installation is not a demo.", "Play it on one with `demo = true`.")
    # What a person gave is looked at first: nothing is started for a file that can't be used.
    for path in (vcf, pheno):
        if path is not None and not path.is_file():
            raise InputError(f"There is no file {path.name}.", "Check the path.")
    stack.up(workbench, progress)
    progress_done()
    with tempfile.TemporaryDirectory(prefix="ngc-demo-") as folder:
        stage = _prepare(workbench, Path(folder), vcf, pheno)
        if not json:
            typer.echo(_opening(stage, vcf, pheno))
        ok = asyncio.run(play(stage, tell_json if json else _tell))
    if not json:
        typer.echo(_closing(workbench, ok=ok))
    if not ok:
        raise typer.Exit(1)


def _tell(name: str, ok: bool, seen: dict[str, object], seconds: float) -> None:
    progress_done()
    tell_person(name, ok, seen, seconds)


def _prepare(workbench: Workbench, folder: Path, vcf: Path | None, pheno: Path | None) -> Stage:
    """The files of this play, and names that no earlier play has used."""
    truth: list[str] = []
    if vcf is None or pheno is None:
        cohort = (
            simulate.simulate_cohort(folder / "cohort", progress=progress)
            if vcf is None
            else simulate.simulate_trait(vcf, folder / "cohort", progress=progress)
        )
        progress_done()
        vcf, pheno = cohort.vcf, cohort.pheno
        truth = causal_variants(cohort.truth.read_text(encoding="utf-8"))
        dataset = "simulated" if vcf.is_relative_to(folder) else "genotypes"
    else:
        dataset = "own"
    with workbench.database.reading() as db:
        used = [*db.scalars(select(Release.name)), *db.scalars(select(Project.name))]
    number = 1 + max((int(match[1]) for name in used if (match := re.search(r"(\d+)$", name))), default=0)
    return Stage(
        workbench=workbench,
        progress=_note,
        work_dir=folder,
        vcf=vcf.resolve(),
        pheno=pheno.resolve(),
        dataset=dataset,
        release=f"r{number}",
        project=f"heredity-{number}",
        other_project=f"elsewhere-{number}",
        opted_out=_first_person(pheno, dataset, invented=bool(truth)),
        truth=truth,
    )


def _first_person(pheno: Path, dataset: str, *, invented: bool) -> tuple[str, ...]:
    """Words of `optout add` for the first person of the table. A real CPR number never stands on a command line."""
    with pheno.open(encoding="utf-8", newline="") as file:
        head = file.readline()
        rows = csv.DictReader([head, file.readline()], delimiter="\t" if "\t" in head else ",")
        row = {(name or "").strip().lower(): value for name, value in next(rows, {}).items()}
    if invented and row.get("cpr"):
        return ("--cpr", row["cpr"])
    for column in ("sample", "sample_id", "iid"):
        if row.get(column):
            return ("--dataset", dataset, "--sample", row[column])
    raise InputError("The phenotype table has no column `sample`.", "Name the samples of the VCF in a column `sample`.")


def _note(text: str) -> None:
    # Every step tells its result; between them a terminal shows what goes on.
    if sys.stderr.isatty():
        progress(text)


def _opening(stage: Stage, vcf: Path | None, pheno: Path | None) -> str:
    if vcf is None:
        what = f"a simulated cohort of invented people, whose trait has the causal variants {', '.join(stage.truth)}"
    elif pheno is None:
        what = f"{vcf.name} with a simulated trait, whose causal variants are {', '.join(stage.truth)}"
    else:
        what = f"{vcf.name} and {pheno.name}"
    return f"DEMO on {what}\n"


def _closing(workbench: Workbench, *, ok: bool) -> str:
    settings = workbench.settings
    state = "All steps showed what they should." if ok else f"A step failed. Logs: {settings.run_dir}"
    return (
        f"\n{state}\n\nThe workbench runs at  {settings.public_url}\n"
        f"Choose a person on the log-in page: {', '.join(EVERYBODY)} (no password: they are invented).\n"
        "`make down` stops everything."
    )
