"""The figures as text for the custodian: what is unusual, and what to do. At most 100 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ngc_workbench.genomes.quality.people import FIGURES, FLAGS

_WIDTH = 100
_ID = 29
_NAMES = {
    "call_rate": "call rate",
    "het": "heterozygous calls",
    "hom_alt": "homozygous calls, not the reference",
    "het_hom_ratio": "het/hom",
    "ti_tv": "ti/tv",
    "singletons": "singletons",
    "inbreeding_f": "inbreeding coefficient F",
    "mean_depth": "mean depth",
    "mean_gq": "mean genotype quality",
    "het_reads_calls": "heterozygous calls with 10 reads",
    "het_allele_balance": "share of ALT in their reads",
    "het_uneven": "their part outside 0.2 to 0.8",
    "x_het": "heterozygosity of X",
    "x_f": "F of X",
    "y_call_rate": "call rate of Y",
    "bases_gq20": "bases with GQ of at least 20",
    "sex": "sex",
    "relatedness": "relatedness",
    "variants": "figures of variants",
}
_PAIRS = {
    "duplicate": "with the genotypes of one person (twins, duplicates)",
    "first": "first degree",
    "second": "second degree",
    "unclear": "unclear: one of them has too many heterozygous calls, and so looks related to everybody",
}
_VARIANT_FLAGS = {
    "low_call_rate": "have a call rate below {variant_call_rate}: leave them out of analyses",
    "hwe": "depart from Hardy-Weinberg equilibrium (p < {hwe_p}): often wrong calls",
    "monomorphic": "are the same in everybody",
}
_COLUMNS = {
    "call_rate": "call rate", "het_hom_ratio": "het/hom", "ti_tv": "ti/tv", "singletons": "singleton", "inbreeding_f": "F",
    "mean_depth": "depth", "inferred_sex": "sex",
}  # fmt: skip


def lines(summary: Mapping[str, Any]) -> list[str]:
    """A summary as the manifest holds it."""
    limits = {name: one["value"] for name, one in summary["thresholds"].items()}
    out = [f"{summary['people']} people", ""]
    if summary["figures"]:
        out.append(f"{'of a person':40}{'lower quartile':>16}{'median':>16}{'upper quartile':>16}")
        for name, one in _in_order(summary["figures"], FIGURES):
            cells = "".join(f"{one[key]:>16.6g}" for key in ("q1", "median", "q3"))
            out.append(f"{_NAMES[name]:40}{cells}")
    else:
        out.append("Medians and quartiles are not shown for so few people.")
    out += ["", "Unusual people (who: --samples)"]
    flagged = [f"{count} {FLAGS[name].format(**limits)}" for name, count in _in_order(summary["flagged"], FLAGS)]
    for text in flagged or ["none"]:
        out += _wrapped(f"{text}.")
    if summary["sexes"]:
        out += ["", "Sex by genotypes: " + ", ".join(f"{count} {sex}" for sex, count in summary["sexes"].items())]
    if summary["pairs"] is not None:
        out += ["", "Pairs of relatives"]
        out += [f"  {count} {_PAIRS[name]}" for name, count in _in_order(summary["pairs"], _PAIRS)]
    if summary["variants"] is not None:
        out += ["", f"{summary['variants']['rows']} variants"]
        for name, count in sorted(summary["variants"]["flagged"].items()):
            out += _wrapped(f"{count} {_VARIANT_FLAGS[name].format(**limits)}.")
    reasons: dict[str, list[str]] = {}
    for name, reason in summary["not_determinable"].items():
        reasons.setdefault(reason, []).append(_NAMES[name])
    if reasons:
        out += ["", "Not determinable"]
        for reason, names in reasons.items():
            out += _wrapped(f"{', '.join(names)}: {reason}.")
    return out


def _in_order(found: Mapping[str, Any], order: Iterable[str]) -> list[tuple[str, Any]]:
    """A manifest is read back sorted by letters; people read figures in the order of their table."""
    return [(name, found[name]) for name in order if name in found]


def sample_lines(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Rows of samples.tsv; those with flags first."""
    out = [f"{'id':{_ID}}" + "".join(f"{heading:>10}" for heading in _COLUMNS.values())]
    for row in sorted(rows, key=lambda row: not row["flags"]):
        out.append(f"{row['id']:{_ID}}" + "".join(f"{_short(row[name]):>10}" for name in _COLUMNS))
        if row["flags"]:
            out += _wrapped(row["flags"].replace(",", ", "))
    return out


def _short(text: str) -> str:
    try:
        return f"{float(text):.4g}"
    except ValueError:
        return text


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent="  ", subsequent_indent="    ")
