"""From where on a quality figure is unusual: one table, with the source of each value. A centre may want others."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

_ANDERSON = "Anderson et al. 2010, Nat Protoc 5:1564"
_KING = "Manichaikul et al. 2010, Bioinformatics 26:2867 (KING-robust)"
_GNOMAD = "gnomAD's published code for quality control (gnomad_methods, gnomad_qc)"
_PLINK = "PLINK 1.9, defaults of --check-sex"
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
    uneven: float = 0.10
    balance_calls: int = 100
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
    variant_call_rate: float = 0.95
    hwe_p: float = 1e-6

    def described(self) -> dict[str, Any]:
        """Each value with its source."""
        return {name: {"value": value, "source": SOURCES[name]} for name, value in asdict(self).items()}


SOURCES: dict[str, str] = {
    "call_rate": f"{_ANDERSON}: 3 to 7 % missing calls a sample",
    "mads": f"{_GNOMAD}: distance from the median in median absolute deviations, each times 1.4826",
    "mads_people": f"{_OURS}: with fewer people a median says too little",
    "inbreeding_f": f"{_OURS}: least distance from the median F that counts, beside the rule of deviations",
    "singletons": f"{_OURS}: least distance from the median that counts, beside the rule of deviations",
    "allele_balance_low": f"{_OURS}: a clean sample lies near 0.5",
    "allele_balance_high": f"{_OURS}: a clean sample lies near 0.5",
    "uneven": f"{_OURS}: of a clean sample, one call in fifty at ten reads, fewer at more",
    "balance_calls": f"{_OURS}: fewer heterozygous calls with ten reads say too little",
    "mean_depth": f"{_GNOMAD}: least mean depth of a genome",
    "mean_gq": f"{_GNOMAD}: least quality of a single call; here of the mean, which is the workbench's own choice",
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
    "variant_call_rate": f"{_ANDERSON}: leaves out variants with more than 5 % missing calls",
    "hwe_p": f"{_OURS}; {_ANDERSON} tells of bounds from 0.001 to 5.7e-7",
}
"""Where each value comes from."""

DEFAULT = Thresholds()
