"""From a result to a file in the outbox, from which an export request is made."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

from . import disclosure, places
from .errors import NgcError
from .session import say

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_NUMBERED = {"X": "23", "Y": "24", "MT": "25", "M": "25"}
HEADER = (
    "chromosome", "base_pair_location", "effect_allele", "other_allele", "beta", "standard_error",
    "effect_allele_frequency", "p_value", "n",
)  # fmt: skip
"""The columns of a file of summary statistics, in the order of GWAS-SSF."""


def _into_outbox(name: str) -> Path:
    """The path of a file of that name in the outbox. Raises NgcError for a name that can't be one there."""
    folder = places.outbox_dir()
    if not folder.is_dir():
        raise NgcError(f"There is no outbox at {folder}.", "This works inside a session of the workbench.")
    given = Path(name)
    if given.is_absolute() and given.parent == folder:
        given = Path(given.name)
    if len(given.parts) != 1 or not _NAME.fullmatch(given.name):
        raise NgcError(
            f"{name!r} is not a good file name for the outbox.",
            "Use letters, digits, dots, hyphens and underscores, and no folder.",
        )
    return folder / given.name


def _published(row: Any) -> list[str]:
    """The fields of one variant as they may leave."""
    chromosome = str(row.chromosome)
    return [
        _NUMBERED.get(chromosome, chromosome),
        str(row.base_pair_location),
        row.effect_allele,
        row.other_allele,
        f"{row.beta:.4g}",
        f"{row.standard_error:.4g}",
        format(disclosure.frequency(row.effect_allele_frequency, row.n).normalize(), "f"),
        f"{row.p_value:.3g}",
        str(disclosure.people(row.n)),
    ]


def summary_statistics(results: Any, name: str = "summary_statistics.tsv") -> Path:
    """Writes what `association` found into the outbox as tab-separated text in the columns of GWAS-SSF.

    Variants with fewer than `disclosure.LEAST_ALLELES` minor alleles are left out; frequencies and numbers
    of people are rounded as `disclosure` explains; effects have four significant digits, p-values three.
    Out: the file's path. Raises NgcError when nothing may be written, or the name isn't a good one.
    """
    target = _into_outbox(name)
    enough = results.filter(
        (results.minor_allele_count >= disclosure.LEAST_ALLELES) & (results.n >= 2 * disclosure.LEAST_ALLELES)
    )
    rows = enough.count()
    if not rows:
        raise NgcError(
            "No variant has enough minor alleles and people to be published.",
            f"Each needs {disclosure.LEAST_ALLELES} minor alleles and {2 * disclosure.LEAST_ALLELES} people.",
        )
    # Part by part, so that a table of ten million variants never stands in memory.
    unfinished = target.with_name(target.name + ".part")
    plain = enough.key_by().select(*HEADER)
    with unfinished.open("w", encoding="utf-8", newline="\n") as out:
        out.write("\t".join(HEADER) + "\n")
        for part in range(plain.n_partitions()):
            for row in plain._filter_partitions([part]).collect():  # noqa: SLF001  Hail has no public way
                out.write("\t".join(_published(row)) + "\n")
    unfinished.replace(target)
    left_out = results.count() - rows
    say(
        f"{target}: {rows:,} variants, {target.stat().st_size / 1e6:.2f} MB."
        + (f" {left_out:,} rarer ones were left out." if left_out else "")
    )
    return target


def to_outbox(path: str | Path, name: str | None = None) -> Path:
    """Copies a file into the outbox, under its own or another name; gives the copy's path.

    Raises NgcError when there is no such file, it is a folder, or the name isn't a good one.
    """
    source = Path(path).expanduser()
    if not source.is_file():
        raise NgcError(f"There is no file {path}." if not source.exists() else f"{path} is a folder.")
    target = _into_outbox(name or source.name)
    if source.resolve() != target.resolve():
        shutil.copyfile(source, target)
    say(f"{target}: {target.stat().st_size:,} bytes. Ask for its export on the portal's page of this session.")
    return target
