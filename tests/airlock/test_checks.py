"""Tables of cases for the checks: what each rule finds, and what it leaves alone. Names never decide: `x` is the name of all."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle
import random
import zipfile

import pytest

from ngc_workbench.airlock.checks import CHECKS, Context, check_content, verdict
from ngc_workbench.airlock.checks import Subject as FileUnderCheck
from ngc_workbench.airlock.checks.frequencies import counts
from ngc_workbench.pseudonyms import Keyring, MasterKeys

CONTEXT = Context(people=frozenset({99, 2504}), small_count=5)


def rules(content: bytes | str, name: str = "x", context: Context = CONTEXT) -> dict[str, str]:
    """Rules found, with their severity."""
    raw = content.encode() if isinstance(content, str) else content
    return {finding.rule: finding.severity for finding in check_content(name, raw, context)}


def table(*rows: str) -> str:
    """A tab-separated table from rows written with blanks."""
    return "".join("\t".join(row.split()) + "\n" for row in rows)


def zipped() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("table.csv", "a,b\n1,2\n")
    return target.getvalue()


CLOSED = {
    "vcf": b"##fileformat=VCFv4.2\n#CHROM\tPOS\n",
    "vcf without its first line": b"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tHG1\n1\t2\t.\tA\tC\t.\t.\t.\tGT\t0/1\n",
    "bcf": b"BCF\x02\x02",
    "bed": b"l\x1b\x01\x00\x00",
    "pgen": b"l\x1b\x10\x00",
    "bgen": b"\x14\x00\x00\x00\x14\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00bgen",
    "bam": b"BAM\x01",
    "cram": b"CRAM\x03\x00",
    "gzip": gzip.compress(b"a,b\n1,2\n"),
    "bzip2": bz2.compress(b"a,b\n"),
    "xz": lzma.compress(b"a,b\n"),
    "zip or xlsx": zipped(),
    "pickle": pickle.dumps({"a": [1, 2]}),
    "pickle, old": pickle.dumps({"a": [1, 2]}, protocol=0),
    "npy": b"\x93NUMPY\x01\x00",
    "parquet": b"PAR1\x15\x04",
    "hdf5": b"\x89HDF\r\n\x1a\n",
    "sqlite": b"SQLite format 3\x00",
    "crypt4gh": b"crypt4gh\x01\x00\x00\x00",
    "pgp": b"-----BEGIN PGP MESSAGE-----\n\nhQEMA\n",
    "matrix table": json.dumps(
        {"name": "MatrixTable", "file_version": 1, "references_rel_path": "references", "components": {}}
    ).encode(),
    "pdf": b"%PDF-1.7\n",
    "noise": random.Random(1).randbytes(4000),
    "nul bytes": b"a,b\n1,\x00\n",
}


@pytest.mark.parametrize("content", CLOSED.values(), ids=CLOSED.keys())
@pytest.mark.parametrize("name", ["table.csv", "x"])
def test_a_closed_format_is_blocked_whatever_its_name(content: bytes, name: str) -> None:
    """Genotype formats, archives, pickles, encrypted and unknown binaries can't be reviewed, so they can't leave."""
    assert rules(content, name).get("kind.closed") == "block"


OPEN = {
    "csv": ("chrom,p\n1,0.5\n2,0.1\n", {}),
    "tsv": ("chrom\tp\n1\t0.5\n2\t0.1\n", {}),
    "semicolons, decimal commas": ("chrom;p\n1;0,5\n2;0,1\n", {}),
    "Danish in Latin-1": ("køn;gennemsnit\nmænd;1,5\nkvinder;2,5\n".encode("latin-1"), {}),
    "UTF-8 with mark": ("a,b\nx,0.5\n".encode("utf-8-sig"), {}),
    "UTF-16": ("a,b\nx,0.5\n".encode("utf-16"), {}),
    "prose": ("The effect was clear.\nIt held in both groups.\n", {}),
    "empty": ("", {"kind.empty": "info"}),
    "html": ("<!doctype html><p>hi", {"kind.unread": "warn"}),
    "svg": ('<svg xmlns="http://www.w3.org/2000/svg"></svg>', {"kind.unread": "warn"}),
    "json": ('{"p": 0.5}', {"kind.unread": "warn"}),
    "notebook": ('{"nbformat": 4, "cells": []}', {"kind.unread": "warn"}),
    "png": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\x00IEND\xaeB`\x82", {"kind.unread": "warn"}),
    "png with a tail": (
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\x00IEND\xaeB`\x82secret",
        {"kind.unread": "warn", "kind.trailing": "block"},
    ),
    "jpeg with a tail": (b"\xff\xd8\xff\xe0abc\xff\xd9secret", {"kind.unread": "warn", "kind.trailing": "block"}),
    "base64 in text": ("see: " + "QUJDREVGMTIzNDU2Nzg5" * 20 + "\n", {"kind.encoded": "block"}),
    "hexadecimal in text": ("see: " + "0a1b2c3d" * 40 + "\n", {"kind.encoded": "block"}),
    "a long allele": ("locus\tallele\n1:1000\t" + "ACGT" * 100 + "\n1:2000\tA\n", {}),
}


@pytest.mark.parametrize(("content", "found"), OPEN.values(), ids=OPEN.keys())
def test_text_passes_and_what_nothing_reads_goes_to_a_person(content: bytes | str, found: dict[str, str]) -> None:
    """Tables and text pass; unread kinds are for a person; hidden content is blocked."""
    assert rules(content) == found


CPR = {
    "with hyphen": ("name,x\na,610190-1234\nb,0\n", True),
    "without": ("name,x\na,6101901234\nb,0\n", True),
    "in prose": ("The patient 010190-1234 was seen.\n", True),
    "without the check digit, 1 January": ("name,x\na,0101654321\nb,0\n", True),
    "as a hospital writes it": ("name,x\na,010190 1234\nb,0\n", True),
    "behind a number and a comma": ("n,name\n50,0101901234\n60,0\n", True),
    "before a number": ("name,x\n0101901234,0.5\nb,0\n", True),
    "glued to letters": ("name,x\na,ID0101901234\nb,0\n", True),
    "in a position column, written as a date number with zero": ("position,p\n0101901234,0.5\n22000000,0.1\n", True),
    "a position column that is CPR numbers": ("position,p\n1101901234,0.5\n2202801234,0.1\n3003701234,0.1\n", True),
    "month 13": ("name,x\na,0113901234\nb,0\n", False),
    "day 32": ("name,x\na,3201901234\nb,0\n", False),
    "day 00": ("name,x\na,0001901234\nb,0\n", False),
    "eleven digits": ("name,x\na,01019012345\nb,0\n", False),
    "a p-value": ("locus,p\n1:1000,0.0101901234\n1:2000,1.0101901234e-05\n", False),
    "a decimal comma": ("x;p\na;0,0101901234\nb;1\n", False),
    "an rs number": ("rsid,p\nrs1012345678,0.1\nrs5,0.2\n", False),
    "a position": ("chrom,pos,p\n1,117000000,0.1\n10,101190123,0.2\n", False),
    "a zero-filled position of nine digits": ("chrom,pos,p\n1,011700000,0.1\n1,117000000,0.2\n", False),
    "a locus": ("locus,p\n1:101190123,0.1\n1:101190124,0.2\n", False),
    "a region": ("region,p\n1:101190-101194,0.1\n1:11-12,0.2\n", False),
    "a day in ISO form": ("day,p\n2024-01-01,0.5\n2024-01-02,0.2\n", False),
    "a telephone number": ("contact\nringes paa +45 12345678\nsee above\n", False),
}


@pytest.mark.parametrize(("content", "found"), CPR.values(), ids=CPR.keys())
def test_cpr_numbers_are_found_and_numbers_of_genomics_are_not(content: str, found: bool) -> None:
    """By date, without the check digit; not in p-values, ids of variants, positions."""
    assert ("identifier.cpr" in rules(content)) is found


def test_places_through_the_whole_genome_are_said_and_let_through() -> None:
    """A column of global positions holds numbers that read like CPR numbers: information, not a block."""
    drawn = random.Random(7)
    rows = [f"{drawn.randrange(1_000_000_000, 3_100_000_000)}\t{drawn.random()}" for _ in range(3000)]
    found = rules("global_position\tp\n" + "\n".join(rows) + "\n")
    assert found == {"identifier.position": "info"}


def test_pseudonyms_are_found_in_any_column_and_in_the_name() -> None:
    """A project's pseudonym in a cell, in prose, in lower case, or in the file's name blocks the file, and the place is told."""
    pseudonym = Keyring(MasterKeys.first(bytes(32))).pseudonymiser("heart").of("person-1")
    content = f"group,mean\nmen,1.5\nwomen,{pseudonym}\n".encode()
    (found,) = [finding for finding in check_content("x", content, CONTEXT) if finding.rule == "identifier.pseudonym"]
    assert (found.row, found.column, found.severity) == (3, "mean", "block")
    assert "identifier.pseudonym" in rules(f"Person {pseudonym.lower()} was an outlier.\n")
    assert "identifier.pseudonym" in rules(f"group\tmean\n{pseudonym.replace('-', '')}\t1\nb\t2\n")
    assert rules("a,b\nx,0.5\n", name=f"{pseudonym}.csv") == {"identifier.name": "block"}
    assert rules("a,b\nx,0.5\n", name="010190-1234.csv") == {"identifier.name": "block"}


NOT_PSEUDONYMS = [
    "0.123456789012345", "1.23456789012345e-05", "123456789012345", "ENSG00000139618", "ENST00000380152", "rs12345", "ACGTACGTACGTACG",
    "10000 20000 30000", "these three words", "12345-23456-34567",
]  # fmt: skip


@pytest.mark.parametrize("text", NOT_PSEUDONYMS)
def test_numbers_genes_and_words_are_no_pseudonyms(text: str) -> None:
    """Of every shape 200 neighbours are tried: one in 37 of them has a check character that agrees."""
    drawn = random.Random(text)
    lines = ["word"]
    lines += ["".join(drawn.choice("0123456789") if c.isdigit() else c for c in text) for _ in range(200)]
    assert "identifier.pseudonym" not in rules("\n".join(lines) + "\n")


def person_rows(count: int, column: str, unique: bool = True) -> str:
    return f"{column},age\n" + "".join(f"p{row if unique else row % 3},{row % 90}\n" for row in range(count))


PEOPLE = {
    "as many rows as people, with ids": (person_rows(99, "sample_id"), "block"),
    "as many rows as people, no ids": ("age,bmi\n" + "30,25.5\n" * 99, "block"),
    "ids of a part of the people": (person_rows(40, "IID"), "block"),
    "as many rows as in the other view": (person_rows(2504, "name"), "block"),
    "one row fewer, no ids": ("age,bmi\n" + "30,25.5\n" * 98, None),
    "a few named rows": (person_rows(5, "id"), None),
    "groups that repeat": (person_rows(60, "sample", unique=False), None),
    "as many variants as people": ("locus,p\n" + "".join(f"1:{row},0.5\n" for row in range(99)), "warn"),
    "variants with ids": ("rsid,pos,p\n" + "".join(f"rs{row},{row},0.5\n" for row in range(300)), None),
    "a column a person": (
        "rsid\t" + "\t".join(f"s{n}" for n in range(99)) + "\n" + ("rs1\t" + "\t".join(["0.1"] * 99) + "\n") * 3,
        "block",
    ),
    "genotypes": (table("rsid a b", "rs1 0/1 1/1", "rs2 0/0 0/1"), "block"),
    "phased genotypes": (table("rsid a b", "rs1 0|1 1|1", "rs2 ./. 0|1"), "block"),
}


@pytest.mark.parametrize(("content", "severity"), PEOPLE.values(), ids=PEOPLE.keys())
def test_rows_of_people_are_blocked(content: str, severity: str | None) -> None:
    """By ids, by their number, by genotypes; a table of variants of that length goes to a person."""
    found = {rule: grade for rule, grade in rules(content).items() if rule.startswith("person.")}
    assert set(found.values()) == ({severity} if severity else set())


COUNTS = {
    "n below": (table("group n mean", "a 4 0.5", "b 50 0.1"), "count.people"),
    "n at the threshold": (table("group n mean", "a 5 0.5", "b 50 0.1"), None),
    "a zero may stand": (table("group n mean", "a 0 0.5", "b 50 0.1"), None),
    "one": (table("group count mean", "a 1 0.5", "b 50 0.1"), "count.people"),
    "as a float": (table("group antal mean", "a 3.0 0.5", "b 50 0.1"), "count.people"),
    "no count": (table("group mean sd", "a 3.0 0.5", "b 2 0.1"), None),
    "counts of other things": (table("gene n_variants p", "a 3 0.5", "b 2 0.1"), None),
    "cases below": (table("rsid pos n_cases n_controls p", "rs1 10 4 100 0.5", "rs2 11 50 100 0.5"), "count.cases"),
    "no cases at all": (table("rsid pos N_CAS N_CON p", "rs1 10 0 100 0.5", "rs2 11 50 100 0.5"), "count.cases"),
    "controls below": (table("rsid pos cases controls p", "rs1 10 50 4 0.5", "rs2 11 50 100 0.5"), "count.cases"),
    "cases at the threshold": (table("rsid pos n_cases n_controls p", "rs1 10 5 5 0.5", "rs2 11 50 100 0.5"), None),
    "minor allele count below": (table("rsid pos MAC p", "rs1 10 4 0.5", "rs2 11 50 0.5"), "count.alleles"),
    "minor allele count at": (table("rsid pos MAC p", "rs1 10 5 0.5", "rs2 11 50 0.5"), None),
    "allele count in Hail's list": (table("locus AC p", "1:10 [4] 0.5", "1:11 [100,7] 0.5"), "count.alleles"),
    "allele count in a list, large": (table("locus AC p", "1:10 [40] 0.5", "1:11 [100,7] 0.5"), None),
    "imputed dosages": (table("locus sum_x p", "1:10 3.4 0.5", "1:11 100 0.5"), "count.alleles"),
    "a cross table": (table("smoker men women", "yes 3 50", "no 60 70"), "count.cross_table"),
    "a cross table of large numbers": (table("smoker men women", "yes 30 50", "no 60 70"), None),
    "in prose": ("We had n = 3 carriers.\nAll were well.\n", "count.in_text"),
    "in prose, lines of as many words": ("We saw n = 3 carriers\nAll were well and good\n", "count.in_text"),
    "in prose, enough": ("We had n = 5 carriers.\nAll were well (n=3.5).\n", None),
}


@pytest.mark.parametrize(("content", "rule"), COUNTS.values(), ids=COUNTS.keys())
def test_small_counts_are_found_on_their_side_of_the_threshold(content: str, rule: str | None) -> None:
    """1 to 4 is found, 0 and 5 are not; columns are known by name."""
    found = {name for name in rules(content) if name.startswith("count.")}
    assert found == ({rule} if rule else set())


def test_the_threshold_is_a_setting() -> None:
    """With a threshold of 10, nine is small."""
    ten = Context(people=frozenset(), small_count=10)
    assert rules(table("group n mean", "a 9 0.5", "b 50 0.1"), context=ten) == {"count.people": "block"}
    assert rules(table("group n mean", "a 10 0.5", "b 50 0.1"), context=ten) == {}


def test_many_small_counts_are_counted_not_listed() -> None:
    """Ten places are named, the rest is one line."""
    content = table("group n mean", *[f"g{row} 2 0.5" for row in range(500)]).encode()
    found = check_content("x", content, CONTEXT)
    assert len(found) == 11
    assert "490 more places" in found[-1].text.en
    assert "490 steder mere" in found[-1].text.da


FREQUENCIES = {
    "exact, four alleles of 5008": (table("locus AF p", f"1:10 {4 / 5008} 0.5", "1:11 0.5 0.5"), True),
    "exact, five alleles of 5008": (table("locus AF p", f"1:10 {5 / 5008} 0.5", "1:11 0.5 0.5"), False),
    "exact, the other allele": (table("locus AF p", f"1:10 {1 - 4 / 5008} 0.5", "1:11 0.5 0.5"), True),
    "rounded to three decimals": (table("locus AF p", "1:10 0.001 0.5", "1:11 0.5 0.5"), False),
    "rounded to four decimals": (table("locus AF p", "1:10 0.0004 0.5", "1:11 0.5 0.5"), True),
    "none at all": (table("locus AF p", "1:10 0.0 0.5", "1:11 1.0 0.5"), False),
    "with its own number": (table("locus n AF p", f"1:10 100 {3 / 200} 0.5", "1:11 100 0.5 0.5"), True),
    "with its own number, enough": (table("locus n AF p", f"1:10 100 {5 / 200} 0.5", "1:11 100 0.5 0.5"), False),
    "among cases": (
        table("locus n_cases n_controls af_cases p", f"1:10 60 900 {3 / 120} 0.5", "1:11 60 900 0.5 0.5"),
        True,
    ),
    "among cases, enough": (
        table("locus n_cases n_controls af_cases p", f"1:10 60 900 {6 / 120} 0.5", "1:11 60 900 0.5 0.5"),
        False,
    ),
    "GWAS-SSF": (
        table("chromosome base_pair_location effect_allele_frequency p_value", f"1 10 {2 / 5008} 0.5", "1 11 0.5 0.5"),
        True,
    ),
    "not a number": (table("locus AF p", "1:10 NA 0.5", "1:11 . 0.5"), False),
}


@pytest.mark.parametrize(("content", "found"), FREQUENCIES.values(), ids=FREQUENCIES.keys())
def test_a_frequency_that_gives_a_small_count_is_blocked(content: str, found: bool) -> None:
    """Exact enough to say 1 to 4 alleles is found; rounded enough to hide it is not."""
    assert ("frequency.small_count" in rules(content)) is found


def test_a_written_frequency_stands_for_a_span_of_counts() -> None:
    """0.0004 over 2,504 people: between 1.75 and 2.25 alleles."""
    span = counts("0.0004", 2504)
    assert span is not None
    assert span == pytest.approx((1.7528, 2.2536))
    assert counts("2", 10) is None
    assert counts("nan", 10) is None


def summary_statistics(style: str, rows: int = 5000) -> str:
    """Real columns of real programs, with random results over common variants; no disclosure in them."""
    drawn = random.Random(style)
    headers = {
        "hail": "locus\talleles\trsid\tn\tbeta\tstandard_error\tt_stat\tp_value",
        "plink": "#CHROM\tPOS\tID\tREF\tALT\tA1\tTEST\tOBS_CT\tBETA\tSE\tT_STAT\tP\tERRCODE",
        "regenie": "CHROM GENPOS ID ALLELE0 ALLELE1 A1FREQ N TEST BETA SE CHISQ LOG10P EXTRA",
        "ssf": "chromosome\tbase_pair_location\teffect_allele\tother_allele\tbeta\tstandard_error\teffect_allele_frequency\tp_value\tn\tn_cases\tn_controls",
    }
    lines = [headers[style]]
    for _ in range(rows):
        chrom, pos, rsid = drawn.randrange(1, 23), drawn.randrange(1, 249_000_000), drawn.randrange(1, 2_000_000_000)
        beta, se, p, z = drawn.gauss(0, 0.1), drawn.random() / 10, drawn.random() ** 4, drawn.gauss(0, 1)
        af = round(drawn.uniform(0.01, 0.99), 6)
        ref, alt = drawn.sample("ACGT", 2)
        lines.append(
            {
                "hail": f'{chrom}:{pos}\t["{ref}","{alt}"]\trs{rsid}\t2504\t{beta}\t{se}\t{z}\t{p}',
                "plink": f"{chrom}\t{pos}\trs{rsid}\t{ref}\t{alt}\t{alt}\tADD\t2504\t{beta:.6g}\t{se:.6g}\t{z:.6g}\t{p:.6g}\t.",
                "regenie": f"{chrom} {pos} {chrom}:{pos}:{ref}:{alt} {ref} {alt} {af} 2504 ADD {beta:.6g} {se:.6g} {z * z:.6g} {-1 * p:.6g} NA",
                "ssf": f"{chrom}\t{pos}\t{alt}\t{ref}\t{beta}\t{se}\t{af}\t{p}\t2504\t1200\t1304",
            }[style]
        )
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("style", ["hail", "plink", "regenie", "ssf"])
def test_summary_statistics_pass(style: str) -> None:
    """5,000 rows of association results in the columns of Hail, PLINK, regenie and GWAS-SSF raise nothing."""
    assert rules(summary_statistics(style)) == {}


def test_each_finding_speaks_danish_and_says_what_would_mend_it() -> None:
    """Every finding of every case above has text and remedy in both languages."""
    cases = [*CLOSED.values(), *(content for content, _ in OPEN.values()), *(content for content, _ in PEOPLE.values()),
             *(content for content, _ in COUNTS.values()), *(content for content, _ in FREQUENCIES.values()), *(content for content, _ in CPR.values())]  # fmt: skip
    for content in cases:
        for finding in check_content("x", content.encode() if isinstance(content, str) else content, CONTEXT):
            for text in (finding.text, finding.remedy):
                assert text.en
                assert text.da
                assert text.en != text.da


def test_a_check_that_fails_blocks_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that breaks a check does not get through by that."""

    def broken(_subject: object, _context: object) -> list:
        raise ValueError("broken")

    monkeypatch.setitem(CHECKS, "broken", broken)
    assert rules("a,b\nx,0.5\n") == {"check.failed": "block"}


def test_the_verdict_is_that_of_the_gravest_finding() -> None:
    """No finding or information: pass; a warning: review; a block: block."""
    assert verdict([]) == "pass"
    assert verdict([{"severity": "info"}]) == "pass"
    assert verdict([{"severity": "info"}, {"severity": "warn"}]) == "review"
    assert verdict([{"severity": "warn"}, {"severity": "block"}]) == "block"


HOSTILE = {
    "a quote that never ends": 'a,b\n"' + "x" * 300_000,
    "a very long line": "a,b\n" + "1," * 300_000,
    "nothing but delimiters": ",,,,\n" * 1000,
    "deep JSON": "[" * 100_000,
    "lone carriage returns": "a,b\r1,2\r3,4\r",
    "ragged": "a,b\n1\n1,2,3\n,\n1,2\n",
    "one line": "a,b",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_file_ends_in_a_verdict(content: str) -> None:
    """Whatever the shape, the checks end and say something or nothing."""
    check_content("x", content.encode(), CONTEXT)


def test_a_place_is_the_line_and_column_of_the_file() -> None:
    """Comments before the header and quoted cells don't shift it."""
    content = '## a note\ngroup,n,mean\n"a, b",3,0.5\nc,9,0.5\n'
    (finding,) = check_content("x", content.encode(), CONTEXT)
    assert (finding.row, finding.column) == (3, "n")
    read = FileUnderCheck("x", content.encode()).table
    assert read is not None
    assert read.header == ("group", "n", "mean")
