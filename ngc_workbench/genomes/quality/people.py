"""Figures of one person, and what is unusual about them: values in, flags out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from ngc_workbench.genomes.quality.thresholds import Thresholds

FIGURES = (
    "call_rate", "het", "hom_alt", "het_hom_ratio", "ti_tv", "singletons", "inbreeding_f", "mean_depth", "mean_gq",
    "het_reads_calls", "het_allele_balance", "het_uneven", "x_het", "x_f", "y_call_rate", "bases_gq20",
)  # fmt: skip
"""Figures, by the field's terms, in the order of samples.tsv."""

FLAGS: dict[str, str] = {
    "low_call_rate": "have a call rate below {call_rate}: leave them out of analyses, or sequence again",
    "low_depth": "have a mean depth below {mean_depth}: their calls are less sure, rare ones above all",
    "low_gq": "have a mean genotype quality below {mean_gq}: their calls are less sure",
    "het_excess": "have too many heterozygous calls (F far below the median): a hint of contamination, ask the laboratory",
    "het_deficit": "have too few heterozygous calls (F far above the median): related parents, or alleles that were not seen",
    "allele_balance": "have heterozygous calls whose reads don't come half and half (a mean share outside "
    "{allele_balance_low} to {allele_balance_high}, or more than {uneven} of the calls with a share outside 0.2 to 0.8): "
    "a hint of contamination, ask the laboratory",
    "ti_tv_outlier": "have an unusual ratio of transitions to transversions: look for wrong calls",
    "het_hom_outlier": "have an unusual ratio of heterozygous to homozygous calls: other ancestry, or contamination",
    "singletons": "have unusually many variants that nobody else has: other ancestry, or wrong calls",
    "duplicate": "are in a pair with the genotypes of one person: a twin, or a sample taken twice or mixed up",
    "sex_mismatch": "have another sex by their genotypes than declared: check for samples that were mixed up",
    "sex_unclear": "have chromosomes X and Y that fit neither sex: check for contamination, or other numbers of X and Y",
}  # fmt: skip
"""What each flag says of people, and what to do."""

_SEXES = {"male": "male", "m": "male", "mand": "male", "1": "male", "female": "female", "f": "female",
          "kvinde": "female", "k": "female", "2": "female"}  # fmt: skip
_MAD_SCALE = 1.4826
"""Makes the median absolute deviation of a normal distribution its standard deviation."""


Pair = tuple[str, str, str, str]
"""Two internal ids, kinship as plink2 wrote it, and the degree."""


@dataclass
class Person:
    """One column. A figure that could not be determined is None."""

    internal_id: str
    figures: dict[str, float | None] = field(default_factory=dict)
    sex: str = ""
    flags: list[str] = field(default_factory=list)


def sex_of(x_f: float | None, y_call_rate: float | None, limits: Thresholds) -> str:
    """Male, female or unclear, from X's F and (when it has enough variants) Y's call rate; nothing without X."""
    if x_f is None:
        return ""
    sex = "female" if x_f < limits.x_f_female else "male" if x_f > limits.x_f_male else "unclear"
    if y_call_rate is not None and sex != "unclear" and (y_call_rate >= limits.y_present) != (sex == "male"):
        return "unclear"
    return sex


def declared(word: str | None) -> str:
    """Male or female for a declared sex in English, Danish or plink's numbers; nothing for any other word."""
    return _SEXES.get((word or "").strip().lower(), "")


def flag(
    people: Sequence[Person], duplicates: frozenset[str], declared_sex: Mapping[str, str], limits: Thresholds
) -> None:
    """Adds to each person what is unusual about them. `duplicates` are internal ids."""
    low: dict[str, Callable[[Mapping[str, Any]], bool]] = {
        "low_call_rate": lambda one: _below(one, "call_rate", limits.call_rate),
        "low_depth": lambda one: _below(one, "mean_depth", limits.mean_depth),
        "low_gq": lambda one: _below(one, "mean_gq", limits.mean_gq),
        # Reads of another person pull the share down where they lack the allele, and up where they have it twice: the mean
        # may stay at a half while single calls leave it.
        "allele_balance": lambda one: (
            not _below(one, "het_reads_calls", limits.balance_calls)
            and (
                _below(one, "het_allele_balance", limits.allele_balance_low)
                or _above(one, "het_allele_balance", limits.allele_balance_high)
                or _above(one, "het_uneven", limits.uneven)
            )
        ),
    }
    bounds = {name: _bounds(people, name, limits) for name in ("ti_tv", "het_hom_ratio")}
    most_singletons = _bounds(people, "singletons", limits, least=limits.singletons)[1]
    f_low, f_high = _bounds(people, "inbreeding_f", limits, least=limits.inbreeding_f)
    for person in people:
        figures = person.figures
        reasons = [name for name, holds in low.items() if holds(figures)]
        if _below(figures, "inbreeding_f", f_low):
            reasons.append("het_excess")
        if _above(figures, "inbreeding_f", f_high):
            reasons.append("het_deficit")
        for name, reason in (("ti_tv", "ti_tv_outlier"), ("het_hom_ratio", "het_hom_outlier")):
            if _below(figures, name, bounds[name][0]) or _above(figures, name, bounds[name][1]):
                reasons.append(reason)
        if _above(figures, "singletons", most_singletons):
            reasons.append("singletons")
        if person.internal_id in duplicates:
            reasons.append("duplicate")
        said = declared(declared_sex.get(person.internal_id))
        if person.sex == "unclear":
            reasons.append("sex_unclear")
        elif person.sex and said and person.sex != said:
            reasons.append("sex_mismatch")
        person.flags = [name for name in FLAGS if name in reasons]


def _bounds(people: Sequence[Person], name: str, limits: Thresholds, least: float = 0.0) -> tuple[float, float]:
    """Median minus and plus `mads` scaled median absolute deviations, and at least `least`; no bounds for few people."""
    values = [value for person in people if (value := person.figures.get(name)) is not None]
    if len(values) < limits.mads_people:
        return float("-inf"), float("inf")
    middle = median(values)
    width = max(least, limits.mads * _MAD_SCALE * median(abs(value - middle) for value in values))
    return middle - width, middle + width


def _below(figures: Mapping[str, Any], name: str, bound: float) -> bool:
    value = figures.get(name)
    return value is not None and value < bound


def _above(figures: Mapping[str, Any], name: str, bound: float) -> bool:
    value = figures.get(name)
    return value is not None and value > bound


def degree(kinship: float, limits: Thresholds) -> str:
    """duplicate, first or second, for a pair whose kinship lies above second degree's bound."""
    return "duplicate" if kinship > limits.duplicate else "first" if kinship > limits.first_degree else "second"


def doubt(pairs: Sequence[Pair], people: Sequence[Person]) -> list[Pair]:
    """Pairs, those of a person with too many heterozygous calls as `unclear`: a mixed sample looks related to everybody.

    A duplicate stays one. Kinship estimates by KING-robust rest on counts of heterozygous calls.
    """
    mixed = {person.internal_id for person in people if "het_excess" in person.flags}
    return [
        (one, other, kinship, "unclear" if found != "duplicate" and mixed & {one, other} else found)
        for one, other, kinship, found in pairs
    ]
