"""What each verb asks of a matrix before it trusts it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .faults import Mismatch

ROW_FIELDS = ["locus", "alleles"]


def stored_ids(mt: Any) -> list[str]:
    """Ids of the columns in stored order."""
    ids: list[str] = mt.key_cols_by().s.collect()
    return ids


def need_complete(folder: str) -> None:
    """Hail reads a matrix that was written in part without a word."""
    for part in ("", "rows", "entries", "cols", "globals"):
        if not Path(folder, part, "_SUCCESS").is_file():
            raise Mismatch("A matrix is not complete.")


def need_plain(mt: Any) -> None:
    """Nothing but ids, loci, alleles and entry fields: no field that could carry a name or a path."""
    if list(mt.row) != ROW_FIELDS or list(mt.globals):
        raise Mismatch("A matrix has row fields or globals that were not declared.")
