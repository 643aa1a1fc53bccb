"""What the benchmarks do with Hail inside the image: one JSON order a line on standard input, one answer a line.

`cohort` makes up a release's genotypes; `rewrite` is the peer of a view: the same people, ids mapped, written anew.
Folders: /out grows, /release is read, /scratch is Hail's own.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import hail as hl

PEER = "/scratch/peer.mt"


def cohort(ids, variants, partitions, fields):
    """/out/matrix.mt (Balding-Nichols, three populations; depths and qualities by chance) and the calls as /out/plink."""
    # Random numbers take memory until their part is written: made in small parts, stored in as many as wanted.
    small = max(partitions, variants * len(fields) // 6_000)
    mt = hl.balding_nichols_model(3, len(ids), variants, n_partitions=small, reference_genome="GRCh38")
    names = hl.literal(ids)
    mt = mt.key_cols_by(s=names[mt.sample_idx]).select_cols().select_rows().select_globals()
    depth = hl.int32(hl.rand_norm(30, 5.5))
    mt = mt.annotate_entries(DP=depth, GQ=hl.min(99, 3 * depth - hl.int32(hl.rand_unif(0, 30))))
    mt = mt.select_entries(*fields)
    if small > partitions:
        mt = mt.checkpoint("/scratch/small.mt").naive_coalesce(partitions)
    mt.write("/out/matrix.mt")
    shutil.rmtree("/scratch/small.mt", ignore_errors=True)
    stored = hl.read_matrix_table("/out/matrix.mt")
    bed, made = Path("/scratch/bed"), Path("/scratch/made")
    hl.export_plink(stored, str(bed), ind_id=stored.s)
    words = ["--bfile", str(bed), "--make-pgen", "pvar-cols=", "psam-cols=", "--output-chr", "chrM", "--out", str(made)]
    subprocess.run(["/usr/bin/plink2", *words], check=True, stdout=2)
    Path("/out/plink").mkdir()
    shutil.copyfile(made.with_suffix(".pgen"), "/out/plink/genotypes.pgen")
    with made.with_suffix(".pvar").open() as lines, Path("/out/plink/genotypes.pvar").open("w") as out:
        out.write("#CHROM\tPOS\tID\tREF\tALT\n")
        for line in lines:
            if not line.startswith("#"):
                contig, position, _, reference, alternative = line.rstrip("\n").split("\t")
                name = f"{contig}:{position}:{reference}:{alternative}"
                out.write(f"{contig}\t{position}\t{name}\t{reference}\t{alternative}\n")
    for path in Path("/scratch").glob("bed*"):
        path.unlink()
    return {"rows": stored.count_rows()}


def rewrite(ids, pseudonyms):
    """The seconds that `filter_cols` (to everybody) and `write` under mapped ids take, and the people written."""
    shutil.rmtree(PEER, ignore_errors=True)
    began = time.monotonic()
    mt = hl.read_matrix_table("/release/matrix.mt")
    wanted = hl.literal(set(ids))
    mt = mt.filter_cols(wanted.contains(mt.s))
    names = hl.literal(dict(zip(ids, pseudonyms, strict=True)))
    mt.key_cols_by(s=names[mt.s]).write(PEER)
    seconds = time.monotonic() - began
    written = hl.read_matrix_table(PEER).count_cols()
    shutil.rmtree(PEER)
    return {"seconds": seconds, "people": written}


def main():
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # Spark's own words go to standard error
    hl.init(
        master=f"local[{os.cpu_count()}]", quiet=True, log="/tmp/hail.log", tmp_dir="/scratch", local_tmpdir="/scratch",
        spark_conf={"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false",
                    "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"},
    )  # fmt: skip
    for line in sys.stdin:
        order = json.loads(line)
        answer = {"cohort": cohort, "rewrite": rewrite}[order.pop("do")](**order)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


main()
