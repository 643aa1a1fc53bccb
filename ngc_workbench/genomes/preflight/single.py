"""One VCF that must be sound."""

from __future__ import annotations

from pathlib import Path

from ngc_workbench.genomes.preflight.check import Progress, check_files
from ngc_workbench.genomes.preflight.files import VcfFile

Preflight = VcfFile


def preflight(vcf: Path, progress: Progress) -> VcfFile:
    """Checks one file. Raises DefectsFound."""
    return check_files([vcf], progress=progress).or_refuse().files[0]
