"""The check of VCF and gVCF files before Hail sees them: every defect, with file, place and remedy.

Hail reports most faults late, one at a time, with paths and ids; and many it takes in silence: an allele beyond the
alternatives, a number above 2^31, an array of the wrong length, a file cut between two blocks. What it would take in
silence is what this is for. `kinds` is the table of all that is looked for.
"""

from ngc_workbench.genomes.preflight.check import Progress, check_files
from ngc_workbench.genomes.preflight.files import KEPT_FIELDS, VcfFile
from ngc_workbench.genomes.preflight.findings import DefectsFound, Finding
from ngc_workbench.genomes.preflight.kept import write_kept
from ngc_workbench.genomes.preflight.kinds import ACCEPTABLE
from ngc_workbench.genomes.preflight.text import read_lines
from ngc_workbench.genomes.preflight.together import Checked

__all__ = [
    "ACCEPTABLE",
    "KEPT_FIELDS",
    "Checked",
    "DefectsFound",
    "Finding",
    "Progress",
    "VcfFile",
    "check_files",
    "read_lines",
    "write_kept",
]
