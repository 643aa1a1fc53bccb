"""What is measured of a release of gVCFs, against the same figures counted from their text."""

from __future__ import annotations

import gzip
import json
from collections import Counter

import pytest

from tests.genomes.quality.conftest import GVCFS

pytestmark = pytest.mark.docker

TRANSITIONS = {frozenset("AG"), frozenset("CT")}
BASES = set("ACGT")


@pytest.fixture(scope="module")
def records():
    """By person, a dictionary of cells a record: POS, END, REF, ALTs without <NON_REF>, and the entry's fields."""
    found = {}
    for path in GVCFS:
        with gzip.open(path, "rt") as file:
            lines = [line.rstrip("\n").split("\t") for line in file if not line.startswith("##")]
        name = lines[0][9]
        found[name] = []
        for cells in lines[1:]:
            entry = dict(zip(cells[8].split(":"), cells[9].split(":"), strict=True))
            info = dict(part.partition("=")[::2] for part in cells[7].split(";"))
            alts = [one for one in cells[4].split(",") if one != "<NON_REF>"]
            first = int(cells[1])
            found[name].append((first, int(info.get("END", first)), cells[3], alts, entry))
    return found


def _shortest(first, ref, alt):
    """The same change without the bases that both share, so that it is named alike in all files."""
    while len(ref) > 1 and len(alt) > 1 and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    return first, ref, alt


def _alleles(record):
    """The alternatives that a person has at a variant, one for each copy."""
    first, _, ref, alts, entry = record
    numbers = [int(text) for text in entry["GT"].replace("|", "/").split("/")]
    return [_shortest(first, ref, alts[number - 1]) for number in numbers if number]


def _figures(rows, copies):
    variants = [row for row in rows if row[3]]
    pairs = [(row, [int(text) for text in row[4]["GT"].replace("|", "/").split("/")]) for row in variants]
    changes = Counter(
        frozenset((ref, alt)) in TRANSITIONS
        for row in variants
        for _, ref, alt in _alleles(row)
        if ref in BASES and alt in BASES
    )
    shares = []
    for (_, _, ref, alts, entry), (one, two) in pairs:
        reads = [int(text) for text in entry["AD"].split(",")]
        if one == 0 < two and ref in BASES and alts[two - 1] in BASES and reads[0] + reads[two] >= 10:
            shares.append(reads[two] / (reads[0] + reads[two]))
    het = sum(one != two for _, (one, two) in pairs)
    hom = sum(one == two > 0 for _, (one, two) in pairs)
    bases = sum(last - first + 1 for first, last, *_ in rows)
    return {
        "het": het,
        "hom_alt": hom,
        "het_hom_ratio": het / hom,
        "ti_tv": changes[True] / changes[False],
        "singletons": sum(copies[allele] == 1 for row in variants for allele in _alleles(row)),
        "bases_gq20": sum(last - first + 1 for first, last, _, _, entry in rows if int(entry["GQ"]) >= 20),
        "mean_depth": sum((last - first + 1) * int(entry["DP"]) for first, last, _, _, entry in rows) / bases,
        "het_reads_calls": len(shares),
        "het_allele_balance": sum(shares) / len(shares),
        "het_uneven": sum(not 0.2 <= share <= 0.8 for share in shares) / len(shares),
    }


def test_figures_of_people_are_those_counted_from_the_gvcfs(blocks, records):
    """Three real people, all their figures; blocks count by their length."""
    copies = Counter(allele for rows in records.values() for row in rows if row[3] for allele in _alleles(row))
    assert sorted(blocks.names) == sorted(records)
    for name, rows in records.items():
        found = blocks.samples()[name]
        for figure, value in _figures(rows, copies).items():
            assert float(found[figure]) == pytest.approx(value, rel=1e-6), (figure, name)


def test_what_blocks_can_t_tell_says_why(blocks):
    """No call rate, sex, relatives or figures of variants; nothing is invented in their place."""
    missing = blocks.shown["not_determinable"]
    assert set(missing) == {
        "call_rate", "mean_gq", "inbreeding_f", "x_het", "x_f", "y_call_rate", "sex", "relatedness", "variants",
    }  # fmt: skip
    assert {row["call_rate"] for row in blocks.samples().values()} == {"NA"}
    assert blocks.shown["pairs"] is blocks.shown["variants"] is None
    assert blocks.shown["figures"] == {}  # of three people
    assert not any(one in json.dumps(blocks.shown) for one in [*blocks.ids, *blocks.names])
