"""Quality figures of a release: measured once at ingest, kept with the release, shown to the custodian."""

from ngc_workbench.genomes.quality.measure import measure
from ngc_workbench.genomes.quality.reading import Quality, read
from ngc_workbench.genomes.quality.shown import lines, sample_lines
from ngc_workbench.genomes.quality.thresholds import DEFAULT, Thresholds

__all__ = ["DEFAULT", "Quality", "Thresholds", "lines", "measure", "read", "sample_lines"]
