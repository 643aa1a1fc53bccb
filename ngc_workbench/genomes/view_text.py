"""The README.md of a view, in English and Danish."""

from __future__ import annotations

from collections.abc import Sequence


def describe(
    *,
    dataset: str,
    release: str,
    project: str,
    kind: str,
    people: int,
    variants: int,
    genome: str,
    fields: Sequence[str],
    columns: Sequence[str],
    plink: bool,
    cohort: str,
) -> str:
    """The whole text. `kind` is `matrix` or `vds`, `plink` whether there is a PGEN, `cohort` in words (empty: everything)."""
    return (
        _english(dataset, release, project, kind, people, variants, genome, fields, columns, plink, cohort)
        + "\n"
        + _danish(dataset, release, project, kind, people, variants, genome, fields, columns, plink, cohort)
    )


def _english(
    dataset: str, release: str, project: str, kind: str, people: int, variants: int, genome: str,
    fields: Sequence[str], columns: Sequence[str], plink: bool, cohort: str,
) -> str:  # fmt: skip
    named = ", ".join(f"`{column}`" for column in columns)
    lines = [
        f"# {dataset}, release {release}",
        "",
        f"What project *{project}* may see of this release: {people} people, {variants} variants, positions on {genome}.",
    ]
    if cohort:
        lines.append(f"The approval covers a part of the release: {cohort}.")
    lines.append("")
    if kind == "matrix":
        lines += [
            f'- `genotypes.mt`: a Hail MatrixTable. Open it with `ngc.load("{dataset}")`, or `hl.read_matrix_table`. Columns are',
            "  people (`s`, their pseudonym; `pheno`, their phenotypes), rows are variants (`locus`, `alleles`), entries hold",
            f"  {', '.join(fields)}. Variants with several alternative alleles stand in one row: `hl.split_multi_hts` parts them.",
        ]
    else:
        lines += [
            f'- `genotypes.vds`: a Hail VariantDataset. Open it with `ngc.load("{dataset}")`, or `hl.vds.read_vds`. Its',
            "  `variant_data` holds the calls that differ from the reference (with `pheno`, the phenotypes), its",
            "  `reference_data` the stretches that do not; `hl.vds.to_dense_mt` joins them.",
        ]
    if plink:
        lines += [
            "- `plink/genotypes.pgen`, `.pvar`, `.psam`: the same genotypes for plink2, many times as quick as Hail at an",
            "  association: `plink2 --pfile plink/genotypes …`. Phenotypes stand in the `.psam` (yes is 2, no is 1).",
        ]
    lines += [
        f"- `phenotypes.tsv`: the phenotypes as a table, `id` first{f' ({named})' if named else ''}; `NA` is missing.",
        "",
        "The pseudonyms are this project's own: the same person has another one in every other project. They can be typed in",
        "either case; the last character tells a mistyped one. Dates, where there are any, are shifted by a number of days of",
        "each person's own: what lies between two dates of one person is right, the dates are not. The folder is read-only.",
        "People may withdraw: a later view can hold fewer, and fewer variants with them. Nothing here may leave the workbench",
        "except as a reviewed export.",
    ]
    return "".join(f"{line}\n" for line in lines)


def _danish(
    dataset: str, release: str, project: str, kind: str, people: int, variants: int, genome: str,
    fields: Sequence[str], columns: Sequence[str], plink: bool, cohort: str,
) -> str:  # fmt: skip
    named = ", ".join(f"`{column}`" for column in columns)
    lines = [
        f"# {dataset}, udgave {release}",
        "",
        f"Det, som projektet *{project}* må se af denne udgave: {people} personer, {variants} varianter, positioner på {genome}.",
    ]
    if cohort:
        lines.append(f"Godkendelsen gælder en del af udgaven: {cohort}.")
    lines.append("")
    if kind == "matrix":
        lines += [
            f'- `genotypes.mt`: en MatrixTable til Hail. Åbn den med `ngc.load("{dataset}")` eller `hl.read_matrix_table`. Kolonner',
            "  er personer (`s`, deres pseudonym; `pheno`, deres fænotyper), rækker er varianter (`locus`, `alleles`), og felterne",
            f"  er {', '.join(fields)}. Varianter med flere alternative alleler står i én række: `hl.split_multi_hts` deler dem.",
        ]
    else:
        lines += [
            f'- `genotypes.vds`: en VariantDataset til Hail. Åbn den med `ngc.load("{dataset}")` eller `hl.vds.read_vds`. Dens',
            "  `variant_data` rummer de kald, der afviger fra referencen (med `pheno`, fænotyperne), dens `reference_data` de",
            "  strækninger, der ikke gør; `hl.vds.to_dense_mt` samler dem.",
        ]
    if plink:
        lines += [
            "- `plink/genotypes.pgen`, `.pvar`, `.psam`: de samme genotyper til plink2, mange gange så hurtigt som Hail til en",
            "  associationsanalyse: `plink2 --pfile plink/genotypes …`. Fænotyperne står i `.psam` (ja er 2, nej er 1).",
        ]
    lines += [
        f"- `phenotypes.tsv`: fænotyperne som tabel med `id` først{f' ({named})' if named else ''}; `NA` betyder, at værdien mangler.",
        "",
        "Pseudonymerne er projektets egne: samme person har et andet pseudonym i hvert andet projekt. De kan skrives med store",
        "eller små bogstaver, og det sidste tegn afslører en tastefejl. Datoer, hvor der er nogen, er forskudt med et antal dage,",
        "som er hver persons eget: afstanden mellem to af en persons datoer er rigtig, datoerne selv er ikke. Mappen kan kun",
        "læses. Personer kan trække deres samtykke tilbage, så en senere udgave kan rumme færre, og færre varianter med dem.",
        "Intet herfra må forlade arbejdsbænken uden en godkendt udførsel.",
    ]
    return "".join(f"{line}\n" for line in lines)
