"""The custodian's way in: ingest, and files to try it with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ngc_workbench import genomes
from ngc_workbench.cli.context import opened, progress, progress_done
from ngc_workbench.genomes import simulate


def register(app: typer.Typer) -> None:
    """Adds `ingest` and `simulate`."""
    app.command("ingest")(ingest)
    app.command("simulate")(simulate_files)


def ingest(
    context: typer.Context,
    files: Annotated[
        list[Path],
        typer.Argument(help="VCF or gVCF files, plain or compressed with bgzip; or quoted patterns, sorted by name."),
    ],
    dataset: Annotated[str, typer.Option(help="Name of the dataset; a new one is made.")],
    release: Annotated[str, typer.Option(help="Name of the release; it must be new.")],
    pheno: Annotated[
        Path | None, typer.Option(help="Phenotype table (CSV, TSV, Parquet) with a column sample, cpr or internal_id.")
    ] = None,
    schema: Annotated[Path | None, typer.Option(help="Schema of the phenotype table.")] = None,
    accept: Annotated[
        list[str] | None, typer.Option(help="A defect of the files, or no-pgen, to accept; may be repeated.")
    ] = None,
) -> None:
    """Takes in genomes and phenotypes as a new release, under internal ids. The same command goes on with an interrupted one."""
    workbench = opened(context)
    row = genomes.ingest(
        workbench.settings, workbench.database, workbench.log,
        dataset=dataset, release=release, files=files, pheno=pheno, schema=schema, accept=accept or (),
        actor=workbench.actor, progress=progress,
    )  # fmt: skip
    progress_done()
    typer.echo("\n".join(told(dataset, release, row.manifest)))


def told(dataset: str, release: str, manifest: dict[str, Any]) -> list[str]:
    """What is said of a new release."""
    counts, plink = manifest["counts"], manifest.get("plink")
    taken = (
        f"{dataset}/{release}: {counts['samples']} people ({counts['with_phenotypes']} with phenotypes), "
        f"{counts['variants']} variants on {manifest['genome']}."
    )
    lines = [taken]
    if plink is not None and not plink["made"]:
        lines.append(f"It has no PGEN for plink2, and quality was not measured by it: {plink['why_not']}.")
    return [*lines, f"Next: ngc-workbench release publish {dataset} {release}"]


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
