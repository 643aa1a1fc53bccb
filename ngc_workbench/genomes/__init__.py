"""Genomes: ingest, releases, opt-outs, views. Everything that reads genotypes runs in a container without a network."""

from ngc_workbench.genomes.catalogue import shapes
from ngc_workbench.genomes.cohort import Cohort, read_definition
from ngc_workbench.genomes.datasets import describe, find_dataset
from ngc_workbench.genomes.differences import tell as tell_differences
from ngc_workbench.genomes.ingest import ingest
from ngc_workbench.genomes.optouts import Imported, RecordedOptOut, import_register, record_opt_out
from ngc_workbench.genomes.refresh import Refreshed, refresh_views
from ngc_workbench.genomes.releases import compare, find, list_releases, publish, withdraw
from ngc_workbench.genomes.reproving import Reproved, reprove
from ngc_workbench.genomes.views import build_view, view_folder

__all__ = [
    "Cohort",
    "Imported",
    "RecordedOptOut",
    "Refreshed",
    "Reproved",
    "build_view",
    "compare",
    "describe",
    "find",
    "find_dataset",
    "import_register",
    "ingest",
    "list_releases",
    "publish",
    "read_definition",
    "record_opt_out",
    "refresh_views",
    "reprove",
    "shapes",
    "tell_differences",
    "view_folder",
    "withdraw",
]
