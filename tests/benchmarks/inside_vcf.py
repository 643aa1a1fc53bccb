"""Writes a made-up VCF to /out (bgzip): `inside_vcf.py NAME PEOPLE VARIANTS FIELDS`, fields `GT` or `GT:AD:DP:GQ:PL`.

Genotypes are drawn by each variant's own frequency (Beta 0.2, 1.5), depths and qualities as genome callers write them: DP
Poisson with mean 30, AD split by genotype, GQ and PL by the depth, a binomial likelihood and an error rate of 1 in 500.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np

KINDS = 20_000
"""Different entries drawn for each genotype."""
FORMATS = {
    "GT": ("1", "String"), "AD": ("R", "Integer"), "DP": ("1", "Integer"), "GQ": ("1", "Integer"), "PL": ("G", "Integer"),
}  # fmt: skip


def entries(genotype, fields, random):
    """Texts of `KINDS` entries of a genotype (0, 1 or 2 alternative alleles)."""
    text = ("0/0", "0/1", "1/1")[genotype]
    if fields == ["GT"]:
        return np.array([text], dtype=object)
    depth = np.maximum(random.poisson(30, KINDS), 1)
    alternative = random.binomial(depth, (0.002, 0.5, 0.998)[genotype])
    chances = np.array([0.002, 0.5, 0.998])
    log10 = alternative[:, None] * np.log10(chances) + (depth - alternative)[:, None] * np.log10(1 - chances)
    phred = np.round(-10 * log10).astype(int)
    phred -= phred[:, [genotype]]
    phred = np.minimum(np.maximum(phred, 0), 5000)
    quality = np.minimum(np.sort(phred, axis=1)[:, 1], 99)
    made = [
        f"{text}:{d - a},{a}:{d}:{q}:{p[0]},{p[1]},{p[2]}"
        for d, a, q, p in zip(depth.tolist(), alternative.tolist(), quality.tolist(), phred.tolist(), strict=True)
    ]
    return np.array(made, dtype=object)


def main():
    name, people, variants, fields = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4].split(":")
    random = np.random.default_rng(7)
    texts = [entries(genotype, fields, random) for genotype in range(3)]
    starts = np.cumsum([0, *(len(some) for some in texts)])[:3]
    sizes = np.array([len(some) for some in texts])
    every = np.concatenate(texts)
    header = ["##fileformat=VCFv4.2", "##contig=<ID=chr22,length=50818468>"]
    header += [
        f'##FORMAT=<ID={field},Number={FORMATS[field][0]},Type={FORMATS[field][1]},Description="{field}">'
        for field in fields
    ]
    columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]
    columns += [f"BENCH{number:05}" for number in range(people)]
    with Path("/out", name).open("wb") as file:
        bgzip = subprocess.Popen(["/usr/bin/bgzip", "-@", "2", "-c"], stdin=subprocess.PIPE, stdout=file)
        bgzip.stdin.write(("\n".join(header) + "\n" + "\t".join(columns) + "\n").encode())
        for number in range(variants):
            frequency = random.beta(0.2, 1.5)
            genotypes = random.binomial(2, frequency, people)
            drawn = starts[genotypes] + (random.random(people) * sizes[genotypes]).astype(int)
            begin = f"chr22\t{10_600_000 + number * 40}\t.\tA\tC\t60\tPASS\t.\t{':'.join(fields)}\t"
            bgzip.stdin.write((begin + "\t".join(every[drawn]) + "\n").encode())
        bgzip.stdin.close()
        if bgzip.wait():
            sys.exit("bgzip failed")


main()
