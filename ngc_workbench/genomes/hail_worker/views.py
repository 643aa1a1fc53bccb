"""Verbs that make and verify a view.

/mother    the mother of a view when it was there before: a release's or cut's matrix, read-only
/cut       the mother of a view when it was made in the same run
/out       the folder in which the view grows

`cols()` of a MatrixTable with a key is sorted by it: wherever position counts, the key is taken off first.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import hail as hl

from .checks import need_complete, need_plain, stored_ids
from .digests import digest_columns
from .faults import Mismatch

_MOTHERS = ("/mother", "/cut/matrix.mt")


def _read_mother(folder: str) -> Any:
    """The mother of a view, one of two places."""
    if folder not in _MOTHERS:
        raise Mismatch("There is no such place.")
    need_complete(folder)
    return hl.read_matrix_table(folder)


def view_columns(
    *, mother: str, internal_ids: list[str], pseudonyms: list[str], columns: list[list[str]], values: list[list[Any]]
) -> dict[str, Any]:
    """Writes /out/columns.mt: the mother's columns alone, under pseudonyms and with phenotypes, in stored order.

    `columns` are (name, type) pairs, `values` one list a person. What is written holds no rows; the view takes its
    `cols` and, with the mother's counts, its top metadata.
    """
    genotypes = _read_mother(mother)
    need_plain(genotypes)
    if stored_ids(genotypes) != internal_ids:
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
    need_complete("/out/genotypes.mt")
    genotypes = _read_mother(mother)
    view = hl.read_matrix_table("/out/genotypes.mt")
    need_plain(view)
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
