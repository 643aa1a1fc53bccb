"""Verbs that write a cut.

/release   the release's matrix, of which a cut is made, read-only
/cut       the folder in which a cut grows
"""

from __future__ import annotations

from typing import Any

import hail as hl

from .checks import need_complete, need_plain
from .digests import digest_columns
from .faults import Mismatch


def cut(*, keep: list[str], fields: list[str]) -> dict[str, Any]:
    """Writes /cut/matrix.mt: the people `keep` of /release (in its order), entry fields `fields`.

    A site at which only people who are left out differ from the reference goes with them: its mere presence would tell
    their genotype. Gives rows and the digests of columns, read back and equal to the mother's.
    """
    need_complete("/release")
    mother = hl.read_matrix_table("/release")
    kept = hl.literal(set(keep))
    marked = mother.annotate_cols(kept=kept.contains(mother.s))
    carried = marked.GT.is_non_ref()
    marked = marked.filter_rows(
        hl.agg.any(marked.kept & carried) | ~hl.agg.any(~marked.kept & carried)  # their sites alone are lost
    )
    part = marked.filter_cols(marked.kept).select_cols().select_rows().select_globals().select_entries(*fields)
    part.write("/cut/matrix.mt")
    need_complete("/cut/matrix.mt")
    stored = hl.read_matrix_table("/cut/matrix.mt")
    need_plain(stored)
    ours, theirs = digest_columns(stored), digest_columns(part)
    if [column.s for column in ours] != keep:
        raise Mismatch("The people of a cut are not those that it was asked for, in the stored order.")
    if ours != theirs:
        raise Mismatch("The genotypes of a cut are not its mother's.")
    return {"rows": ours[0].rows, "digests": [column.digest for column in ours]}
