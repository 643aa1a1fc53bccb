"""Small genomes for tests, and where the real ones lie."""

from __future__ import annotations

import os
from pathlib import Path

from ngc_workbench.settings import ROOT

DATA = Path(os.environ.get("NGC_TEST_DATA", ROOT.parent / "shared" / "data"))
KGP = DATA / "kgp3_chr1_11.70-11.84Mb_2504s.vcf.gz"
GATK = DATA / "kgp_chr22_100s_gatk_fields.vcf"
GATK_PHENO = DATA / "kgp_chr22_100s_phenotypes.tsv"

HEADER = """##fileformat=VCFv4.2
##contig=<ID=chr1,length=248956422>
##contig=<ID=chr22,length=50818468>
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Allelic depths">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Depth">
##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Quality">
"""
NAMES = ("ANNA1", "BERTA2", "CARLA3", "DORA4")
RECORDS = (
    "chr1\t1000\trs1\tA\tC\t50\tPASS\tAC=3\tGT:AD:DP:GQ\t0/0:9,0:9:90\t0/1:4,5:9:80\t1/1:0,8:8:70\t./.",
    "chr1\t2000\t.\tG\tT,GA\t.\tPASS\t.\tGT:AD:DP:GQ\t0|2:4,0,5:9:90\t0|1:4,5,0:9:80\t1|2:0,4,4:8:70\t0|0:.:.:.",
    "chr22\t3000\t.\tT\tC\t50\tPASS\t.\tGT\t0/0\t0/0\t0/0\t0/1",
)
PHENO = "sample\tcpr\tage\tsex\tweight\tcase\nANNA1\t610270-1234\t54\tfemale\t70.5\ttrue\nBERTA2\t620271-1236\t53\tfemale\tNA\tfalse\nCARLA3\t630272-1238\t52\tfemale\t61.25\tfalse\n"


def vcf_text(records=RECORDS, header=HEADER, names=NAMES) -> str:
    columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *names]
    return header + "\t".join(columns) + "\n" + "".join(f"{record}\n" for record in records)
