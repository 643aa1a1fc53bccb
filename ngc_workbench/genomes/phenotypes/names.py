"""Names of columns: which may be used, and which say whom a row is about."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ngc_workbench.errors import InputError
from ngc_workbench.genomes.phenotypes.sources import Source
from ngc_workbench.pseudonyms import find_cpr

WORDS = frozenset({"and", "or", "not", "in", "is", "missing", "startswith", "true", "false"})
"""Words of the filter language: a column of such a name could not be asked for."""

IDS = {"sample": "sample", "sample_id": "sample", "iid": "sample", "cpr": "cpr", "internal_id": "internal_id"}
"""Names of columns of ids (in lower case), to what they hold."""

_RESERVED = frozenset({"id", "s", *IDS, *WORDS})
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")


def is_column_name(name: str) -> bool:
    """Whether a column of values may have this name."""
    return _NAME.fullmatch(name) is not None and name.lower() not in _RESERVED


def shown(header: Sequence[str], at: int) -> str:
    """A column as errors name it: by number when its name might be a value, as where a table has no header."""
    name = header[at]
    return name if _NAME.fullmatch(name) and not find_cpr(name) else f"number {at + 1}"


def find_ids(source: Source) -> dict[str, int]:
    """Where the columns of ids stand: `sample`, `cpr`, `internal_id` to a column's index; at least one.

    Raises InputError when there is none, or two of the same.
    """
    found: dict[str, int] = {}
    for at, name in enumerate(source.header):
        what = IDS.get(name.lower())
        if what is None:
            continue
        if what in found:
            raise InputError(f"{source.name} has two columns of the kind `{what}`.", "Keep one of them.")
        found[what] = at
    if not found:
        raise InputError(
            f"{source.name}: there is no column `sample`, no column `cpr` and no column `internal_id`.",
            "Name the column of ids so.",
        )
    return found
