"""Runs in the session's image: a view of 500 invented people over two chromosomes, with one causal variant.

Usage: make_view.py FOLDER. Writes FOLDER/cohort/r1 and prints the causal variant's place as CONTIG:POSITION.
"""

import random
import sys
from pathlib import Path

import hail as hl

folder = Path(sys.argv[1], "cohort", "r1")
folder.mkdir(parents=True, exist_ok=True)
hl.init(quiet=True, log="/tmp/make.log", tmp_dir="/tmp", master="local[1]")
mt = hl.balding_nichols_model(2, 500, 300, n_partitions=2, reference_genome="GRCh38")
number = mt.locus.position
place = hl.locus(hl.if_else(number <= 150, "chr1", "chr2"), 1_000_000 + 200_000 * (number % 150), "GRCh38")
mt = mt.annotate_rows(place=place).key_rows_by().drop("locus")
mt = mt.rename({"place": "locus"}).key_rows_by("locus", "alleles")
mt = mt.checkpoint("/tmp/genotypes.mt")

common = hl.variant_qc(mt)
common = common.filter_rows((common.variant_qc.AF[1] > 0.3) & (common.variant_qc.AF[1] < 0.7)).head(1)
causal = common.locus.collect()[0]
chance = random.Random(7)
rows = [
    {
        "s": f"NGC-{i:04d}",
        "age": chance.randint(20, 80),
        "sex": chance.choice(["female", "male"]),
        "trait": 0.7 * dosage + chance.gauss(0, 1),
        "kind": "rare" if i < 3 else "common",
    }
    for i, dosage in enumerate(common.GT.n_alt_alleles().collect())
]
types = hl.tstruct(s=hl.tstr, age=hl.tint32, sex=hl.tstr, trait=hl.tfloat64, kind=hl.tstr)
people = hl.Table.parallelize(rows, types).add_index().key_by("idx")
mt = mt.add_col_index()
mt = mt.annotate_cols(person=people[hl.int64(mt.col_idx)]).key_cols_by()
mt = mt.select_cols(s=mt.person.s, pheno=mt.person.drop("s")).key_cols_by("s")
mt.select_entries("GT").select_rows().select_globals().write(str(folder / "genotypes.mt"), overwrite=True)

fields = list(rows[0])
lines = ["\t".join(["id", *fields[1:]]), *("\t".join(str(row[field]) for field in fields) for row in rows)]
(folder / "phenotypes.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
(folder / "README.md").write_text("# Invented cohort\n", encoding="utf-8")
sys.stdout.write(f"{causal.contig}:{causal.position}\n")
