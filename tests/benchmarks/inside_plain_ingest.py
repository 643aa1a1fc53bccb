"""The peer of ingest: what a person types. /in/cohort.vcf.bgz, /out/plain.mt."""

import hail as hl

hl.init(quiet=True, log="/tmp/hail.log", tmp_dir="/scratch", local_tmpdir="/scratch")
hl.import_vcf("/in/cohort.vcf.bgz", reference_genome="GRCh38").write("/out/plain.mt")
