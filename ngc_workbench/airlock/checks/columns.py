"""What a column of a results table holds, told from its name: one table of names.

Names are compared in lower case with anything but letters and digits as a separator, so `N_Cases`, `n.cases` and `n-cases` are one.
The lists follow the column names of Hail, PLINK, regenie, SAIGE and GWAS-SSF, and everyday names of tables of counts.
"""

from __future__ import annotations

import re

_SEPARATOR = re.compile(r"[^a-z0-9æøå]+")

_PEOPLE = frozenset({"n", "nobs", "obs", "count", "counts", "antal", "freq_n", "frequency_n", "obs_ct", "people", "persons", "patients",
                     "participants", "samples", "n_samples", "sample_size", "n_total", "total_n", "n_called", "neff", "n_eff", "personer"})  # fmt: skip
_CASES = frozenset(
    {"cases", "case", "ncas", "n_cas", "ncases", "ncase", "num_cases", "number_of_cases", "case_count", "cases_n"}
)
_CONTROLS = frozenset({"controls", "control", "ncon", "n_con", "n_ctrl", "ncontrols", "nctrl", "ncontrol", "num_controls", "number_of_controls",
                       "control_count", "controls_n"})  # fmt: skip
_ALLELES = frozenset({"ac", "mac", "allele_count", "minor_allele_count", "alt_allele_count", "alt_ct", "allele_ct", "sum_x", "a1_ct",
                      "ac_alt", "ac_allele2", "obs_ct_alt", "hom", "het", "n_hom", "n_het", "n_hom_var", "n_non_ref", "n_hom_alt",
                      "hom_alt_ct", "het_ct", "carriers", "n_carriers"})  # fmt: skip
_FREQUENCIES = frozenset({"af", "maf", "eaf", "aaf", "raf", "alt_freq", "alt_freqs", "a1_freq", "a1freq", "effect_allele_frequency", "allele_frequency",
                          "minor_allele_frequency", "freq", "af_allele2", "freq1", "frq"})  # fmt: skip
_POSITIONS = frozenset({"pos", "position", "bp", "base_pair_location", "genpos", "start", "end", "ps", "locus", "global_position", "bp_hg38",
                        "pos_hg38", "chrom_pos", "variant_id", "markername"})  # fmt: skip
_VARIANTS = frozenset({"locus", "rsid", "rs_id", "snp", "snpid", "variant", "variant_id", "marker", "markername", "alleles", "pos", "position", "bp",
                       "base_pair_location", "genpos", "id_variant"})  # fmt: skip
_PERSONS = frozenset({"id", "s", "sample", "sample_id", "sampleid", "iid", "fid", "eid", "subject", "subject_id", "participant", "participant_id",
                      "patient", "patient_id", "person", "person_id", "individual", "individual_id", "pseudonym", "pid", "cpr", "cpr_nr",
                      "cprnr", "cpr_number", "personnummer", "indiv", "donor", "donor_id", "case_id"})  # fmt: skip
# Counts of other things than people.
_THINGS = re.compile(
    r"(?:^|_)(variants?|snps?|sites?|loci|markers?|genes?|tests?|hits?|partitions?|bins?|peaks?|regions?|exons?|reads?|bases?|alleles?|pcs?|components?|covariates?|parameters?|iterations?|steps?|df|dof)(?:_|$)"
)


def plain(name: str) -> str:
    """The name in lower case, its parts joined by underscores."""
    return _SEPARATOR.sub("_", name.strip().lstrip("#").lower()).strip("_")


def split_group(name: str) -> tuple[str, str]:
    """The name without a trailing `_cases` or `_controls`, and that group ("" when there is none)."""
    base = plain(name)
    for group in ("cases", "controls"):
        for ending in (f"_{group}", f"_{group[:-1]}"):
            if base.endswith(ending) and base != ending.strip("_"):
                return base.removesuffix(ending), group
    return base, ""


def case_or_control(name: str) -> str:
    """`cases` or `controls` when the column counts those, else ""."""
    base = plain(name)
    if base in _CASES or base in ("n_cases", "n_case"):
        return "cases"
    return "controls" if base in _CONTROLS or base in ("n_controls", "n_control") else ""


def is_people_count(name: str) -> bool:
    """Whether the column counts people (cases and controls included)."""
    base = plain(name)
    if _THINGS.search(base):
        return False
    if base in _PEOPLE or case_or_control(name):
        return True
    return base.startswith(("n_", "antal_", "number_of_", "num_")) or base.endswith(
        ("_n", "_count", "_counts", "_antal")
    )


def is_allele_count(name: str) -> bool:
    """Whether the column counts alleles or their carriers."""
    return plain(name) in _ALLELES or split_group(name)[0] in _ALLELES


def is_frequency(name: str) -> bool:
    """Whether the column holds allele frequencies."""
    return split_group(name)[0] in _FREQUENCIES


def is_position(name: str) -> bool:
    """Whether the column holds places in the genome."""
    return plain(name) in _POSITIONS


def is_variant(name: str) -> bool:
    """Whether the column names variants (so that the table has a row a variant)."""
    return plain(name) in _VARIANTS


def is_person(name: str) -> bool:
    """Whether the column names people."""
    return plain(name) in _PERSONS
