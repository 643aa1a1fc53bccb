"""plink2's reports as values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ngc_workbench.errors import IntegrityError


def rows(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a report, by the names in its header line."""
    with path.open(encoding="utf-8") as lines:
        header = next(lines).lstrip("#").rstrip("\n").split("\t")
        for line in lines:
            yield dict(zip(header, line.rstrip("\n").split("\t"), strict=True))


def by_person(path: Path, ids: Sequence[str]) -> list[dict[str, str]]:
    """A report about people, in the order of `ids`. Raises IntegrityError when it is about others."""
    found = list(rows(path))
    if [row["IID"] for row in found] != list(ids):
        raise IntegrityError("plink2 reports on other people than the release holds.", "Run the ingest again.")
    return found


def number(text: str) -> float | None:
    """A number; None for plink2's NA and nan."""
    return None if text.lower() in {"na", "nan", "."} else float(text)


def ratio(above: float | None, below: float | None) -> float | None:
    """`above` by `below`; None where it is not defined."""
    return None if above is None or not below else above / below
