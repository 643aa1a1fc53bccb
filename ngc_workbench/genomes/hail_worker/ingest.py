"""Verbs that take genomes in.

/in        the files, read-only
/out       the folder in which the release grows
"""

from __future__ import annotations

from typing import Any

import hail as hl

from .checks import need_complete, need_plain
from .digests import digest_columns
from .faults import Mismatch


def ingest(
    *,
    file: str,
    genome: str,
    recoding: dict[str, str],
    samples: list[str],
    internal_ids: list[str],
    entry_fields: list[str],
    records: int,
    partitions: int,
) -> dict[str, Any]:
    """Writes /out/matrix.mt from /in/<file>, under internal ids; reads it back and checks it.

    `samples` are the names in the file's order, `internal_ids` theirs in the same order. Gives rows and the digests of
    columns.
    """
    mt = hl.import_vcf(
        f"/in/{file}",
        force_bgz=file.endswith(".gz"),
        reference_genome=genome,
        contig_recoding=recoding or None,
        min_partitions=partitions,
        array_elements_required=False,
    )
    # One literal: names written into expressions one by one would stand in Hail's log.
    names = hl.literal(dict(zip(samples, internal_ids, strict=True)))
    mt = mt.select_rows().select_globals().select_entries(*entry_fields)
    mt = mt.key_cols_by(s=names[mt.s]).select_cols()
    mt.write("/out/matrix.mt")
    stored = hl.read_matrix_table("/out/matrix.mt")
    need_complete("/out/matrix.mt")
    need_plain(stored)
    columns = digest_columns(stored)
    if [column.s for column in columns] != internal_ids:
        raise Mismatch("The stored people are not those of the VCF's header, in its order.")
    rows = columns[0].rows
    if rows != records:
        raise Mismatch(f"The VCF has {records} records, but {rows} were stored.")
    return {"rows": rows, "digests": [column.digest for column in columns]}
