"""Verbs that take gVCFs in: Hail's combiner makes a VDS of them.

/in, /work, /out as in `ingest`. The combiner notes its own progress in /work/combiner, so that a run that was killed goes
on where it stood.
"""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path
from typing import Any

import hail as hl

from .checks import need_complete, stored_ids
from .faults import Mismatch
from .ingest import index

_COMBINED = "/work/combiner/combined.vds"
_VARIANT_FIELDS = ("LGT", "GT", "LA", "LAD", "AD", "DP", "GQ")
_REFERENCE_FIELDS = ("LEN", "END", "GT", "LGT", "DP", "GQ", "MIN_DP")


def vds(
    *, files: list[str], in_order: list[bool], genome: str, recoding: dict[str, str], samples: list[str], internal_ids: list[str],
    contigs: dict[str, int], partitions: int,
) -> dict[str, Any]:  # fmt: skip
    """Writes /out/genomes.vds from single-sample gVCFs, both halves under internal ids. Gives its entry fields."""
    _combine(files, in_order, genome, recoding, contigs, partitions)
    whole = hl.vds.read_vds(_COMBINED)
    names = hl.literal(dict(zip(samples, internal_ids, strict=True)))
    reference = _plain(whole.reference_data, _REFERENCE_FIELDS, names).select_globals("ref_block_max_length")
    variants = _plain(whole.variant_data, _VARIANT_FIELDS, names).select_globals()
    hl.vds.VariantDataset(reference, variants).write("/out/genomes.vds")
    return {"hail": str(hl.version()), "fields": sorted({*variants.entry, *reference.entry})}


def _plain(mt: Any, fields: tuple[str, ...], names: Any) -> Any:
    """Declared entry fields alone; of rows the key alone."""
    mt = mt.select_rows().select_entries(*(field for field in fields if field in mt.entry))
    return mt.key_cols_by(s=names[mt.s]).select_cols()


def _combine(
    files: list[str],
    in_order: list[bool],
    genome: str,
    recoding: dict[str, str],
    contigs: dict[str, int],
    partitions: int,
) -> None:
    folder = Path("/scratch/gvcf")
    folder.mkdir()
    links = []
    for number, file in enumerate(files):
        link = folder / f"{number:06}.g.vcf.gz"
        index(file, link, in_order=in_order[number])
        links.append(str(link))
    Path("/work/combiner").mkdir(exist_ok=True)
    plan = Path("/work/combiner/plan.json")
    if plan.exists() and not Path("/work/combiner/temp").exists():
        plan.unlink()
    declared = hl.import_vcf(links[0], force_bgz=True, reference_genome=genome, contig_recoding=recoding or None).entry
    combiner = hl.vds.new_combiner(
        output_path=_COMBINED,
        temp_path="/work/combiner/temp",
        save_path=str(plan),
        gvcf_paths=links,
        reference_genome=genome,
        contig_recoding=recoding or None,
        intervals=_intervals(genome, contigs, partitions),
        gvcf_info_to_keep=set(),
        gvcf_reference_entry_fields_to_keep={"DP", "GQ", "MIN_DP"} & set(declared),
    )
    combiner.run()


def _intervals(genome: str, contigs: dict[str, int], partitions: int) -> list[Any]:
    """Parts of the contigs that hold records, about `partitions` of them, none over a contig's end."""
    reference = hl.get_reference(genome)
    total = sum(contigs.values())
    found = []
    for contig in (name for name in reference.contigs if name in contigs):
        length = reference.lengths[contig]
        parts = max(1, partitions * contigs[contig] // max(total, 1))
        ends = [length * part // parts for part in range(parts + 1)]
        found += [
            hl.Interval(
                hl.Locus(contig, start + 1, reference_genome=reference),
                hl.Locus(contig, end, reference_genome=reference),
                includes_end=True,
            )
            for start, end in itertools.pairwise(ends)
        ]
    return found


def verify_vds(*, internal_ids: list[str]) -> dict[str, Any]:
    """Reads /out/genomes.vds back: people and fields of both halves, and what each person has of variants and blocks.

    Gives, besides, the people in stored order: the combiner's, which need not be that of the files.
    """
    for half in ("reference_data", "variant_data"):
        need_complete(f"/out/genomes.vds/{half}")
    stored = hl.vds.read_vds("/out/genomes.vds")
    stored.validate()
    people, others = (stored_ids(half) for half in (stored.variant_data, stored.reference_data))
    if people != others or sorted(people) != sorted(internal_ids):
        raise Mismatch("The stored people are not those of the files.")
    if list(stored.variant_data.row) != ["locus", "alleles"] or list(stored.variant_data.globals):
        raise Mismatch("The VDS has row fields or globals that were not declared.")
    if list(stored.reference_data.row) != ["locus"] or list(stored.reference_data.globals) != ["ref_block_max_length"]:
        raise Mismatch("The VDS has row fields or globals that were not declared.")
    variants = stored.variant_data.annotate_rows(contig=stored.variant_data.locus.contig)
    rows = variants.aggregate_rows(hl.agg.counter(variants.contig))
    held = _held(stored.variant_data), _held(stored.reference_data)
    shutil.rmtree("/work/combiner", ignore_errors=True)
    return {"rows": sum(rows.values()), "contigs": dict(rows), "people": people, "variants": held[0], "blocks": held[1]}


def _held(mt: Any) -> list[int]:
    """How many entries each column holds, in stored order."""
    field = mt.entry[next(name for name in ("LGT", "GT", "LEN", "END") if name in mt.entry)]
    counted = mt.select_cols(held=hl.agg.count_where(hl.is_defined(field)))
    return [column.held for column in counted.key_cols_by().cols().collect()]
