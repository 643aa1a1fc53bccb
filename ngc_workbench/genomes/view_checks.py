"""The checks before a view is published: by position, by content, and for what must not be in it.

Nothing here trusts what the building of the view had in memory: ids and phenotypes are read back from the view's own
files, people from the mother's, and each pseudonym is made anew. That the genotypes are the mother's follows from the
files being the very same (device and inode) and from nothing having been left out or added.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ngc_workbench.errors import IntegrityError
from ngc_workbench.genomes import hail_files, store, view_files
from ngc_workbench.genomes.cuts import PGEN, PLINK, VDS, Mother

_REMEDY = "Nothing was published. Build the view again; call the security officer if it happens twice."


def verify(
    view: Path,
    mother: Mother,
    *,
    pseudonym_of: Callable[[str], str],
    fields: Sequence[hail_files.Field],
    values_of: Callable[[str], Sequence[Any]],
) -> None:
    """Checks a finished view against its mother. Raises IntegrityError.

    `pseudonym_of` and `values_of` take an internal id; `fields` are the phenotypes that the view was given.
    """
    people = _people(mother)
    ids = [pseudonym_of(internal_id) for internal_id in people]
    if len(set(ids)) != len(ids):
        raise IntegrityError("Two people of the view have the same pseudonym.", _REMEDY)
    expected = [(one, tuple(values_of(internal_id))) for one, internal_id in zip(ids, people, strict=True)]
    for number, half in enumerate(mother.halves):
        matrix = view_files.in_view(view, half)
        source = mother.folder / half
        has_pheno = number == 0
        _complete(matrix, mother.variants if has_pheno else None)
        view_files.verify_shared(source, matrix)
        if hail_files.read_metadata(matrix) != hail_files.top_metadata(
            hail_files.read_metadata(source), fields if has_pheno else None
        ):
            raise IntegrityError("The view has other fields than were declared.", _REMEDY)
        found = hail_files.read_columns(matrix / "cols")
        if [row[0] for row in found] != ids:
            raise IntegrityError("The view's pseudonyms do not stand at the positions of their people.", _REMEDY)
        if has_pheno and found != expected:
            raise IntegrityError("The view's phenotypes do not stand at the positions of their people.", _REMEDY)
    for name in view_files.vds_files(mother):
        if not (view / view_files.VDS / name).samefile(mother.folder / VDS / name):
            raise IntegrityError("A shared part of the view is not its mother's.", _REMEDY)
    if mother.plink:
        _plink(view / PLINK, mother.folder / PLINK, ids)


def _people(mother: Mother) -> list[str]:
    """Who the mother's columns are, by its list and by its matrices: all must say the same."""
    listed = store.read_columns(mother.folder)
    recorded = mother.manifest["files"].get("columns.tsv")
    if store.file_hashes_of(mother.folder, ["columns.tsv"])["columns.tsv"] != recorded:
        raise IntegrityError("The list of a stored matrix's people is not what was written.", _REMEDY)
    for half in mother.halves:
        if [row[0] for row in hail_files.read_columns(mother.folder / half / "cols")] != listed:
            raise IntegrityError("A stored matrix has other people, or another order of them, than its list.", _REMEDY)
    return listed


def _complete(matrix: Path, variants: int | None) -> None:
    """Every file that the metadata of a matrix names is there: Hail reads one without some of them in silence."""
    top = hail_files.read_metadata(matrix)
    counts = top["components"]["partition_counts"]["counts"]
    for part in ("", "rows", "entries", "cols", "globals"):
        if not (matrix / part / "_SUCCESS").is_file():
            raise IntegrityError("The view is not complete: a part was not finished.", _REMEDY)
    for part in ("rows", "entries"):
        specification = hail_files.read_metadata(matrix / part / "rows")
        names = specification["_partFiles"]
        if len(names) != len(counts):
            raise IntegrityError("The view is not complete: parts are missing.", _REMEDY)
        rows = f"{matrix}/{part}/rows"
        places = [f"{rows}/parts/{name}" for name in names]
        index = specification.get("_indexSpec", {}).get("_relPath")
        if index is not None:
            places += [f"{rows}/{index}/{name}.idx" for name in names]
        if not all(os.path.exists(place) for place in places):  # noqa: PTH110  (two files a part of a release)
            raise IntegrityError("The view is not complete: a part is missing.", _REMEDY)
    if variants is not None and sum(counts) != variants:
        raise IntegrityError("The view's number of variants is not its mother's.", _REMEDY)


def _plink(ours: Path, theirs: Path, ids: Sequence[str]) -> None:
    for name in PGEN:
        if not (ours / name).samefile(theirs / name):
            raise IntegrityError("The view's PGEN is not its mother's.", _REMEDY)
    lines = (ours / "genotypes.psam").read_text(encoding="utf-8").splitlines()
    if [line.split("\t")[0] for line in lines[1:]] != list(ids) or not lines[0].startswith("#IID"):
        raise IntegrityError("The view's .psam has other people, or another order of them, than its matrix.", _REMEDY)
