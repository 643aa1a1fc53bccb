"""The closed list of verbs. Each takes and gives JSON values; folders are the container's mounts, fixed in each module."""

from __future__ import annotations

import os
import subprocess
from typing import Any

import hail as hl

from . import cuts, gvcfs, ingest, quality, recount


def start() -> str:
    """Starts Hail; gives its version."""
    cores = os.cpu_count() or 1
    hl.init(
        master=f"local[{cores}]",
        quiet=True,
        log="/tmp/hail.log",  # noqa: S108  (the container's own)
        tmp_dir="/scratch",
        local_tmpdir="/scratch",
        spark_conf={
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
        },
    )
    return str(hl.version())


def java() -> subprocess.Popen[bytes]:
    """The process in which Hail works. Call it once Hail runs."""
    process: subprocess.Popen[bytes] = hl.spark_context()._gateway.proc  # noqa: SLF001  (pyspark tells it nowhere else)
    return process


VERBS: dict[str, tuple[str, Any]] = {
    "matrix": ("Storing genotypes", ingest.matrix),
    "verify_matrix": ("Comparing what was stored with the files", ingest.verify_matrix),
    "vds": ("Combining gVCFs", gvcfs.vds),
    "verify_vds": ("Comparing what was stored with the files", gvcfs.verify_vds),
    "cut_matrix": ("Writing the genotypes of a cut", cuts.cut_matrix),
    "cut_vds": ("Writing the genotypes of a cut", cuts.cut_vds),
    "recount": ("Counting what a view holds", recount.recount),
    "plink_reports": ("Measuring quality", quality.plink_reports),
    "vds_samples": ("Measuring quality", quality.vds_samples),
}
"""The closed list: what is said while it runs, and what does it."""

EARLY = frozenset({"matrix"})
"""Verbs that begin while Hail still starts; each is given `hail_ready`, which waits for it and gives its version."""
