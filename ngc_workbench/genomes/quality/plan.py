"""What plink2 is asked for, from which chromosomes a release has.

Flags are those of Debian 12's plink2 2.00a3.5, which has no `--check-sex`: the F of chromosome X is its `--het` over a
.pvar in which X is called 1 and Y 2, so that sex changes nothing in how calls are counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ngc_workbench.genomes.quality.thresholds import Thresholds

# X's and Y's own part, between the pseudoautosomal regions that both share; as the Genome Reference Consortium gives them.
_OWN_PART = {
    "GRCh37": {"X": (2_699_521, 154_931_043), "Y": (2_649_521, 59_034_049)},
    "GRCh38": {"X": (2_781_480, 155_701_382), "Y": (2_781_480, 56_887_902)},
}
_CALLS = ["--sample-counts", "cols=homref,homalt,het,dipts,diptv,dipsingle,missing"]
_VARIANTS = [
    "--missing", "variant-only", "vcols=nmiss,nobs", "--freq", "counts", "cols=chrom,pos,ref,alt,altfreq,nobs", "--hardy",
    "cols=gcounts,p",
]  # fmt: skip
_AUTOSOMES = frozenset(map(str, range(1, 23)))
_RENAMED = {"X": "1", "Y": "2", "": "3"}


@dataclass(frozen=True)
class Places:
    """Rows of a release by where they lie: `x` and `y` are the parts that men have once."""

    rows: int
    autosomal: int
    x: int
    y: int

    @property
    def only_autosomes(self) -> bool:
        """Whether all rows are autosomal: sexes then change no count of a variant."""
        return self.rows == self.autosomal

    @property
    def sexes(self) -> bool:
        """Whether there are rows of X's or Y's own part."""
        return bool(self.x or self.y)


def rows_of(pvar: Path) -> Iterator[list[str]]:
    """CHROM, POS, ID, REF, ALT of each row."""
    with pvar.open(encoding="utf-8") as lines:
        for line in lines:
            if not line.startswith("#"):
                yield line.rstrip("\n").split("\t")


def sex_part(chromosome: str, position: int, genome: str) -> str:
    """X or Y when the place lies in the part of it that men have once, else nothing."""
    name = chromosome.removeprefix("chr")
    first, last = _OWN_PART[genome].get(name, (1, 0))
    return name if first <= position <= last else ""


def is_autosome(chromosome: str) -> bool:
    """Whether it is one of the chromosomes 1 to 22."""
    return chromosome.removeprefix("chr") in _AUTOSOMES


def survey(pvar: Path, genome: str) -> Places:
    """Counts rows. `genome` is GRCh37 or GRCh38."""
    rows = autosomal = 0
    parts = {"X": 0, "Y": 0, "": 0}
    for row in rows_of(pvar):
        rows += 1
        if is_autosome(row[0]):
            autosomal += 1
        else:
            parts[sex_part(row[0], int(row[1]), genome)] += 1
    return Places(rows, autosomal, parts["X"], parts["Y"])


def write_renamed(pvar: Path, target: Path, genome: str) -> None:
    """Writes the .pvar in which X is called 1, Y 2, and all else 3."""
    with target.open("w", encoding="utf-8") as out:
        out.write("#CHROM\tPOS\tID\tREF\tALT\n")
        for row in rows_of(pvar):
            out.write("\t".join([_RENAMED[sex_part(row[0], int(row[1]), genome)], *row[1:5]]) + "\n")


def _common(limits: Thresholds, spaced: bool) -> list[str]:
    flags = ["--maf", str(limits.common), "--geno", "0.05", "--max-alleles", "2", "--snps-only", "just-acgt"]
    return [*flags, "--bp-space", str(limits.spacing)] if spaced and limits.spacing else flags


def people_runs(places: Places, people: int, limits: Thresholds) -> list[dict[str, Any]]:
    """Runs about people: calls, F and the list of common variants, X and Y."""
    runs = []
    # A run costs a start of plink2 and a reading of the genotypes, so figures that need no filter share one.
    if places.only_autosomes:
        runs.append(_run("calls", _CALLS + _VARIANTS))
    elif places.autosomal:
        runs.append(_run("calls", ["--autosome", *_CALLS]))
    if places.autosomal:
        flags = ["--autosome", *_common(limits, spaced=True), "--write-snplist", "allow-dups"]
        runs.append(_run("common", flags + (_het() if people >= limits.f_people else [])))
    if places.x and people >= limits.f_people:
        flags = ["--chr", "1", *_common(limits, spaced=False), *_het(), "--sample-counts", "cols=homref,homalt,het"]
        runs.append(_run("x", flags, pvar="sexes.pvar"))
    if places.y:
        runs.append(_run("y", ["--chr", "2", "--missing", "sample-only", "scols=nmiss,nobs"], pvar="sexes.pvar"))
    return runs


def _het() -> list[str]:
    return ["--het", "cols=hom,nobs,f"]


def kinship_run(limits: Thresholds) -> dict[str, Any]:
    """Pairs above second degree, over the common variants."""
    flags = ["--autosome", *_common(limits, spaced=True)]
    flags += ["--make-king-table", "cols=id,nsnp,kinship", "--king-table-filter", str(limits.second_degree)]
    return _run("kinship", flags)


def variants_run() -> dict[str, Any]:
    """Counts of each variant when there are others than autosomal ones. The people's sexes say how X and Y are counted."""
    return _run("calls", _VARIANTS, psam="sexed.psam")


def _run(name: str, flags: list[str], *, psam: str = "people.psam", pvar: str = "") -> dict[str, Any]:
    return {"name": name, "flags": flags, "psam": psam, "pvar": pvar}
