"""A verb that counts what stands in a published view, from the view's own files.

/release       the release's matrix or VDS, read-only
/views/<n>     the folders of views, read-only
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import hail as hl

from .checks import need_complete, stored_ids
from .digests import carried_by
from .faults import Mismatch

_MOST_ROWS = 2000
_PGEN_MAGIC = b"\x6c\x1b"


def recount(*, view: int, kind: str, genotypes: int) -> dict[str, Any]:
    """Counts the view /views/<view>, `kind` matrix or vds; `genotypes` bounds how many are compared with the release's.

    Gives `halves` (for each matrix its ids in stored order, rows, how many rows were read, least and most entries in
    one of them), `carried` and `release` (for each column its id, calls that differ from the reference, and their digest,
    at the places that were read), `called` (calls that are not missing, a column), `plink` (ids and people of each PGEN).
    All of `carried`, `release` and `called` is empty where rows have another number of entries than there are ids.
    """
    folder = Path("/views", str(int(view)))
    if kind == "vds":
        places = [folder / "genotypes.vds" / half for half in ("variant_data", "reference_data")]
        release = "/release/variant_data"
    else:
        places, release = [folder / "genotypes.mt"], "/release"
    halves: list[dict[str, Any]] = []
    for place in places:
        need_complete(str(place))
        halves.append(_half(hl.read_matrix_table(str(place)), genotypes))
    plink = [_plink(path) for path in sorted(folder.rglob("*.psam"))]
    if any(half["read"] and not half["least"] == half["most"] == len(half["ids"]) for half in halves):
        # Hail reads past the end of such a row. That nobody's genotypes are known is the fault that is reported.
        return {"halves": halves, "carried": [], "release": [], "called": [], "plink": plink}
    variants = _with_gt(hl.read_matrix_table(str(places[0])))
    fields = [field for field in ("GT", "DP", "GQ") if field in variants.entry]
    loci = sorted(set(variants.head(halves[0]["read"]).locus.collect()), key=lambda locus: locus.position)
    mother = _with_gt(hl.read_matrix_table(release))
    ours, theirs = (_at(mt.select_entries(*fields), loci) for mt in (variants, mother))
    called = ours.annotate_cols(called=hl.agg.count_where(hl.is_defined(ours.GT))).key_cols_by().cols()
    return {
        "halves": halves,
        "carried": _carried(ours),
        "release": _carried(theirs),
        "called": called.called.collect(),
        "plink": plink,
    }


def _half(mt: Any, genotypes: int) -> dict[str, Any]:
    """Ids, and how many entries a row has: read as they are stored, so that a row of another length is seen."""
    ids = stored_ids(mt)
    wanted = max(1, min(_MOST_ROWS, genotypes // max(1, len(ids))))
    table = mt.head(wanted).localize_entries("row_entries", "row_columns")
    seen = table.aggregate(
        hl.struct(
            read=hl.agg.count(),
            least=hl.agg.min(hl.len(table.row_entries)),
            most=hl.agg.max(hl.len(table.row_entries)),
        )
    )
    return {"ids": ids, "rows": mt.count_rows(), "read": seen.read, "least": seen.least, "most": seen.most}


def _with_gt(mt: Any) -> Any:
    """With a call that tells how many alternative alleles there are: a VDS numbers alleles anew in each call."""
    return mt if "GT" in mt.entry else mt.annotate_entries(GT=mt.LGT)


def _at(mt: Any, loci: list[Any]) -> Any:
    """The rows at these places alone."""
    if not loci:
        return mt.filter_rows(False)
    return hl.filter_intervals(mt, [hl.Interval(locus, locus, includes_end=True) for locus in loci])


def _carried(mt: Any) -> list[list[Any]]:
    return [[column.s, column.calls, column.digest] for column in carried_by(mt)]


def _plink(psam: Path) -> dict[str, Any]:
    lines = psam.read_text(encoding="utf-8").splitlines()
    with psam.with_suffix(".pgen").open("rb") as file:
        head = file.read(11)
    if head[:2] != _PGEN_MAGIC:
        raise Mismatch("The PGEN of a view is none.")
    return {
        "ids": [line.split("\t")[0] for line in lines if not line.startswith("#")],
        "people": struct.unpack("<I", head[7:11])[0],
    }
