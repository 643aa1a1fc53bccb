"""What is measured of a release, against the same figures counted from the text of the VCF, and against a known truth."""

from __future__ import annotations

import gzip
import json
import math
from collections import Counter

import pytest

from tests.genomes.cohorts import GATK
from tests.genomes.quality import cohort

pytestmark = pytest.mark.docker

TRANSITIONS = {frozenset("AG"), frozenset("CT")}
BASES = set("ACGT")


@pytest.fixture(scope="module")
def records():
    """Of each record: REF, ALTs, and a list of (alleles or None, AD, DP, GQ) a person."""
    found = []
    for line in GATK.read_text().splitlines():
        if line.startswith("#"):
            continue
        cells = line.split("\t")
        keys = cells[8].split(":")
        people = []
        for cell in cells[9:]:
            one = dict(zip(keys, cell.split(":"), strict=False))
            gt = one["GT"].replace("|", "/").split("/")
            alleles = None if "." in gt else tuple(map(int, gt))
            ad = None if "." in one.get("AD", ".") else [int(text) for text in one["AD"].split(",")]
            people.append((alleles, ad, *(None if one.get(key, ".") == "." else int(one[key]) for key in ("DP", "GQ"))))
        found.append((cells[3], cells[4].split(","), people))
    return found


def _mean(values):
    values = [value for value in values if value is not None]
    return sum(values) / len(values) if values else None


def _person(records, at):
    """Figures of one person, from the text."""
    calls = [(ref, alts, people[at]) for ref, alts, people in records]
    gts = [call[2][0] for call in calls if call[2][0] is not None]
    het = sum(one != two for one, two in gts)
    hom = sum(one == two > 0 for one, two in gts)
    changes = Counter(
        frozenset((ref, alts[allele - 1])) in TRANSITIONS
        for ref, alts, (gt, *_) in calls
        if gt is not None
        for allele in ([gt[0]] if gt[0] == gt[1] else gt)
        # An asterisk stands for a deletion that lies over the base.
        if allele and ref in BASES and alts[allele - 1] in BASES
    )
    balance = [
        one[1][1] / sum(one[1])
        for ref, alts, one in calls
        if one[0] in {(0, 1), (1, 0)} and len(alts) == 1 and {ref, *alts} <= BASES and one[1] and sum(one[1]) >= 10
    ]
    return {
        "call_rate": len(gts) / len(records),
        "het": het,
        "hom_alt": hom,
        "het_hom_ratio": het / hom,
        "ti_tv": changes[True] / changes[False],
        "mean_depth": _mean([call[2][2] for call in calls if call[2][0] is not None]),
        "mean_gq": _mean([call[2][3] for call in calls if call[2][0] is not None]),
        "het_reads_calls": len(balance),
        "het_allele_balance": _mean(balance),
        "het_uneven": _mean([not 0.2 <= share <= 0.8 for share in balance]),
    }


def test_figures_of_people_are_those_counted_from_the_vcf(gatk, records):
    """All hundred people, to six digits."""
    rows = gatk.samples()
    for at, name in enumerate(gatk.names):
        for figure, value in _person(records, at).items():
            found = rows[name][figure]
            if value is None:
                assert found == "NA"
            else:
                assert float(found) == pytest.approx(value, rel=1e-6), (figure, name)


def test_inbreeding_is_counted_from_common_variants(lenient, records):
    """F = (observed - expected) / (calls - expected) homozygotes; plink2 writes six digits."""
    used = []
    for ref, alts, people in records:
        gts = [one[0] for one in people if one[0] is not None]
        p = sum(map(sum, gts)) / (2 * len(gts)) if gts and len(alts) == 1 else 0.0
        if {ref, *alts} <= BASES and len(gts) >= 95 and 0.05 <= p <= 0.95:
            used.append((1 - 2 * p * (1 - p), people))
    assert lenient.shown["used"]["common_variants"] == len(used) > 20
    for at, name in enumerate(lenient.names):
        mine = [(expected, people[at][0]) for expected, people in used if people[at][0] is not None]
        expected = sum(one for one, _ in mine)
        observed = sum(gt[0] == gt[1] for _, gt in mine)
        f = (observed - expected) / (len(mine) - expected)
        assert float(lenient.samples()[name]["inbreeding_f"]) == pytest.approx(f, rel=2e-5, abs=1e-6)


def _exact(hets, rare, total):
    """Hardy-Weinberg's exact p-value (Wigginton 2005): the odds of every number of heterozygotes, by logarithms."""

    def log_odds(het):
        one = (rare - het) // 2
        other = total - het - one
        return het * math.log(2) - sum(math.lgamma(count + 1) for count in (het, one, other))

    logs = {het: log_odds(het) for het in range(rare % 2, rare + 1, 2)}
    whole = sum(math.exp(value - max(logs.values())) for value in logs.values())
    odds = {het: math.exp(value - max(logs.values())) / whole for het, value in logs.items()}
    return sum(value for value in odds.values() if value <= odds[hets] * (1 + 1e-9))


def test_figures_of_variants_are_those_counted_from_the_vcf(gatk, records):
    """Call rate, counts, frequencies and p-values of all 735 rows, several alternatives included, in stored order."""
    header, *rows = gzip.decompress((gatk.folder / "variants.tsv.gz").read_bytes()).decode().splitlines()
    assert len(rows) == len(records) == 735
    for row, (ref, alts, people) in zip(rows, records, strict=True):
        cells = dict(zip(header.split("\t"), row.split("\t"), strict=True))
        gts = [one[0] for one in people if one[0] is not None]
        counts = [sum(gt.count(at) for gt in gts) for at in range(1, len(alts) + 1)]
        assert (cells["ref"], cells["alt"]) == (ref, ",".join(alts))
        assert float(cells["call_rate"]) == pytest.approx(len(gts) / 100, abs=1e-6)
        assert cells["allele_counts"] == ",".join(map(str, counts))
        assert int(cells["allele_number"]) == 2 * len(gts)
        assert ("low_call_rate" in cells["flags"]) == (len(gts) < 95)
        p_values = cells["hwe_p"].split(",")
        assert len(p_values) == len(alts)
        for at, text in enumerate(p_values, 1):
            copies = sum(gt.count(at) for gt in gts)
            expected = _exact(sum(gt.count(at) == 1 for gt in gts), min(copies, 2 * len(gts) - copies), len(gts))
            assert float(text) == pytest.approx(expected, rel=1e-4)


def test_what_can_t_be_determined_says_why(gatk):
    """One small stretch of chromosome 22: no sex, no relatives; and no row is invented for them."""
    missing = gatk.shown["not_determinable"]
    assert "chromosome X" in missing["sex"]
    assert missing["relatedness"].startswith(f"{gatk.shown['used']['common_variants']} common autosomal variants")
    assert missing["inbreeding_f"].endswith("it takes 1000")
    assert gatk.shown["pairs"] is None
    assert {row["inferred_sex"] for row in gatk.samples().values()} == {"NA"}


def test_relatives_are_found_and_nobody_else(known):
    """A duplicate, a parent and child, a half-sibling; the mixed sample's pairs, which it has with everybody, are unclear."""
    names = dict(zip(known.ids, known.names, strict=True))
    rows = [line.split("\t") for line in (known.folder / "relatedness.tsv").read_text().splitlines()[1:]]
    mixed = f"S{cohort.MIXED}"
    found = {(frozenset((names[one], names[two])), degree) for one, two, _, degree in rows}
    plain = {(pair, degree) for pair, degree in found if mixed not in pair}
    assert {degree for pair, degree in found if mixed in pair} == {"unclear"}
    assert known.shown["pairs"]["unclear"] == len(found) - len(plain) > 50
    assert plain == {
        (frozenset(("S0", f"S{cohort.TWIN}")), "duplicate"),
        (frozenset(("S1", f"S{cohort.CHILD}")), "first"),
        (frozenset(("S2", f"S{cohort.CHILD}")), "first"),
        (frozenset(("S1", f"S{cohort.HALF}")), "first"),
        (frozenset((f"S{cohort.CHILD}", f"S{cohort.HALF}")), "second"),
    }
    twin = next(float(row[2]) for row in rows if row[3] == "duplicate")
    assert twin == pytest.approx(0.5)


def test_a_mixed_and_a_bad_sample_are_flagged_and_nobody_else(known):
    """Contamination shows twice: too many heterozygous calls, and reads that don't come half and half."""
    flags = {name: set(row["flags"].split(",")) - {""} for name, row in known.samples().items()}
    assert {"het_excess", "allele_balance"} <= flags[f"S{cohort.MIXED}"]
    assert flags.pop(f"S{cohort.BAD}") == {"low_call_rate"}
    assert flags.pop("S0") == flags.pop(f"S{cohort.TWIN}") == {"duplicate"}
    assert flags.pop("S11") == {"sex_mismatch"}
    del flags[f"S{cohort.MIXED}"]
    assert {name: reasons for name, reasons in flags.items() if reasons} == {}


def test_sex_is_that_of_chromosomes_x_and_y(known):
    """Men's calls of one allele among them."""
    rows = known.samples()
    assert [rows[name]["inferred_sex"] for name in known.names] == cohort.sexes()
    assert float(rows["S1"]["y_call_rate"]) == 0
    assert float(rows["S0"]["x_het"]) == 0 < float(rows["S1"]["x_het"])


def test_x_and_y_are_counted_by_sex(known):
    """A man has one X, a woman no Y: allele numbers of variants follow."""
    men = cohort.sexes().count("male")
    numbers = {}
    for line in gzip.decompress((known.folder / "variants.tsv.gz").read_bytes()).decode().splitlines()[1:]:
        cells = line.split("\t")
        numbers.setdefault(cells[0], set()).add(int(cells[6]))
    assert max(numbers["chrX"]) == men + 2 * (cohort.PEOPLE - men)
    assert max(numbers["chrY"]) == men
    assert max(numbers["chr1"]) == 2 * cohort.PEOPLE


def test_what_goes_into_the_manifest_names_nobody_and_hides_small_counts(known):
    """Its counts of people below five are texts; the custodian's own summary has them exact."""
    text = json.dumps(known.shown)
    assert not any(one in text for one in known.ids)
    assert known.shown["flagged"]["duplicate"] == "<5"
    assert known.shown["pairs"]["second"] == "<5"
    exact = json.loads((known.folder / "summary.json").read_text())
    assert exact["flagged"]["duplicate"] == 2
    assert exact["thresholds"]["call_rate"]["value"] == 0.95


def test_the_folder_is_the_custodian_s_alone_and_holds_no_leftovers(known):
    """0700 and 0600; plink2's own files are gone."""
    assert known.folder.stat().st_mode & 0o777 == 0o700
    names = {path.name: path.stat().st_mode & 0o777 for path in known.folder.iterdir()}
    assert names == dict.fromkeys(("relatedness.tsv", "samples.tsv", "summary.json", "variants.tsv.gz"), 0o600)
    rows = (known.folder / "samples.tsv").read_text().splitlines()[1:]
    assert [row.split("\t")[0] for row in rows] == known.ids


def test_reads_of_a_mixed_sample_leave_a_half_on_both_sides(known):
    """Their mean stays there: it is the single calls that tell. Sex chromosomes don't count."""
    rows = known.samples()
    assert float(rows[f"S{cohort.MIXED}"]["het_allele_balance"]) == pytest.approx(0.5, abs=0.05)
    assert float(rows[f"S{cohort.MIXED}"]["het_uneven"]) > 0.1
    assert float(rows["S1"]["het_uneven"]) < 0.01
    assert int(rows["S1"]["het_reads_calls"]) == pytest.approx(int(rows["S1"]["het"]), rel=0.01)
    assert int(rows["S1"]["het_reads_calls"]) <= int(rows["S1"]["het"])
    assert 28 < known.shown["figures"]["mean_depth"]["median"] < 32
