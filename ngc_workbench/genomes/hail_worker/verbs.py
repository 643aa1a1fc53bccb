"""The verbs. Each takes and gives JSON values; folders are the container's mounts, fixed here.

/in        the VCF (ingest), read-only
/release   the release's matrix, of which a cut is made, read-only
/cut       the folder in which a cut grows: the mother of a view when it is made in the same run
/mother    the mother of a view when it was there before: a release's or cut's matrix, read-only
/out       the folder in which a release or view grows

`cols()` of a MatrixTable with a key is sorted by it: wherever position counts, the key is taken off first.
"""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import hail as hl

from .digests import digest_columns
from .faults import Mismatch

_ROW_FIELDS = ["locus", "alleles"]
_MOTHERS = ("/mother", "/cut/matrix.mt")


def start() -> str:
    """Starts Hail; gives its version."""
    cores = os.cpu_count() or 1
    hl.init(
        master=f"local[{cores}]",
        quiet=True,
        log="/tmp/hail.log",  # noqa: S108  (the container's own)
        tmp_dir="/scratch",
        local_tmpdir="/scratch",
        spark_conf={
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
        },
    )
    return str(hl.version())


def _read_mother(folder: str) -> Any:
    """The mother of a view, one of two places."""
    if folder not in _MOTHERS:
        raise Mismatch("There is no such place.")
    _need_complete(folder)
    return hl.read_matrix_table(folder)


def _stored_ids(mt: Any) -> list[str]:
    """Ids of the columns in stored order."""
    ids: list[str] = mt.key_cols_by().s.collect()
    return ids


def _need_complete(folder: str) -> None:
    """Hail reads a matrix that was written in part without a word."""
    for part in ("", "rows", "entries", "cols", "globals"):
        if not Path(folder, part, "_SUCCESS").is_file():
            raise Mismatch("A matrix is not complete.")


def _need_plain(mt: Any) -> None:
    """Nothing but ids, loci, alleles and entry fields: no field that could carry a name or a path."""
    if list(mt.row) != _ROW_FIELDS or list(mt.globals):
        raise Mismatch("A matrix has row fields or globals that were not declared.")


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
    _need_complete("/out/matrix.mt")
    _need_plain(stored)
    columns = digest_columns(stored)
    if [column.s for column in columns] != internal_ids:
        raise Mismatch("The stored people are not those of the VCF's header, in its order.")
    rows = columns[0].rows
    if rows != records:
        raise Mismatch(f"The VCF has {records} records, but {rows} were stored.")
    return {"rows": rows, "digests": [column.digest for column in columns]}


def cut(*, keep: list[str], fields: list[str]) -> dict[str, Any]:
    """Writes /cut/matrix.mt: the people `keep` of /release (in its order), entry fields `fields`.

    A site at which only people who are left out differ from the reference goes with them: its mere presence would tell
    their genotype. Gives rows and the digests of columns, read back and equal to the mother's.
    """
    _need_complete("/release")
    mother = hl.read_matrix_table("/release")
    kept = hl.literal(set(keep))
    marked = mother.annotate_cols(kept=kept.contains(mother.s))
    carried = marked.GT.is_non_ref()
    marked = marked.filter_rows(
        hl.agg.any(marked.kept & carried) | ~hl.agg.any(~marked.kept & carried)  # their sites alone are lost
    )
    part = marked.filter_cols(marked.kept).select_cols().select_rows().select_globals().select_entries(*fields)
    part.write("/cut/matrix.mt")
    _need_complete("/cut/matrix.mt")
    stored = hl.read_matrix_table("/cut/matrix.mt")
    _need_plain(stored)
    ours, theirs = digest_columns(stored), digest_columns(part)
    if [column.s for column in ours] != keep:
        raise Mismatch("The people of a cut are not those that it was asked for, in the stored order.")
    if ours != theirs:
        raise Mismatch("The genotypes of a cut are not its mother's.")
    return {"rows": ours[0].rows, "digests": [column.digest for column in ours]}


def view_columns(
    *, mother: str, internal_ids: list[str], pseudonyms: list[str], columns: list[list[str]], values: list[list[Any]]
) -> dict[str, Any]:
    """Writes /out/columns.mt: the mother's columns alone, under pseudonyms and with phenotypes, in stored order.

    `columns` are (name, type) pairs, `values` one list a person. What is written holds no rows; the view takes its
    `cols` and, with the mother's counts, its top metadata.
    """
    genotypes = _read_mother(mother)
    _need_plain(genotypes)
    if _stored_ids(genotypes) != internal_ids:
        raise Mismatch("The mother of a view has other people, or another order of them, than its record says.")
    kind = hl.tstruct(s=hl.tstr, pheno=hl.tstruct(**{name: hl.dtype(type_) for name, type_ in columns}))
    people = [
        hl.Struct(s=pseudonym, pheno=hl.Struct(**{name: value for (name, _), value in zip(columns, row, strict=True)}))
        for pseudonym, row in zip(pseudonyms, values, strict=True)
    ]
    wanted = hl.literal(people, hl.tarray(kind))
    # By position and without a key: a key, or a second partition, would sort the columns in silence.
    empty = genotypes.filter_rows(False).key_cols_by()
    empty = empty.annotate_cols(at=hl.scan.count())
    empty = empty.annotate_cols(person=wanted[hl.int32(empty.at)])
    empty = empty.select_cols(s=empty.person.s, pheno=empty.person.pheno)
    empty.key_cols_by("s").write("/out/columns.mt")
    metadata = _metadata(mother)
    written = _metadata("/out/columns.mt")
    written["components"]["partition_counts"] = metadata["components"]["partition_counts"]
    return {"metadata": written}


def _metadata(folder: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(gzip.decompress(Path(folder, "metadata.json.gz").read_bytes()))
    return content


def verify_view(
    *,
    mother: str,
    internal_ids: list[str],
    pseudonyms: list[str],
    columns: list[str],
    values: list[list[Any]],
    fields: list[str],
    rows: int,
) -> dict[str, Any]:
    """Checks the finished view /out/genotypes.mt against its mother, by position and by content.

    The digests of columns are compared over the first `rows` rows; the host has made sure that row and entry files are
    the very files of the mother. Gives what was compared.
    """
    _need_complete("/out/genotypes.mt")
    genotypes = _read_mother(mother)
    view = hl.read_matrix_table("/out/genotypes.mt")
    _need_plain(view)
    if list(view.entry) != fields or list(view.col) != ["s", "pheno"]:
        raise Mismatch("The view has other fields than were declared.")
    if len(set(pseudonyms)) != len(pseudonyms):
        raise Mismatch("Two people of the view have the same pseudonym.")
    ours, theirs = digest_columns(view, rows), digest_columns(genotypes, rows)
    if [column.s for column in theirs] != internal_ids:
        raise Mismatch("The mother of a view has other people, or another order of them, than its record says.")
    if [column.s for column in ours] != pseudonyms:
        raise Mismatch("The view's pseudonyms do not stand at the positions of their people.")
    if [[column.pheno[name] for name in columns] for column in ours] != values:
        raise Mismatch("The view's phenotypes do not stand at the positions of their people.")
    if [(column.digest, column.rows) for column in ours] != [(column.digest, column.rows) for column in theirs]:
        raise Mismatch("The view's genotypes are not its mother's.")
    if _metadata("/out/genotypes.mt")["components"] != _metadata(mother)["components"]:
        raise Mismatch("The view's counts of variants are not its mother's.")
    return {"compared": ours[0].rows}


VERBS: dict[str, tuple[str, Any]] = {
    "ingest": ("Storing genotypes", ingest),
    "cut": ("Writing genotypes without the people who are left out", cut),
    "view_columns": ("Writing pseudonyms and phenotypes", view_columns),
    "verify_view": ("Verifying the view", verify_view),
}
"""The closed list: what is said while it runs, and what does it."""
