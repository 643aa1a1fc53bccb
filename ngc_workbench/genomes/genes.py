"""Genes to regions, by the centre's own annotation file: GTF, GFF3 or BED with names, plain or compressed with gzip."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from ngc_workbench.errors import ConfigurationError, InputError
from ngc_workbench.genomes.regions import Region
from ngc_workbench.settings import Settings

_ATTRIBUTE = re.compile(r'(?:gene_name|gene_id|Name|gene|ID) ?[= ]"?(?:gene:)?([^";]+)"?')


def regions_of(settings: Settings, genome: str, genes: Iterable[str]) -> list[Region]:
    """The places of these genes (by name or id), from the annotation that the settings name for the genome.

    Raises ConfigurationError without an annotation, InputError with the names that it does not hold.
    """
    path = settings.genes_grch37 if genome == "GRCh37" else settings.genes_grch38
    if path is None:
        raise ConfigurationError(
            f"No annotation of genes is set for {genome}.",
            f"Name one (GTF, GFF3 or BED) in the setting genes_{genome.lower()}, or give regions.",
        )
    wanted = set(genes)
    found: dict[str, list[Region]] = {gene: [] for gene in wanted}
    try:
        for names, region in _read(path, genome):
            for name in names & wanted:
                found[name].append(region)
    except (OSError, ValueError, EOFError) as error:
        raise ConfigurationError(
            f"The annotation of genes for {genome} can't be read.", "It must be GTF, GFF3 or BED, plain or gzip."
        ) from error
    unknown = sorted(gene for gene, places in found.items() if not places)
    if unknown:
        raise InputError(
            f"The annotation of {genome} holds no gene {', '.join(name[:30] for name in unknown[:5])}"
            + (f" and {len(unknown) - 5} more" if len(unknown) > 5 else "") + ".",
            "Use the names or ids of the annotation.",
        )  # fmt: skip
    return [region for places in found.values() for region in places]


def _read(path: Path, genome: str) -> Iterator[tuple[set[str], Region]]:
    """Names of each gene with its place. Genes on contigs that are no chromosomes are passed over."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        for line in lines:
            if not line.strip() or line.startswith(("#", "track", "browser")):
                continue
            cells = line.rstrip("\r\n").split("\t")
            if len(cells) >= 9:
                # GTF and GFF3: 1-based, both ends included.
                if cells[2] != "gene":
                    continue
                names = {
                    name.partition(".")[0] if name.startswith("ENS") else name for name in _ATTRIBUTE.findall(cells[8])
                }
                place = Region.known(genome, cells[0], int(cells[3]), int(cells[4]))
            else:
                # BED: 0-based, the end excluded.
                names = {cells[3]}
                place = Region.known(genome, cells[0], int(cells[1]) + 1, int(cells[2]))
            if place is not None:
                yield names, place
