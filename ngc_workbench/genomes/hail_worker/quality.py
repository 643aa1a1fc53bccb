"""Verbs that measure the quality of a release in the making.

/out       the release's folder: matrix.mt and plink/, or genomes.vds; quality/reports is for plink2's reports

plink2 counts from the PGEN, some thirty times as fast as Hail. Hail reads depths, qualities and read counts, which a
PGEN does not hold, in the scan that compares a matrix with its files (`ingest.verify_matrix`), and the VDS.
"""

from __future__ import annotations

import math
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hail as hl

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLINK = "/usr/bin/plink2"
_WORK = Path("/out/quality/reports")
_NOTHING_LEFT = "No variants remaining"
_FEWEST_READS = 10
"""Reads at a heterozygous site from which its allele balance counts: with fewer it says nothing."""
_UNEVEN = 0.2
"""Share of reads below which an allele of a heterozygous call is doubtful: gnomAD's bound for calls of high quality."""
_AUTOSOMES = frozenset(f"{style}{number}" for style in ("", "chr") for number in range(1, 23))


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


def with_sites(mt: Any) -> Any:
    """Marks rows for `reads`: `autosomal`, and `single`, two alleles of one base each."""
    single = (hl.len(mt.alleles) == 2) & hl.is_snp(mt.alleles[0], mt.alleles[1])
    return mt.annotate_rows(autosomal=hl.literal(_AUTOSOMES).contains(mt.locus.contig), single=single)


def reads(mt: Any) -> Any:
    """What to count of each column of a matrix `with_sites`, so that one scan counts it beside other things.

    Means of DP and GQ over calls; of heterozygous calls at single-base sites with at least ten reads, their number, the
    mean share of reads of ALT, and the share of calls in which one allele has less than a fifth of the reads. Over the
    autosomes; missing where the field is not there or nothing counts.
    """
    nothing = hl.missing(hl.tfloat64)
    fields = {
        name: hl.agg.filter(hl.is_defined(mt.GT), hl.agg.mean(mt[field])) if field in mt.entry else nothing
        for name, field in (("dp", "DP"), ("gq", "GQ"))
    }
    balance = hl.struct(calls=hl.missing(hl.tint64), share=nothing, uneven=nothing)
    if "AD" in mt.entry:
        total = mt.AD[0] + mt.AD[1]
        share = mt.AD[1] / total
        counts = mt.single & mt.GT.is_het() & (hl.len(mt.AD) == 2) & (total >= _FEWEST_READS)
        uneven = (share < _UNEVEN) | (share > 1 - _UNEVEN)
        found = hl.struct(calls=hl.agg.count(), share=hl.agg.mean(share), uneven=hl.agg.fraction(uneven))
        balance = hl.agg.filter(counts, found)
    everything = hl.struct(**fields, balance=balance)
    # With genotypes alone nothing is counted, and Hail filters aggregations only.
    return hl.agg.filter(mt.autosomal, everything) if {"DP", "GQ", "AD"} & set(mt.entry) else everything


def told(column: Any) -> list[float | None]:
    """A column's `reads` as values: DP, GQ, number of heterozygous calls, share of ALT, share of uneven calls."""
    return [_mean(column.dp), _mean(column.gq), *_told(column.balance)]


def _told(balance: Any) -> list[float | None]:
    return [balance.calls, _mean(balance.share), _mean(balance.uneven)]


def _mean(value: float | None) -> float | None:
    """A mean; None where Hail has one of nothing, which is not a number for it."""
    return None if value is None or math.isnan(value) else value


def vds_samples() -> dict[str, Any]:
    """What each person of /out/genomes.vds has on the autosomes, in stored order, by Hail's `vds.sample_qc` and our sums.

    Gives {rows, people: [[id, heterozygous calls, homozygous calls of an alternative, transitions, transversions,
    singletons, bases with GQ of at least 20, mean DP, number of heterozygous calls with ten reads, their mean share of
    reads of ALT, their share of uneven calls], ...]}. Mean DP is over bases: a block counts as often as it is long.
    """
    stored = hl.vds.read_vds("/out/genomes.vds")
    ids = stored.variant_data.key_cols_by().s.collect()
    vds = hl.vds.filter_chromosomes(stored, keep=list(_contigs(stored.variant_data.locus.dtype.reference_genome)))
    counts = _counts(vds)
    variants = _variant_reads(vds.variant_data)
    blocks = _block_reads(vds.reference_data)
    people = []
    for one in ids:
        bases, depth = (here + there for here, there in zip(variants[one][0], blocks[one], strict=True))
        people.append([one, *counts[one], depth / bases if bases else None, *variants[one][1]])
    return {"people": people, "rows": vds.variant_data.count_rows()}


def _counts(vds: Any) -> dict[str, list[int | None]]:
    """Hail's own figures by person; the last, bases with a GQ of at least 20, is None when a half has no GQ."""
    variants, blocks = vds.variant_data, vds.reference_data
    known = "GQ" in variants.entry and "GQ" in blocks.entry
    call = variants.GT if "GT" in variants.entry else hl.vds.lgt_to_gt(variants.LGT, variants.LA)
    nothing = hl.missing(hl.tint32)
    plain = hl.vds.VariantDataset(
        blocks.select_entries("LEN", END=_end(blocks), GQ=blocks.GQ if known else nothing),
        variants.select_entries(GT=call, GQ=variants.GQ if known else nothing),
    )
    return {
        row.s: [
            row.n_het, row.n_hom_var, row.n_transition, row.n_transversion, row.n_singleton,
            row.bases_over_gq_threshold[0] if known else None,
        ]
        for row in hl.vds.sample_qc(plain, gq_bins=(20,)).collect()
    }  # fmt: skip


def _end(blocks: Any) -> Any:
    """The last base of a block."""
    return blocks.END if "END" in blocks.entry else blocks.locus.position + blocks.LEN - 1


def _contigs(genome: Any) -> Iterator[str]:
    """The autosomes' names in a reference genome."""
    return (name for name in genome.contigs if name in _AUTOSOMES)


def _variant_reads(mt: Any) -> dict[str, tuple[list[int], list[float | None]]]:
    """By person: calls and their sum of DP, and the balance of heterozygous calls, alleles by their local numbers."""
    call = mt.LGT if "LGT" in mt.entry else mt.GT
    depth = (
        hl.struct(bases=hl.agg.count_where(hl.is_defined(mt.DP)), sum=hl.agg.sum(mt.DP)) if "DP" in mt.entry else None
    )
    field = next((mt[name] for name in ("LAD", "AD") if name in mt.entry), None)
    wanted: dict[str, Any] = {"depth": depth} if depth is not None else {}
    if field is not None:
        # Reads stand in the order of a person's own alleles, of which a call names two.
        here, there = field[call[0]], field[call[1]]
        total = here + there
        share = there / total
        other = mt.LA[call[1]] if "LGT" in mt.entry else call[1]
        plain = (call[0] == 0) & hl.is_snp(mt.alleles[0], mt.alleles[other])
        uneven = (share < _UNEVEN) | (share > 1 - _UNEVEN)
        found = hl.struct(calls=hl.agg.count(), share=hl.agg.mean(share), uneven=hl.agg.fraction(uneven))
        wanted["balance"] = hl.agg.filter(plain & call.is_het() & (total >= _FEWEST_READS), found)
    columns = mt.select_cols(**wanted).key_cols_by().cols().collect()
    return {
        column.s: (
            [column.depth.bases, column.depth.sum] if depth is not None else [0, 0],
            _told(column.balance) if field is not None else [None, None, None],
        )
        for column in columns
    }


def _block_reads(mt: Any) -> dict[str, list[int]]:
    """By person: bases in reference blocks, and the sum of their depths."""
    field = next((mt[name] for name in ("DP", "MIN_DP") if name in mt.entry), None)
    if field is None:
        return {one: [0, 0] for one in mt.key_cols_by().s.collect()}
    length = hl.int64(_end(mt) - mt.locus.position + 1)
    known = hl.is_defined(field)
    counted = mt.select_cols(
        bases=hl.agg.filter(known, hl.agg.sum(length)), sum=hl.agg.filter(known, hl.agg.sum(length * field))
    )
    return {column.s: [column.bases, column.sum] for column in counted.key_cols_by().cols().collect()}
