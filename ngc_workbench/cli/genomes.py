"""The custodian's commands: ingest, releases, opt-outs, views, and finding the patient behind a pseudonym."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ngc_workbench import genomes, pseudonyms
from ngc_workbench.cli.context import opened, progress, progress_done
from ngc_workbench.genomes import simulate

Dataset = Annotated[str, typer.Argument(help="Name of the dataset.")]
Release = Annotated[str, typer.Argument(help="Name of the release.")]


def register(app: typer.Typer) -> None:
    """Adds `ingest` and `simulate`, and the groups `release`, `optout`, `view` and `pseudonym`."""
    app.command("ingest")(ingest)
    app.command("simulate")(simulate_files)
    release = typer.Typer(help="Releases: publish, show, list.", no_args_is_help=True)
    release.command("publish")(publish)
    release.command("show")(show)
    release.command("list")(list_releases)
    app.add_typer(release, name="release")
    optout = typer.Typer(help="People whose data may not be used for research.", no_args_is_help=True)
    optout.callback()(_group)
    optout.command("add")(add_opt_out)
    app.add_typer(optout, name="optout")
    view = typer.Typer(help="What a project sees of a release.", no_args_is_help=True)
    view.callback()(_group)
    view.command("build")(build_view)
    app.add_typer(view, name="view")
    pseudonym = typer.Typer(help="Pseudonyms of a project's people.", no_args_is_help=True)
    pseudonym.callback()(_group)
    pseudonym.command("reverse")(reverse)
    app.add_typer(pseudonym, name="pseudonym")


def _group() -> None:
    # A group with one command stays a group only when it has a callback.
    pass


def ingest(
    context: typer.Context,
    vcf: Annotated[Path, typer.Argument(help="VCF with genotypes: plain, or compressed with bgzip.")],
    dataset: Annotated[str, typer.Option(help="Name of the dataset; a new one is made.")],
    release: Annotated[str, typer.Option(help="Name of the release; it must be new.")],
    pheno: Annotated[
        Path | None, typer.Option(help="Phenotype table (CSV or TSV) with a column sample and/or cpr.")
    ] = None,
) -> None:
    """Takes in genomes and phenotypes as a new release, under internal ids."""
    workbench = opened(context)
    row = genomes.ingest(
        workbench.settings, workbench.database, workbench.log,
        dataset=dataset, release=release, vcf=vcf, pheno=pheno, actor=workbench.actor, progress=progress,
    )  # fmt: skip
    progress_done()
    counts = row.manifest["counts"]
    typer.echo(
        f"{dataset}/{release}: {counts['samples']} people ({counts['with_phenotypes']} with phenotypes), "
        f"{counts['variants']} variants on {row.manifest['genome']}. Next: ngc-workbench release publish {dataset} {release}"
    )


def simulate_files(
    folder: Annotated[Path, typer.Argument(help="Folder for the files.")],
    vcf: Annotated[
        Path | None, typer.Option(help="A VCF to simulate a trait for; else genotypes are simulated too.")
    ] = None,
    people: Annotated[int, typer.Option(min=20, max=20_000, help="People, where genotypes are simulated.")] = 600,
    seed: Annotated[int, typer.Option(help="Equal seeds give equal files.")] = simulate.SEED,
) -> None:
    """Writes an invented cohort, or an invented trait for a VCF, whose causal variants are known."""
    if vcf is None:
        cohort = simulate.simulate_cohort(folder, people=people, seed=seed, progress=progress)
    else:
        cohort = simulate.simulate_trait(vcf, folder, seed=seed, progress=progress)
    progress_done()
    typer.echo(f"VCF: {cohort.vcf}\nPhenotypes: {cohort.pheno}\nTruth: {cohort.truth}")


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
        typer.echo(f"A view may hold them. Next: ngc-workbench view build {project} {name} {release}")


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
