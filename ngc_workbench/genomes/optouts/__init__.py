"""Opt-outs: people whose data may not be used for research, and who is therefore in no view of a release."""

from ngc_workbench.genomes.optouts.held import Holding, current_views, holdings, people_of
from ngc_workbench.genomes.optouts.left_out import left_out
from ngc_workbench.genomes.optouts.recording import RecordedOptOut, record_opt_out
from ngc_workbench.genomes.optouts.register import Imported, import_register
from ngc_workbench.genomes.optouts.register_file import UnusableExtract

__all__ = [
    "Holding",
    "Imported",
    "RecordedOptOut",
    "UnusableExtract",
    "current_views",
    "holdings",
    "import_register",
    "left_out",
    "people_of",
    "record_opt_out",
]
