"""Writes a release's genotypes to /data, as ingest would: made-up ones of the people named on standard input.

Person 0 and 1 have equal genotypes (twins); the last site is carried by person 0 and 1 alone.
"""

import json
import subprocess
import sys
from pathlib import Path

import hail as hl

order = json.load(sys.stdin)
ids, rows = order["ids"], order["rows"]
hl.init(master="local[1]", quiet=True, log="/tmp/hail.log", tmp_dir="/tmp", local_tmpdir="/tmp")
mt = hl.utils.range_matrix_table(rows, len(ids), n_partitions=2)
mt = mt.key_rows_by(locus=hl.locus("chr22", 1000 + mt.row_idx * 10, "GRCh38"), alleles=["A", "C", "G"])
who = hl.max(mt.col_idx, 1)
copies = (mt.row_idx * 7 + who * who * 3 + mt.row_idx * who) % 5
call = hl.case().when(copies == 1, hl.call(0, 1)).when(copies == 2, hl.call(1, 2)).default(hl.call(0, 0))
last = mt.row_idx == rows - 1
call = hl.if_else(last, hl.if_else(who == 1, hl.call(1, 1), hl.call(0, 0)), call)
mt = mt.select_entries(GT=hl.or_missing((mt.row_idx + who) % 11 != 0, call), DP=hl.int32(10 + copies))
names = hl.literal(ids)
mt = mt.key_cols_by(s=names[mt.col_idx]).select_cols().select_rows().select_globals()
mt.write("/data/matrix.mt")
hl.export_vcf(hl.read_matrix_table("/data/matrix.mt").select_entries("GT"), "/tmp/all.vcf.bgz")
words = [
    "plink2",
    "--vcf",
    "/tmp/all.vcf.bgz",
    "--make-pgen",
    "pvar-cols=",
    "--output-chr",
    "chrM",
    "--out",
    "/tmp/all",
]
subprocess.run(words, check=True, stdout=sys.stderr)
Path("/data/plink").mkdir()
Path("/data/plink/genotypes.pgen").write_bytes(Path("/tmp/all.pgen").read_bytes())
lines = [line.split("\t") for line in Path("/tmp/all.pvar").read_text().splitlines() if not line.startswith("#")]
named = [[chrom, at, f"{chrom}:{at}:{ref}:{alt}", ref, alt] for chrom, at, _, ref, alt in lines]
table = [["#CHROM", "POS", "ID", "REF", "ALT"], *named]
Path("/data/plink/genotypes.pvar").write_text("".join("\t".join(line) + "\n" for line in table))
