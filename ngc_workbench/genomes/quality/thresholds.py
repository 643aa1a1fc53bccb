"""From where on a quality figure is unusual: one table, with the source of each value. A centre may want others."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

_ANDERSON = "Anderson et al. 2010, Nat Protoc 5:1564"
_KING = "Manichaikul et al. 2010, Bioinformatics 26:2867 (KING-robust)"
_GNOMAD = "gnomAD v3 sample QC (Karczewski et al. 2020, Nature 581:434, and its methods notes)"
_PLINK = "PLINK 1.9 documentation, --check-sex"
_OURS = "the workbench's own choice"


@dataclass(frozen=True)
class Thresholds:
    """Bounds. Rates and kinship are shares (0 to 1); distances are base pairs."""

    call_rate: float = 0.95
    mads: float = 4.0
    mads_people: int = 20
    inbreeding_f: float = 0.05
    singletons: float = 10
    allele_balance_low: float = 0.40
    allele_balance_high: float = 0.60
    mean_depth: float = 15.0
    mean_gq: float = 20.0
    duplicate: float = 0.354
    first_degree: float = 0.177
    second_degree: float = 0.0884
    common: float = 0.05
    spacing: int = 20_000
    f_people: int = 50
    f_variants: int = 1_000
    kinship_variants: int = 5_000
    x_variants: int = 500
    x_f_female: float = 0.2
    x_f_male: float = 0.8
    y_variants: int = 20
    y_present: float = 0.5
    depth_rows: int = 500
    variant_call_rate: float = 0.95
    hwe_p: float = 1e-6

    def described(self) -> dict[str, Any]:
        """Each value with its source."""
        return {name: {"value": value, "source": SOURCES[name]} for name, value in asdict(self).items()}


SOURCES: dict[str, str] = {
    "call_rate": f"{_ANDERSON}: 3 to 7 % missing calls a sample",
    "mads": f"{_GNOMAD}: distance from the median, in scaled median absolute deviations (times 1.4826)",
    "mads_people": f"{_OURS}: with fewer people a median says too little",
    "inbreeding_f": f"{_OURS}: least distance from the median F that counts, beside the rule of deviations",
    "singletons": f"{_OURS}: least distance from the median that counts, beside the rule of deviations",
    "allele_balance_low": f"{_OURS}: a clean sample lies near 0.5",
    "allele_balance_high": f"{_OURS}: a clean sample lies near 0.5",
    "mean_depth": f"{_GNOMAD}: mean coverage",
    "mean_gq": f"{_GNOMAD}: genotype quality of an adjusted call, here of the mean",
    "duplicate": _KING,
    "first_degree": _KING,
    "second_degree": _KING,
    "common": f"{_ANDERSON}: common variants alone for kinship and heterozygosity",
    "spacing": f"{_OURS}: one variant each 20 kb, in place of pruning by linkage",
    "f_people": "plink2: fewer people give no decent allele frequencies",
    "f_variants": _OURS,
    "kinship_variants": f"{_OURS}: fewer can't tell second degree from unrelated",
    "x_variants": _OURS,
    "x_f_female": _PLINK,
    "x_f_male": _PLINK,
    "y_variants": _OURS,
    "y_present": _OURS,
    "depth_rows": f"{_OURS}: rows over which depth and allele balance are measured, spread evenly over the autosomes",
    "variant_call_rate": f"{_ANDERSON}: variants with more than 5 % missing calls",
    "hwe_p": f"{_ANDERSON}: from 1e-5 to 1e-7 in use",
}
"""Where each value comes from."""

DEFAULT = Thresholds()
