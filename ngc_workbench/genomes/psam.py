"""The .psam of a view: who the people of a PGEN are, and their phenotypes as plink2 reads them.

Format: plink2's .psam, `#IID` first, then `SEX` (1 male, 2 female, NA) where the phenotypes hold a column `sex` of such
words, then one column a phenotype: numbers as they are, yes and no as 2 and 1, categories with blanks as underscores.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ngc_workbench.genomes.hail_files import Field

_SEX = {"male": "1", "m": "1", "mand": "1", "female": "2", "f": "2", "kvinde": "2", "k": "2"}


def table(ids: Sequence[str], fields: Sequence[Field], values: Sequence[Sequence[Any]]) -> str:
    """The whole file. `ids` in the order of the genotypes, `values` one list a person, one value a field."""
    sex = next((at for at, field in enumerate(fields) if field == ("sex", "str") and _is_sex(values, at)), None)
    others = [at for at in range(len(fields)) if at != sex]
    header = ["#IID", *(["SEX"] if sex is not None else []), *(fields[at][0] for at in others)]
    lines = ["\t".join(header)]
    for one, row in zip(ids, values, strict=True):
        cells = [one]
        if sex is not None:
            cells.append("NA" if row[sex] is None else _SEX[row[sex].lower()])
        lines.append("\t".join([*cells, *(_cell(row[at]) for at in others)]))
    return "".join(f"{line}\n" for line in lines)


def _is_sex(values: Sequence[Sequence[Any]], at: int) -> bool:
    return all(row[at] is None or row[at].lower() in _SEX for row in values)


def _cell(value: Any) -> str:
    if value is None:
        return "NA"
    if isinstance(value, bool):
        return "2" if value else "1"
    return re.sub(r"\s+", "_", value) if isinstance(value, str) else repr(value)
