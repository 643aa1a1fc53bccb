"""A cohort whose truth is known: a duplicate, a child, a half-sibling, a mixed sample, a bad sample, and sexes."""

from __future__ import annotations

import numpy as np

PEOPLE = 100
PLAIN = 95
HALF, CHILD, TWIN, MIXED, BAD = 95, 96, 97, 98, 5
SNPS, X_SNPS, Y_SNPS = 6000, 800, 40
_BASES = "ACGT"


def sexes() -> list[str]:
    """Each person's true sex: even numbers are men; the twin has that of person 0, the mixed sample that of person 4."""
    return ["male" if number % 2 == 0 else "female" for number in range(PEOPLE - 3)] + ["male", "male", "female"]


def vcf(seed: int = 3) -> str:
    """The VCF, GRCh38, samples S0 to S99, with AD, DP and GQ."""
    random = np.random.default_rng(seed)
    lines = ["##fileformat=VCFv4.2", "##contig=<ID=chr1,length=248956422>", "##contig=<ID=chrX,length=156040895>",
             "##contig=<ID=chrY,length=57227415>"]  # fmt: skip
    for name, number, kind in (
        ("GT", "1", "String"),
        ("AD", "R", "Integer"),
        ("DP", "1", "Integer"),
        ("GQ", "1", "Integer"),
    ):
        lines.append(f'##FORMAT=<ID={name},Number={number},Type={kind},Description="x">')
    lines.append(
        "\t".join(
            [
                *["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"],
                *(f"S{n}" for n in range(PEOPLE)),
            ]
        )
    )
    male = np.array([sex == "male" for sex in sexes()])
    for number in range(SNPS):
        pair = (random.random((2, PEOPLE)) < random.uniform(0.1, 0.9)).astype(int)
        pick = random.integers(0, 2, 4)
        pair[:, CHILD] = pair[pick[0], 1], pair[pick[1], 2]
        pair[0, HALF] = pair[pick[2], 1]
        pair[:, TWIN] = pair[:, 0]
        lines.append(_row(random, "chr1", 10_000 + number * 25_000, number, pair))
    for number in range(X_SNPS):
        pair = (random.random((2, PEOPLE)) < random.uniform(0.1, 0.9)).astype(int)
        pair[1, male] = pair[0, male]
        lines.append(_row(random, "chrX", 3_000_000 + number * 25_000, number, pair, haploid=male))
    for number in range(Y_SNPS):
        pair = np.repeat((random.random((1, PEOPLE)) < 0.3).astype(int), 2, axis=0)
        lines.append(_row(random, "chrY", 3_000_000 + number * 25_000, number, pair, haploid=male, missing=~male))
    return "\n".join(lines) + "\n"


def _row(random, contig, position, number, pair, haploid=None, missing=None) -> str:
    ref = _BASES[number % 4]
    # Two of three are transitions.
    alt = {"A": "G", "G": "A", "C": "T", "T": "C"}[ref] if number % 3 else {"A": "C", "G": "T", "C": "A", "T": "G"}[ref]
    depth = random.poisson(30, PEOPLE)
    share = pair.sum(axis=0) / 2
    # Thirty in a hundred reads of the mixed sample are person 3's; the rest are its own, of person 4's genotype.
    own = pair.copy()
    if contig == "chr1":
        share[MIXED] = 0.7 * pair[:, 4].sum() / 2 + 0.3 * pair[:, 3].sum() / 2
        own[:, MIXED] = pair[:, 4] if share[MIXED] in {0.0, 1.0} else (0, 1)
    alts = random.binomial(depth, share)
    cells = []
    for one in range(PEOPLE):
        gt = f"{own[0, one]}/{own[1, one]}"
        if haploid is not None and haploid[one]:
            gt = str(own[0, one])
        if (missing is not None and missing[one]) or (one == BAD and number % 8 == 0):
            gt = "." if haploid is not None and haploid[one] else "./."
        cells.append(f"{gt}:{depth[one] - alts[one]},{alts[one]}:{depth[one]}:{min(99, 3 * depth[one])}")
    return "\t".join([contig, str(position), ".", ref, alt, ".", "PASS", ".", "GT:AD:DP:GQ", *cells])
