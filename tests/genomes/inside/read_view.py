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
fields = {field: hl.str(mt[field]) if field == "GT" else mt[field] for field in request["fields"]}
rows = mt.select_rows(found=hl.agg.collect(hl.struct(s=mt.s, **fields))).rows().collect()
entries = {one: {field: [] for field in fields} for one in request["ids"]}
for row in rows:
    for one in row.found:
        for field in fields:
            entries[one.s][field].append(one[field])
positions = [row.locus.position for row in rows]
pheno = {row.s: dict(row.pheno) for row in mt.cols().collect()}
sys.stdout.write(json.dumps({"positions": positions, "entries": entries, "pheno": pheno}) + "\n")
