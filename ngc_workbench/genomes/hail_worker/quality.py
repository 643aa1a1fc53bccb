"""Verbs that measure the quality of a release in the making.

/out       the release's folder: matrix.mt and plink/, or genomes.vds; quality/reports is for plink2's reports

plink2 counts from the PGEN, some thirty times as fast as Hail. Hail reads depths, qualities and read counts, which a
PGEN does not hold, and the VDS.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import hail as hl

_PLINK = "/usr/bin/plink2"
_WORK = Path("/out/quality/reports")
_NOTHING_LEFT = "No variants remaining"
_FEWEST_READS = 10
"""Reads at a heterozygous site from which its allele balance counts: with fewer it says nothing."""


class PlinkFailed(Exception):
    """plink2 did not write a report. What it said is in the custodian's log."""


def plink_reports(*, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Runs plink2 once for each of `runs`: {name, psam, pvar, flags}; files in quality/reports, a pvar of "" is the release's.

    Gives {empty: names of the runs whose filters leave no variant}. Raises PlinkFailed.
    """
    empty = []
    for one in runs:
        pvar = str(_WORK / one["pvar"]) if one["pvar"] else "/out/plink/genotypes.pvar"
        command = [_PLINK, "--pgen", "/out/plink/genotypes.pgen", "--pvar", pvar, "--psam", str(_WORK / one["psam"])]
        command += ["--memory", "1500", "--allow-extra-chr", *one["flags"], "--out", str(_WORK / one["name"])]
        if subprocess.run(command, check=False, stdout=2, cwd=_WORK).returncode:
            if _NOTHING_LEFT not in (_WORK / f"{one['name']}.log").read_text(encoding="utf-8"):
                raise PlinkFailed
            empty.append(one["name"])
    return {"empty": empty}


def depths(*, windows: list[list[Any]], genome: str) -> dict[str, Any]:
    """Depth, quality and allele balance of each person over the rows in `windows` ([contig, first, last position]).

    Gives {rows, people: [[id, mean DP, mean GQ, mean share of reads of ALT in heterozygous calls], ...]}, in stored order;
    None where the field is not there or nothing counts. DP and GQ are means over calls; the balance is over single-base
    sites with two alleles and at least ten reads.
    """
    mt = hl.read_matrix_table("/out/matrix.mt")
    places = [hl.locus_interval(*window, includes_end=True, reference_genome=genome) for window in windows]
    mt = hl.filter_intervals(mt, places)
    mt = mt.annotate_rows(single=(hl.len(mt.alleles) == 2) & hl.is_snp(mt.alleles[0], mt.alleles[1]))
    nothing = hl.missing(hl.tfloat64)
    called = hl.is_defined(mt.GT)
    mean = {
        name: hl.agg.filter(called, hl.agg.mean(mt[field])) if field in mt.entry else nothing
        for name, field in (("dp", "DP"), ("gq", "GQ"))
    }
    balance = nothing
    if "AD" in mt.entry:
        reads = mt.AD[0] + mt.AD[1]
        counts = mt.single & mt.GT.is_het() & (hl.len(mt.AD) == 2) & (reads >= _FEWEST_READS)
        balance = hl.agg.filter(counts, hl.agg.mean(mt.AD[1] / reads))
    mt = mt.annotate_cols(**mean, balance=balance, rows=hl.agg.count())
    columns = mt.key_cols_by().cols().select("s", "dp", "gq", "balance", "rows").collect()
    return {
        "rows": columns[0].rows if columns else 0,
        "people": [[column.s, column.dp, column.gq, column.balance] for column in columns],
    }


def vds_samples() -> dict[str, Any]:
    """Hail's `vds.sample_qc` of /out/genomes.vds, in stored order.

    Gives {rows, people: [[id, het, hom_alt, transitions, transversions, singletons, bases with GQ of at least 20], ...]}.
    """
    vds = hl.vds.read_vds("/out/genomes.vds")
    variants = vds.variant_data
    if "GT" not in variants.entry:
        variants = variants.annotate_entries(GT=hl.vds.lgt_to_gt(variants.LGT, variants.LA))
    found = hl.vds.sample_qc(hl.vds.VariantDataset(vds.reference_data, variants), gq_bins=(0, 20), dp_bins=(0,))
    by_id = {
        row.s: [
            row.n_het,
            row.n_hom_var,
            row.n_transition,
            row.n_transversion,
            row.n_singleton,
            *row.bases_over_gq_threshold,
        ]
        for row in found.collect()
    }
    ids = vds.variant_data.key_cols_by().s.collect()
    return {"people": [[one, *by_id[one][:5], by_id[one][-1]] for one in ids], "rows": vds.variant_data.count_rows()}


def entry_fields() -> dict[str, Any]:
    """The entry fields of /out/matrix.mt."""
    return {"fields": list(hl.read_matrix_table("/out/matrix.mt").entry)}
