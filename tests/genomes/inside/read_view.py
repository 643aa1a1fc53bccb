"""Runs in the image of sessions: reads a view at /data with Hail, as a researcher would.

Request on standard input: {"ids": [pseudonym], "fields": [entry field]}. Answer: {"positions": [of rows in order],
"entries": {id: {field: [value a row]}}, "pheno": {id: {field: value}}}.
"""

import json
import sys

import hail as hl

request = json.load(sys.stdin)
hl.init(master="local[2]", quiet=True, log="/tmp/hail.log", tmp_dir="/tmp")
mt = hl.read_matrix_table("/data/genotypes.mt")
mt = mt.filter_cols(hl.literal(set(request["ids"])).contains(mt.s))
entries = {one: {field: [] for field in request["fields"]} for one in request["ids"]}
for field in request["fields"]:
    value = hl.str(mt[field]) if field == "GT" else mt[field]
    table = mt.select_entries(value=value).entries().key_by().select("s", "value", "locus", "alleles")
    for row in table.order_by("locus", "alleles").collect():
        entries[row.s][field].append(row.value)
positions = mt.rows().locus.position.collect()
pheno = {row.s: dict(row.pheno) for row in mt.cols().collect()}
print(json.dumps({"positions": positions, "entries": entries, "pheno": pheno}))
