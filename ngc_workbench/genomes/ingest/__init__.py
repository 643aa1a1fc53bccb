"""Taking in genomes: files are checked, stored under internal ids, compared with what was read, and become a release."""

from ngc_workbench.genomes.ingest.run import ingest
from ngc_workbench.genomes.ingest.stages import ROW_FIELDS

__all__ = ["ROW_FIELDS", "ingest"]
