"""Runs in the image of sessions: reads a view at /data by Hail and by plink2, as alleles and not as their numbers.

Request on standard input: {"vds": bool}. Answer: {"hail": {id: {"contig:position": [sorted alleles]}}, "plink": the same
or null, "alleles": {"contig:position": [alleles]}, "order": [ids in stored order], "fields": [entry fields],
"pheno": {id: {field: value}}}. Only calls that differ from the reference stand there.
"""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import hail as hl

request = json.load(sys.stdin)
hl.init(master="local[2]", quiet=True, log="/tmp/hail.log", tmp_dir="/tmp")
if request["vds"]:
    vds = hl.vds.read_vds("/data/genotypes.vds")
    vds.validate()
    mt = vds.variant_data
    mt = mt.annotate_entries(GT=hl.vds.lgt_to_gt(mt.LGT, mt.LA))
else:
    mt = hl.read_matrix_table("/data/genotypes.mt")
fields = list(mt.entry)
order = mt.key_cols_by().s.collect()
rows = mt.select_rows(
    found=hl.agg.filter(
        hl.coalesce(mt.GT.is_non_ref(), False),
        hl.agg.collect((mt.s, hl.range(mt.GT.ploidy).map(lambda at: mt.alleles[mt.GT[at]]))),
    )
).rows()
calls = {one: {} for one in order}
alleles = {}
for row in rows.collect():
    place = f"{row.locus.contig}:{row.locus.position}"
    alleles[place] = list(row.alleles)
    for one, carried in row.found:
        calls[one][place] = sorted(carried)
pheno = {row.s: dict(row.pheno) for row in mt.cols().collect()}
plink = None
if Path("/data/plink").is_dir():
    words = ["plink2", "--pfile", "/data/plink/genotypes", "--export", "vcf", "bgz", "--out", "/tmp/exported"]
    subprocess.run([*words, "--output-chr", request["style"], "--memory", "640"], check=True, stdout=sys.stderr)
    plink = {one: {} for one in order}
    with gzip.open("/tmp/exported.vcf.gz", "rt") as lines:
        for line in lines:
            cells = line.rstrip("\n").split("\t")
            if line.startswith("#CHROM"):
                names = cells[9:]
            elif not line.startswith("#"):
                texts = [cells[3], *cells[4].split(",")]
                for one, cell in zip(names, cells[9:], strict=True):
                    numbers = [int(part) for part in cell.split(":")[0].replace("|", "/").split("/") if part != "."]
                    if any(numbers):
                        plink[one][f"{cells[0]}:{cells[1]}"] = sorted(texts[number] for number in numbers)
    assert names == order, "the PGEN has another order of people"
answer = {"hail": calls, "plink": plink, "alleles": alleles, "order": order, "fields": fields, "pheno": pheno}
sys.stdout.write(json.dumps(answer) + "\n")
