"""Verbs that take gVCFs in: Hail's combiner makes a VDS of them.

/in, /job, /out as in `ingest`. The combiner notes its own progress in /job/combiner, so that a run that was killed goes
on where it stood.
"""

from __future__ import annotations

import itertools
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import hail as hl

from .checks import need_complete, stored_ids
from .faults import Mismatch
from .gvcf_counts import Held, need_kept, need_same, read
from .ingest import index
from .tools import versions

_WORK = Path("/job/combiner")
_COMBINED = str(_WORK / "combined.vds")
_VARIANT_FIELDS = ("LGT", "GT", "LA", "LAD", "AD", "DP", "GQ")
_REFERENCE_FIELDS = ("LEN", "END", "GT", "LGT", "DP", "GQ", "MIN_DP")


def vds(
    *, files: list[str], in_order: list[bool], genome: str, recoding: dict[str, str], samples: list[str], internal_ids: list[str],
    contigs: dict[str, int], partitions: int, kept: list[int],
) -> dict[str, Any]:  # fmt: skip
    """Writes /out/genomes.vds from single-sample gVCFs, both halves under internal ids.

    `kept` is how many records of each file the check lets pass. Gives the entry fields, and what each file holds
    (`gvcf_counts.Held`), in the files' order. Raises Mismatch.
    """
    links = _indexed(files, in_order)
    with ThreadPoolExecutor(2) as pool:
        texts = pool.map(read, links)
        _combine(links, genome, recoding, contigs, partitions)
        held = list(texts)
    need_kept(held, kept)
    whole = hl.vds.read_vds(_COMBINED)
    names = hl.literal(dict(zip(samples, internal_ids, strict=True)))
    reference = _plain(whole.reference_data, _REFERENCE_FIELDS, names).select_globals("ref_block_max_length")
    variants = _plain(whole.variant_data, _VARIANT_FIELDS, names).select_globals()
    hl.vds.VariantDataset(reference, variants).write("/out/genomes.vds")
    return {
        "hail": str(hl.version()),
        "tools": versions("bcftools"),
        "fields": sorted({*variants.entry, *reference.entry}),
        "read": [asdict(one) for one in held],
    }


def _plain(mt: Any, fields: tuple[str, ...], names: Any) -> Any:
    """Declared entry fields alone; of rows the key alone."""
    mt = mt.select_rows().select_entries(*(field for field in fields if field in mt.entry))
    return mt.key_cols_by(s=names[mt.s]).select_cols()


def _indexed(files: list[str], in_order: list[bool]) -> list[str]:
    folder = Path("/scratch/gvcf")
    folder.mkdir()
    links = []
    for number, file in enumerate(files):
        link = folder / f"{number:06}.g.vcf.gz"
        index(file, link, in_order=in_order[number])
        links.append(str(link))
    return links


def _combine(links: list[str], genome: str, recoding: dict[str, str], contigs: dict[str, int], partitions: int) -> None:
    done = _WORK / "done"
    if done.exists():
        return
    # The combiner refuses to go on where its output lies, whole or in part: it was killed before it noted the end.
    shutil.rmtree(_COMBINED, ignore_errors=True)
    plan = _WORK / "plan.json"
    if plan.exists() and (_ended(plan) or not (_WORK / "temp").exists()):
        shutil.rmtree(_WORK)
    _WORK.mkdir(exist_ok=True)
    declared = hl.import_vcf(links[0], force_bgz=True, reference_genome=genome, contig_recoding=recoding or None).entry
    combiner = hl.vds.new_combiner(
        output_path=_COMBINED,
        temp_path=str(_WORK / "temp"),
        save_path=str(plan),
        gvcf_paths=links,
        reference_genome=genome,
        contig_recoding=recoding or None,
        intervals=_intervals(genome, contigs, partitions),
        gvcf_info_to_keep=set(),
        gvcf_reference_entry_fields_to_keep={"DP", "GQ", "MIN_DP"} & set(declared),
    )
    combiner.run()
    done.touch()


def _ended(plan: Path) -> bool:
    """Whether a combiner's plan has nothing left to do. One that is not whole has: Hail makes it anew."""
    try:
        left = json.loads(plan.read_text(encoding="utf-8"))
        return not left["gvcfs"] and not left["vdses"]
    except (ValueError, KeyError):
        return False


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


def verify_vds(*, internal_ids: list[str], read: list[dict[str, int]]) -> dict[str, Any]:
    """Reads /out/genomes.vds back: people and fields of both halves, and what each person has of variants and blocks.

    `read` is what the file of each of `internal_ids` holds. Raises Mismatch. Gives rows, rows a contig, and the people in
    stored order: the combiner's, which need not be that of the files.
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
    files = {one: Held(**held) for one, held in zip(internal_ids, read, strict=True)}
    need_same(files, _held(stored))
    shutil.rmtree(_WORK, ignore_errors=True)
    return {"rows": sum(rows.values()), "contigs": dict(rows), "people": people}


def _held(stored: Any) -> dict[str, Held]:
    """What each person has, by id."""
    variants, blocks = stored.variant_data, stored.reference_data
    variants = variants.select_cols(
        records=hl.agg.count_where(hl.is_defined(variants.LA)),
        non_reference=hl.agg.count_where(variants.LGT.is_non_ref()),
    )
    blocks = blocks.select_cols(
        blocks=hl.agg.count_where(hl.is_defined(blocks.LEN)), bases=hl.agg.sum(hl.int64(blocks.LEN))
    )
    found = {one.s: Held(one.records, one.non_reference) for one in variants.cols().collect()}
    for one in blocks.cols().collect():
        found[one.s].blocks, found[one.s].bases = one.blocks, one.bases
    return found
