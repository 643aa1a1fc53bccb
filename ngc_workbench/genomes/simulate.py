"""Invented cohorts: people without any real person behind them, a seeded trait whose causal variants are known.

`simulate_cohort` makes genotypes too (msprime); `simulate_trait` makes people and a trait for the genotypes of a VCF.
Both write a table (sample, cpr, age, sex, trait) and `truth.json`, so that what an association study finds can be
compared with what is true. Equal arguments give equal files. CPR numbers have the day plus 60: plainly invented.

The trait: sum over causal variants of effect * (alternative alleles - mean), plus 0.01 a year of age above 50, plus 0.2
for men, plus normal noise; the variance that the variants explain and the noise's add up to 1.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ngc_workbench.errors import InputError
from ngc_workbench.genomes.bgzf import BgzfWriter
from ngc_workbench.genomes.preflight import check_files, read_lines
from ngc_workbench.genomes.store import quiet

SEED = 20250701
_CONTIG, _OFFSET, _LENGTH = "chr22", 20_000_000, 1_500_000
_CONTIG_LENGTH = 50_818_468
_YEAR = 2025
_MOST_CANDIDATES = 400
_LEAST_FREQUENCY, _LEAST_CALL_RATE = 0.05, 0.95
_DETECTABLE = 60.0
"""Chi-square (1 degree of freedom) that the strongest variant is given in expectation; p = 5e-8 needs 30."""

Dosages = NDArray[np.int8]


@dataclass(frozen=True)
class Cohort:
    """The files of an invented cohort. `vcf` is the one given, or the one made."""

    vcf: Path
    pheno: Path
    truth: Path


@dataclass(frozen=True)
class _Variant:
    """A candidate for being causal; `dosages` are alternative alleles by person, -1 where the call is missing."""

    contig: str
    position: int
    ref: str
    alt: str
    dosages: Dosages

    @property
    def frequency(self) -> float:
        """Frequency of the alternative allele among the calls."""
        called = self.dosages[self.dosages >= 0]
        return float(called.mean()) / 2 if called.size else 0.0

    @property
    def usable(self) -> bool:
        """Common, and called in nearly everybody."""
        rate = float((self.dosages >= 0).mean())
        return rate >= _LEAST_CALL_RATE and _LEAST_FREQUENCY <= self.frequency <= 1 - _LEAST_FREQUENCY

    @property
    def centred(self) -> NDArray[np.float64]:
        """Dosages less their mean; 0 where the call is missing."""
        mean = 2 * self.frequency
        return np.where(self.dosages >= 0, self.dosages - mean, 0.0)


def simulate_cohort(
    folder: Path, *, people: int = 600, seed: int = SEED, progress: Callable[[str], None] = quiet
) -> Cohort:
    """Writes cohort.vcf.gz, phenotypes.tsv and truth.json into `folder` (made when missing).

    Genotypes: 1.5 million bases of chromosome 22 (GRCh38 positions), coalescent with recombination under a European
    history (Gravel et al. 2011, PNAS 108:11983, without migration), GT, DP and GQ, one call in 200 missing.
    """
    import msprime

    _make(folder)
    progress(f"Simulating {people} people")
    history = msprime.Demography()
    history.add_population(name="A", initial_size=33_900, growth_rate=0.0038)
    history.add_population_parameters_change(time=920, initial_size=1861, growth_rate=0)
    history.add_population_parameters_change(time=2040, initial_size=14_474)
    history.add_population_parameters_change(time=5920, initial_size=7310)
    trees = msprime.sim_ancestry(
        {"A": people}, demography=history, sequence_length=_LENGTH, recombination_rate=1e-8, random_seed=seed
    )
    trees = msprime.sim_mutations(trees, rate=1.25e-8, random_seed=seed + 1)
    random = np.random.default_rng(seed)
    samples = [f"SIM{number:05d}" for number in range(1, people + 1)]
    vcf = folder / "cohort.vcf.gz"
    candidates = []
    with BgzfWriter(vcf) as file:
        file.write(_vcf_header(samples))
        for variant in trees.variants():
            alleles = [allele for allele in variant.alleles if allele is not None]
            if len(alleles) != 2 or len(set(variant.genotypes.tolist())) != 2:
                continue
            pairs = variant.genotypes.reshape(people, 2)
            missing = random.random(people) < 1 / 200
            position = _OFFSET + int(variant.site.position) + 1
            file.write(_record(position, alleles, pairs, missing, random))
            dosages = np.where(missing, -1, pairs.sum(axis=1)).astype(np.int8)
            candidates.append(_Variant(_CONTIG, position, alleles[0], alleles[1], dosages))
    return _finish(folder, vcf, samples, [one for one in candidates if one.usable], seed, genotypes_simulated=True)


def simulate_trait(vcf: Path, folder: Path, *, seed: int = SEED, progress: Callable[[str], None] = quiet) -> Cohort:
    """Writes phenotypes.tsv and truth.json for the people of a VCF into `folder` (made when missing).

    Raises InputError when the VCF is unsound, or has no common biallelic variant that could be causal.
    """
    found = check_files([vcf], progress=progress).or_refuse().files[0]
    _make(folder)
    progress("Choosing causal variants")
    random = np.random.default_rng(seed + 2)
    candidates: list[_Variant] = []
    seen = 0
    for variant in _biallelic(vcf):
        if not variant.usable:
            continue
        seen += 1
        # A reservoir: each usable variant has the same chance, however many there are.
        if len(candidates) < _MOST_CANDIDATES:
            candidates.append(variant)
        elif (place := int(random.integers(seen))) < _MOST_CANDIDATES:
            candidates[place] = variant
    candidates.sort(key=lambda one: (one.contig, one.position))
    if not candidates:
        raise InputError(
            f"{vcf.name}: no variant is common enough to have a trait simulated on it.",
            "Give a phenotype table, or a VCF with biallelic variants of at least 5 % frequency.",
        )
    return _finish(folder, vcf, found.samples, candidates, seed, genotypes_simulated=False)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"The folder {folder.name} can't be made: {error.strerror}.", "Name another one.") from error


def _biallelic(vcf: Path) -> Iterator[_Variant]:
    with vcf.open("rb") as file:
        for _, line in read_lines(file):
            if line.startswith(b"#") or not line:
                continue
            fields = line.split(b"\t", 9)
            if b"," in fields[4] or not fields[4].isalpha():
                continue
            calls = [value.partition(b":")[0] for value in fields[9].split(b"\t")]
            dosages = np.array([-1 if b"." in call else call.count(b"1") for call in calls], dtype=np.int8)
            yield _Variant(fields[0].decode(), int(fields[1]), fields[3].decode(), fields[4].decode(), dosages)


def _finish(
    folder: Path,
    vcf: Path,
    samples: Sequence[str],
    candidates: Sequence[_Variant],
    seed: int,
    *,
    genotypes_simulated: bool,
) -> Cohort:
    """Chooses causal variants, makes people and the trait, writes both files."""
    people = len(samples)
    random = np.random.default_rng(seed + 3)
    causal = _choose(candidates, random)
    first = min(0.5, max(0.06, _DETECTABLE / people))
    shares = [first / (rank + 1) for rank in range(len(causal))]
    effects = []
    genetic = np.zeros(people)
    for variant, share in zip(causal, shares, strict=True):
        size = math.sqrt(share / float(variant.centred.var())) * (1 if random.random() < 0.5 else -1)
        effects.append(size)
        genetic += size * variant.centred
    ages, sexes, numbers = _persons(people, random)
    noise = random.normal(0, math.sqrt(max(0.05, 1 - sum(shares))), people)
    trait = genetic + 0.01 * (ages - 50) + 0.2 * (sexes == "male") + noise
    pheno = folder / "phenotypes.tsv"
    lines = ["sample\tcpr\tage\tsex\ttrait"]
    lines += [
        f"{sample}\t{cpr}\t{age}\t{sex}\t{value:.4f}"
        for sample, cpr, age, sex, value in zip(samples, numbers, ages, sexes, trait, strict=True)
    ]
    pheno.write_text("\n".join(lines) + "\n", encoding="utf-8")
    truth = folder / "truth.json"
    content: dict[str, Any] = {
        "seed": seed,
        "people": people,
        "genotypes_simulated": genotypes_simulated,
        "trait": "sum of effect * (alternative alleles - mean) + 0.01 * (age - 50) + 0.2 for men + noise",
        "causal": [
            {
                "contig": variant.contig, "position": variant.position, "ref": variant.ref, "alt": variant.alt,
                "effect": round(size, 6), "frequency": round(variant.frequency, 6), "variance_explained": round(share, 6),
            }
            for variant, size, share in zip(causal, effects, shares, strict=True)
        ],
    }  # fmt: skip
    truth.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return Cohort(vcf, pheno, truth)


def _choose(candidates: Sequence[_Variant], random: np.random.Generator, count: int = 3) -> list[_Variant]:
    """Up to `count` common variants of which no two are correlated (r^2 below 0.05), so that each is found on its own."""
    chosen: list[_Variant] = []
    # The commoner first: a table of 600 people says little about an allele of 5 %.
    order = sorted(random.permutation(len(candidates)), key=lambda at: abs(candidates[at].frequency - 0.5) > 0.3)
    for at in order:
        variant = candidates[at]
        correlations = [float(np.corrcoef(variant.centred, other.centred)[0, 1]) ** 2 for other in chosen]
        if all(squared < 0.05 for squared in correlations):
            chosen.append(variant)
        if len(chosen) == count:
            break
    return chosen


def _persons(people: int, random: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.str_], list[str]]:
    """Ages (18 to 90), sexes and CPR numbers that agree with both."""
    ages = random.integers(18, 91, people)
    sexes = np.where(random.random(people) < 0.5, "male", "female")
    taken: set[str] = set()
    numbers = []
    for age, sex in zip(ages, sexes, strict=True):
        year = _YEAR - 1 - int(age)
        while True:
            day, month = int(random.integers(61, 89)), int(random.integers(1, 13))
            # The 7th digit tells the century: 0 to 3 for 1900-1999, 4 to 9 for years up to 36 of the next.
            century = int(random.integers(0, 4)) if year < 2000 else int(random.integers(4, 10))
            last = 2 * int(random.integers(0, 5)) + (sex == "male")
            cpr = f"{day:02d}{month:02d}{year % 100:02d}-{century}{int(random.integers(0, 100)):02d}{last}"
            if cpr not in taken:
                break
        taken.add(cpr)
        numbers.append(cpr)
    return ages, sexes, numbers


def _vcf_header(samples: Sequence[str]) -> bytes:
    lines = [
        "##fileformat=VCFv4.3",
        "##source=ngc-workbench simulation: invented people",
        f"##contig=<ID={_CONTIG},length={_CONTIG_LENGTH},assembly=GRCh38>",
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
        '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Read depth">',
        '##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Genotype quality">',
        "\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *samples]),
    ]
    return ("\n".join(lines) + "\n").encode()


def _record(
    position: int,
    alleles: Sequence[str],
    pairs: NDArray[np.int32],
    missing: NDArray[np.bool_],
    random: np.random.Generator,
) -> bytes:
    depths = random.poisson(30, len(pairs))
    qualities = np.minimum(99, depths * 3)
    values = [
        f"./.:{depth}:0" if gone else f"{one}|{two}:{depth}:{quality}"
        for (one, two), gone, depth, quality in zip(
            pairs.tolist(), missing.tolist(), depths.tolist(), qualities.tolist(), strict=True
        )
    ]
    return ("\t".join([_CONTIG, str(position), ".", *alleles, ".", "PASS", ".", "GT:DP:GQ", *values]) + "\n").encode()
