"""Verbs that write a cut: some people of a release, some regions, some fields.

/release   the release's matrix or VDS, read-only
/plink     the release's PGEN, read-only; not there for a VDS
/cut       the folder in which the cut grows

An allele that only people who are left out carry goes with them, and so does a site at which nobody who is kept differs
from the reference: its mere presence would tell their genotype. In a VDS, an allele stays that the gVCF of somebody who is
kept names: they have reads of it, called or not.
"""

from __future__ import annotations

from typing import Any

import hail as hl

from . import pgen
from .checks import need_complete, need_plain, stored_ids
from .digests import carried_by
from .faults import Mismatch

_MATRIX = "/cut/matrix.mt"
_VDS = "/cut/genomes.vds"


def cut_matrix(*, keep: list[str], fields: list[str], regions: list[str], genome: str, plink: bool) -> dict[str, Any]:
    """Writes /cut/matrix.mt, and /cut/plink when the release has a PGEN (`plink`).

    `keep` are internal ids in the release's order, `regions` texts `contig:start-end` (none: all), `fields` entry fields.
    Gives {rows}. Raises Mismatch when what was written is not its release's.
    """
    need_complete("/release")
    release = hl.read_matrix_table("/release")
    mother = _within(release, regions, genome).select_entries(*fields)
    kept = hl.literal(set(keep))
    mother = mother.filter_cols(kept.contains(mother.s)).select_cols().select_rows().select_globals()
    part, trimmed = _carried(mother)
    part.write(_MATRIX)
    need_complete(_MATRIX)
    stored = hl.read_matrix_table(_MATRIX)
    need_plain(stored)
    ours, theirs = carried_by(stored), carried_by(mother)
    if [column.s for column in ours] != keep:
        raise Mismatch("The people of a cut are not those that it was asked for, in the stored order.")
    # Sites that went were carried by nobody who is kept, so what people carry is the same in both.
    if ours != theirs:
        raise Mismatch("The genotypes of a cut are not its release's.")
    rows = stored.count_rows()
    if plink and rows:
        pgen.of_cut(stored, stored_ids(release), keep, from_vcf=trimmed)
    return {"rows": rows}


def cut_vds(*, keep: list[str], regions: list[str], genome: str) -> dict[str, Any]:
    """Writes /cut/genomes.vds: the people `keep` of /release, within `regions` (none: all). Gives {rows}.

    Raises Mismatch when what was written is not its release's.
    """
    for half in ("variant_data", "reference_data"):
        need_complete(f"/release/{half}")
    mother = hl.vds.read_vds("/release")
    if regions:
        mother = hl.vds.filter_intervals(mother, _intervals(regions, genome), split_reference_blocks=False)
    part = hl.vds.filter_samples(mother, keep, keep=True, remove_dead_alleles=True)
    part = hl.vds.VariantDataset(part.reference_data, part.variant_data.select_rows().select_cols())
    part.write(_VDS)
    stored = hl.vds.read_vds(_VDS)
    stored.validate()
    kept = hl.literal(set(keep))
    theirs = mother.variant_data
    ours, theirs = (
        carried_by(variants.annotate_entries(GT=hl.vds.lgt_to_gt(variants.LGT, variants.LA)))
        for variants in (stored.variant_data, theirs.filter_cols(kept.contains(theirs.s)))
    )
    for half in ("variant_data", "reference_data"):
        need_complete(f"{_VDS}/{half}")
        if getattr(stored, half).key_cols_by().s.collect() != keep:
            raise Mismatch("The people of a cut are not those that it was asked for, in the stored order.")
    if ours != theirs:
        raise Mismatch("The genotypes of a cut are not its release's.")
    return {"rows": stored.variant_data.count_rows()}


def _within(mt: Any, regions: list[str], genome: str) -> Any:
    return hl.filter_intervals(mt, _intervals(regions, genome)) if regions else mt


def _intervals(regions: list[str], genome: str) -> list[Any]:
    found = []
    for region in regions:
        contig, _, places = region.partition(":")
        start, _, end = places.partition("-")
        found.append(hl.locus_interval(contig, int(start), int(end), includes_end=True, reference_genome=genome))
    return found


def _carried(mt: Any) -> tuple[Any, bool]:
    """The matrix with the alleles alone that somebody carries; whether a row lost one that had several."""
    rows = mt.rows()
    several = rows.aggregate(hl.agg.any(hl.len(rows.alleles) > 2))
    mt = mt.annotate_rows(ac=hl.agg.call_stats(mt.GT, mt.alleles).AC)
    mt = mt.filter_rows(hl.any(mt.ac[1:].map(lambda count: count > 0)))
    if not several:
        return mt.drop("ac"), False
    alive = hl.range(hl.len(mt.alleles)).filter(lambda at: (at == 0) | (mt.ac[at] > 0))
    mt = mt.annotate_rows(alive=alive, fewer=hl.len(alive) < hl.len(mt.alleles))
    # Old number of an allele to its new one; those that nobody carries get none, and no call names them.
    mt = mt.annotate_rows(new=hl.dict(hl.enumerate(mt.alive).map(lambda pair: (pair[1], pair[0]))))
    changed = {"GT": hl.if_else(mt.fewer, _renumbered(mt.GT, mt.new), mt.GT)}
    if "AD" in mt.entry:
        changed["AD"] = hl.if_else(mt.fewer & hl.is_defined(mt.AD), mt.alive.map(lambda at: mt.AD[at]), mt.AD)
    mt = mt.annotate_entries(**changed)
    trimmed = mt.aggregate_rows(hl.agg.any(mt.fewer))
    # By place first: Hail then sorts within a place alone, and not at all when the order still holds.
    alleles = mt.alive.map(lambda at: mt.alleles[at])
    mt = mt.annotate_rows(kept_alleles=alleles).key_rows_by("locus")
    mt = mt.annotate_rows(alleles=mt.kept_alleles).key_rows_by("locus", "alleles")
    return mt.select_rows(), trimmed


def _renumbered(call: Any, new: Any) -> Any:
    return (
        hl.case()
        .when(hl.is_missing(call), call)
        .when(call.ploidy == 0, call)
        .when(call.ploidy == 1, hl.call(new[call[0]], phased=call.phased))
        .when(call.ploidy == 2, hl.call(new[call[0]], new[call[1]], phased=call.phased))
        .or_missing()
    )
