"""Runs in the image of sessions: makes drafts of releases (matrix.mt and plink/) from VCFs, by Hail and plink2 alone."""

import json
import subprocess
import sys
from pathlib import Path

import hail as hl

hl.init(master="local[2]", quiet=True, log="/tmp/hail.log", tmp_dir="/tmp", spark_conf={"spark.ui.enabled": "false"})
for job in json.load(sys.stdin):
    out = Path("/drafts", job["name"])
    (out / "plink").mkdir()
    mt = hl.import_vcf(job["vcf"], reference_genome=job["genome"], min_partitions=4, array_elements_required=False)
    names = hl.literal(job["ids"])
    mt = mt.key_cols_by(s=names[mt.s]).select_cols().select_rows().select_entries("GT", "AD", "DP", "GQ")
    mt.write(str(out / "matrix.mt"))
    subprocess.run(
        ["/usr/bin/plink2", "--vcf", job["vcf"], "--set-all-var-ids", "@:#:$r:$a", "--new-id-max-allele-len", "1000",
         "--output-chr", job["style"], "--make-pgen", "pvar-cols=", "--out", "/tmp/made"],
        check=True, stdout=2,
    )  # fmt: skip
    for suffix in (".pgen", ".pvar"):
        (out / "plink" / f"genotypes{suffix}").write_bytes(Path("/tmp/made" + suffix).read_bytes())
