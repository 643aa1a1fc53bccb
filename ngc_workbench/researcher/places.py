"""Where a session's things stand, and what is mounted under the data folder.

What is mounted is read from the matrix's own metadata on disk, so it is known at once, without Hail.
"""

from __future__ import annotations

import gzip
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import NgcError


def data_dir() -> Path:
    """The folder of mounted views: `/data`, or what `NGC_DATA` names."""
    return Path(os.environ.get("NGC_DATA", "/data"))


def outbox_dir() -> Path:
    """The folder from which an export request is made: `/outbox`, or what `NGC_OUTBOX` names."""
    return Path(os.environ.get("NGC_OUTBOX", "/outbox"))


@dataclass(frozen=True)
class Mounted:
    """One mounted view: this project's pseudonymised part of one release of one dataset."""

    dataset: str
    release: str
    path: Path

    @property
    def kind(self) -> str:
        """`matrix`, or `vds` for genomes that came as gVCFs."""
        return "vds" if (self.path / "genotypes.vds").is_dir() else "matrix"

    @property
    def genotypes(self) -> Path:
        """The genotypes: a Hail MatrixTable, or a VariantDataset."""
        return self.path / ("genotypes.vds" if self.kind == "vds" else "genotypes.mt")

    @property
    def matrix(self) -> Path:
        """The MatrixTable with the variants: the genotypes themselves, or that half of a VariantDataset."""
        return self.genotypes / "variant_data" if self.kind == "vds" else self.genotypes

    @property
    def plink(self) -> Path | None:
        """What plink2's `--pfile` takes: the same genotypes as a PGEN; None where there is none."""
        prefix = self.path / "plink" / "genotypes"
        return prefix if prefix.with_suffix(".pgen").is_file() else None

    @property
    def phenotypes(self) -> Path:
        """The phenotype table, tab-separated, pseudonyms in its first column."""
        return self.path / "phenotypes.tsv"

    @property
    def readme(self) -> str:
        """What the genome centre wrote about the release; empty when there is no such file."""
        file = self.path / "README.md"
        return file.read_text(encoding="utf-8") if file.is_file() else ""

    def _metadata(self, *inside: str) -> dict[str, Any]:
        file = self.matrix.joinpath(*inside, "metadata.json.gz")
        try:
            found: dict[str, Any] = json.loads(gzip.decompress(file.read_bytes()))
        except (OSError, EOFError, ValueError) as error:
            raise NgcError(
                f"The genotypes of {self.dataset}/{self.release} can't be read ({type(error).__name__}).",
                "Start the session anew; if it stays so, tell your regional support centre.",
            ) from error
        return found

    @property
    def variants(self) -> int:
        """Rows of the matrix."""
        return sum(self._metadata()["components"]["partition_counts"]["counts"])

    @property
    def people(self) -> int:
        """Columns of the matrix."""
        return sum(self._metadata("cols")["components"]["partition_counts"]["counts"])

    @property
    def genome(self) -> str:
        """Reference genome of its positions, for instance `GRCh38`; empty when its rows have none."""
        found = re.search(r"Locus\((\w+)\)", str(self._metadata()["matrix_type"]))
        return found[1] if found else ""

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the phenotype columns, the pseudonym's left out."""
        if not self.phenotypes.is_file():
            return ()
        with self.phenotypes.open(encoding="utf-8") as lines:
            return tuple(lines.readline().rstrip("\r\n").split("\t")[1:])


def _in_order(name: str) -> list[tuple[int, str]]:
    """Sorts `r9` before `r10`."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def mounted() -> list[Mounted]:
    """All mounted views, by dataset, then release, oldest first."""
    return [
        Mounted(genotypes.parent.parent.name, genotypes.parent.name, genotypes.parent)
        for genotypes in sorted(
            [*data_dir().glob("*/*/genotypes.mt"), *data_dir().glob("*/*/genotypes.vds")],
            key=lambda at: (at.parts[-3], _in_order(at.parts[-2])),
        )
    ]


def find(dataset: str, release: str | None = None) -> Mounted:
    """The view of that dataset: of the named release, else of the latest that is mounted.

    Raises NgcError, which lists what there is, when it isn't mounted in this session.
    """
    views = mounted()
    fitting = [view for view in views if view.dataset == dataset and release in (None, view.release)]
    if fitting:
        return fitting[-1]
    wanted = dataset if release is None else f"{dataset}, release {release},"
    there = ", ".join(f"{view.dataset} ({view.release})" for view in views)
    raise NgcError(
        f"{wanted} is not mounted in this session.",
        f"Mounted: {there}." if there else "Nothing is mounted: ask the project's lead which data it is approved for.",
    )
