"""Genomes: ingest, releases, opt-outs, views. Everything that reads genotypes runs in a container without a network."""

from ngc_workbench.genomes.ingest import ingest
from ngc_workbench.genomes.optouts import RecordedOptOut, record_opt_out
from ngc_workbench.genomes.preflight import Preflight, preflight
from ngc_workbench.genomes.releases import find, list_releases, publish
from ngc_workbench.genomes.views import build_view, view_folder

__all__ = [
    "Preflight",
    "RecordedOptOut",
    "build_view",
    "find",
    "ingest",
    "list_releases",
    "preflight",
    "publish",
    "record_opt_out",
    "view_folder",
]
