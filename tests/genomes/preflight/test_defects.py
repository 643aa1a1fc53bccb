"""Every defect of one file has its kind, its place and its words; and one never hides another."""

from __future__ import annotations

import gzip

import pytest

from ngc_workbench.errors import InputError
from ngc_workbench.genomes.bgzf import EOF_MARKER, BgzfWriter
from ngc_workbench.genomes.preflight import DefectsFound, check_files
from ngc_workbench.genomes.preflight.kinds import KINDS
from ngc_workbench.genomes.store import quiet
from tests.genomes.cohorts import HEADER, NAMES, RECORDS, vcf_text

FIRST, SECOND, THIRD = RECORDS
CPR = "610270-1234"
LINE = HEADER.count("\n") + 2
"""Number of the first record's line."""
PL_HEADER = HEADER + '##FORMAT=<ID=PL,Number=G,Type=Integer,Description="x">\n'
OTHER_HEADER = HEADER + '##FORMAT=<ID=XX,Number=2,Type=Integer,Description="x">\n'
GVCF_HEADER = HEADER + '##INFO=<ID=END,Number=1,Type=Integer,Description="x">\n'
BLOCK = "chr1\t1000\t.\tA\t<NON_REF>\t.\t.\tEND=1010\tGT:DP:GQ\t0/0:9:90"


def swap(record: str, column: int, value: str) -> str:
    fields = record.split("\t")
    fields[column] = value
    return "\t".join(fields)


def one(record: str, header: str = HEADER) -> str:
    return vcf_text(records=(record,), header=header)


def declare(old: str, new: str) -> str:
    assert old in HEADER
    return vcf_text(header=HEADER.replace(old, new))


def gvcf(*records: str, names=("ANNA1",)) -> str:
    return vcf_text(records=records, header=GVCF_HEADER, names=names)


def on_x(call: str) -> str:
    return f"chrX\t5000000\t.\tA\tC\t.\t.\t.\tGT\t{call}\t1/1\t0\t."


AT = f"line {LINE}"
NEXT = f"line {LINE + 1}"
"""The first record's, below a header with one more line."""
DEFECTS = {
    # name: content, kind, place, words
    "empty": ("", "empty", "", "it is empty"),
    "not a VCF": ("hello\n", "no-fileformat", "line 1", "##fileformat"),
    "no ##fileformat": (vcf_text().split("\n", 1)[1], "no-fileformat", "line 1", "##fileformat"),
    "byte order mark": ("\ufeff" + vcf_text(), "byte-order-mark", "line 1", "byte order mark"),
    "header alone": (HEADER, "no-header-line", "line 7", "no #CHROM line"),
    "no #CHROM line": (HEADER + FIRST + "\n", "no-header-line", "line 8", "no #CHROM line before"),
    "no records": (vcf_text(records=()), "no-records", "", "no records"),
    "no samples": (vcf_text(names=(), records=()), "no-samples", "line 8", "holds no samples"),
    "sites alone": (HEADER + "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n", "no-samples", "line 8", "no samples"),
    "spaces in #CHROM": (vcf_text().replace("#CHROM\tPOS", "#CHROM POS"), "header-line", "line 8", "lacks a fixed"),
    "a single #": ("##fileformat=VCFv4.2\n#hello\n" + vcf_text()[21:], "header-line", "line 2", "single #"),
    "second #CHROM line": (vcf_text(records=(FIRST, vcf_text().split("\n")[7], SECOND)), "header-line-twice", f"line {LINE + 1}", "second #CHROM"),
    "header among records": (vcf_text(records=(FIRST, "##x=y", SECOND)), "header-line-twice", f"line {LINE + 1}", "header line stands"),
    "header not UTF-8": (vcf_text().encode().replace(b"Depth", b"D\xe9pth"), "not-utf8", "line 6", "not UTF-8"),
    "FORMAT without ID": (declare("<ID=DP,Number", "<Number"), "meta-malformed", "line 6", "##FORMAT line is malformed"),
    "FORMAT without brackets": (declare("<ID=DP,Number=1", "ID=DP,Number=1"), "meta-malformed", "line 6", "malformed"),
    "FORMAT without Number": (declare("ID=DP,Number=1", "ID=DP"), "meta-malformed", "line 6", "'DP' has no valid Number"),
    "FORMAT of no type": (declare('Number=1,Type=Integer,Description="Depth"', "Number=1,Type=Whole"), "meta-malformed", "line 6", "no valid Number and Type"),
    "AD with Number 1": (declare("ID=AD,Number=R", "ID=AD,Number=1"), "field-declared", "line 5", "AD is declared with Number=1"),
    "DP a Float": (declare("ID=DP,Number=1,Type=Integer", "ID=DP,Number=1,Type=Float"), "field-declared", "line 6", "Type=Float, not"),
    "GT an Integer": (declare("Type=String", "Type=Integer"), "gt-declared", "", "GT is declared"),
    "GT not declared": (declare("ID=GT", "ID=GX"), "gt-undeclared", "", "declares no FORMAT field GT"),
    "declared twice": (vcf_text(header=HEADER + '##FORMAT=<ID=DP,Number=2,Type=Integer,Description="x">\n'), "declared-twice", "line 8", "declared twice"),
    "same name twice": (vcf_text(names=("A1", "B2", "A1", "C3")), "sample-twice", "line 8", "sample columns 1 and 3 have"),
    "nameless sample": (vcf_text(names=("A1", " ", "B2", "C3")), "sample-empty", "line 8", "sample column 2 has no name"),
    "CPR as a name": (vcf_text(names=("A1", CPR, "B2", "C3")), "sample-cpr", "line 8", "sample column 2 looks like"),
    "CPR within a name": (vcf_text(names=("A1", "S6102701234x", "B2", "C3")), "sample-cpr", "line 8", "looks like a CPR"),
    "CPR in the header": (vcf_text(header=HEADER + f"##cmd=a {CPR}\n"), "cpr-in-header", "line 8", "looks like a CPR"),
    "CPR in ID": (one(swap(FIRST, 2, CPR)), "cpr-in-id", AT, "column ID"),
    "CRLF": (vcf_text().replace("\n", "\r\n"), "crlf", "line 1", "CR LF"),
    "CRLF in records": (one(FIRST + "\r"), "crlf", AT, "CR LF"),
    "CRLF in a short record": (one("chr1\t1\r"), "crlf", AT, "CR LF"),
    "no last line end": (vcf_text()[:-1], "no-last-newline", f"line {LINE + 2}", "no end"),
    "empty line": (vcf_text(records=(FIRST, "", SECOND)), "blank-line", f"line {LINE + 1}", "line is empty"),
    "empty line in the header": ("##fileformat=VCFv4.2\n\n" + vcf_text()[21:], "blank-line", "line 2", "line is empty"),
    "a genotype too few": (one(FIRST.rsplit("\t", 1)[0]), "columns-few", AT, "3 genotypes for 4 samples"),
    "a genotype too many": (one(FIRST + "\t0/0"), "columns-many", AT, "5 genotypes for 4 samples"),
    "a genotype too many, GT alone": (one(THIRD + "\t0/0"), "columns-many", AT, "5 genotypes for 4 samples"),
    "cut in a record": (vcf_text()[:-10], "columns-few", f"line {LINE + 2}", "2 genotypes for 4 samples"),
    "no FORMAT column": (one("chr1\t1000\t.\tA\tC\t.\t.\t."), "columns-few", AT, "8 columns of 13"),
    "spaces for tabs": (one(FIRST.replace("\t", " ")), "spaces", AT, "parted by spaces"),
    "unknown contig": (one(swap(FIRST, 0, "HLA-A")), "contig-unknown", AT, "contig 'HLA-A' is not a chromosome of GRCh38"),
    "a CPR number for a contig": (one(swap(FIRST, 0, CPR)), "contig-unknown", AT, "not shown"),
    "position 0": (one(swap(FIRST, 1, "0")), "position", AT, "position '0' is not"),
    "position a word": (one(swap(FIRST, 1, "x")), "position", AT, "position 'x'"),
    "position beyond 32 bits": (one(swap(FIRST, 1, "4294968296")), "position-beyond", AT, "is not on chromosome"),
    "position past the end": (one(swap(FIRST, 1, "248956423")), "position-beyond", AT, "which has 248956422"),
    "unsorted": (vcf_text(records=(SECOND, FIRST)), "unsorted", f"line {LINE + 1}", "position 1000 comes after 2000"),
    "contig again": (vcf_text(records=(FIRST, THIRD, SECOND)), "contig-again", f"line {LINE + 2}", "'chr1' comes again"),
    "duplicate": (vcf_text(records=(FIRST, SECOND, SECOND)), "duplicate", f"line {LINE + 2}", "stands twice"),
    "duplicate far away": (vcf_text(records=(FIRST, SECOND, FIRST)), "duplicate", f"line {LINE + 2}", "stands twice"),
    "contig length of the other build": (
        vcf_text(header=HEADER + "##contig=<ID=chr2,length=243199373>\n", records=(FIRST, swap(FIRST, 0, "chr2"))),
        "contig-lengths", "", "'chr2' a length of 243199373; in GRCh38 it has 242193529",
    ),
    "names of both styles": (vcf_text(records=(FIRST, swap(THIRD, 0, "22"))), "mixed-styles", "", "some without"),
    "names of the other style": (one(swap(FIRST, 0, "1")), "contig-names", "", "are renamed"),
    "IUPAC in REF": (one(swap(FIRST, 3, "R")), "ref-iupac", AT, "IUPAC"),
    "REF a word": (one(swap(FIRST, 3, "<X>")), "ref-malformed", AT, "REF holds"),
    "N in REF": (one(swap(FIRST, 3, "N")), "ref-unknown", AT, "REF holds N"),
    "malformed ALT": (one(swap(FIRST, 4, "C;T")), "alt-malformed", AT, "ALT allele is malformed"),
    "ALT with an empty allele": (one(swap(SECOND, 4, "T,")), "alt-malformed", AT, "malformed"),
    "ALT with a dot": (one(swap(SECOND, 4, "T,.")), "alt-malformed", AT, "malformed"),
    "ALT like REF": (one(swap(FIRST, 4, "a")), "alt-reference", AT, "same as REF"),
    "ALT twice": (one(swap(SECOND, 4, "T,t")), "alt-twice", AT, "stands twice"),
    "no ALT": (one("chr1\t1\t.\tA\t.\t.\t.\t.\tGT\t0/0\t0/0\t0/0\t./."), "alt-none", AT, "no alternative"),
    "star": (one(swap(FIRST, 4, "*")), "alt-star", AT, "star"),
    "<DEL>": (one(swap(FIRST, 4, "<DEL>")), "alt-symbolic", AT, "symbolic"),
    "breakend": (one(swap(FIRST, 4, "A[chr2:321682[")), "alt-symbolic", AT, "breakend"),
    "QUAL a word": (one(swap(FIRST, 5, "high")), "qual", AT, "QUAL"),
    "QUAL NaN": (one(swap(FIRST, 5, "NaN")), "qual", AT, "QUAL"),
    "QUAL inf": (one(swap(FIRST, 5, "inf")), "qual", AT, "QUAL"),
    "QUAL negative": (one(swap(FIRST, 5, "-3")), "qual", AT, "QUAL"),
    "FILTER not declared": (one(swap(FIRST, 6, "q10")), "filter-undeclared", AT, "FILTER 'q10'"),
    "INFO not declared": (one(swap(FIRST, 7, "ZZ=3")), "info-undeclared", AT, "INFO field 'ZZ'"),
    "DP not declared": (declare("ID=DP", "ID=DX"), "format-undeclared", AT, "FORMAT uses 'DP'"),
    "another field not declared": (one(THIRD.replace("GT", "GT:ZZ")), "format-other-undeclared", AT, "uses 'ZZ'"),
    "FORMAT with an empty field": (one(FIRST.replace("GT:AD", "GT:")), "format-malformed", AT, "empty field"),
    "FORMAT with a field twice": (one(FIRST.replace("DP:GQ", "DP:DP")), "format-twice", AT, "a field twice"),
    "GT not first": (one(FIRST.replace("GT:AD:DP:GQ", "DP:AD:GT:GQ")), "gt-not-first", AT, "does not begin with GT"),
    "no GT": (one(FIRST.replace("GT:AD:DP:GQ", "DP:AD")), "no-gt", AT, "FORMAT has no GT"),
    "allele beyond ALT": (one(swap(FIRST, 10, "0/2:4,5:9:80")), "gt-beyond", AT, "column 2: the genotype names allele 2, but there are 1"),
    "allele beyond ALT, GT alone": (one(swap(THIRD, 12, "0/3")), "gt-beyond", AT, "column 4: the genotype names allele 3"),
    "allele of no ALT": (one("chr1\t1\t.\tA\t.\t.\t.\t.\tGT\t0/0\t0/1\t0/0\t./."), "gt-beyond", AT, "names allele 1, but there are 0"),
    "triploid": (one(swap(THIRD, 9, "0/0/1")), "gt-ploidy", AT, "column 1: the genotype has 3 alleles"),
    "triploid on X": (one(on_x("0/0/1")), "gt-ploidy", AT, "has 3 alleles"),
    "haploid on an autosome": (one(swap(THIRD, 9, "0")), "gt-haploid", AT, "column 1: the genotype has one allele"),
    "half call": (one(swap(THIRD, 9, "./1")), "gt-half", AT, "one allele of the genotype is unknown"),
    "half call, phased": (one(swap(THIRD, 9, "1|.")), "gt-half", AT, "one allele of the genotype is unknown"),
    "genotype a word": (one(swap(THIRD, 9, "A/C")), "gt-malformed", AT, "genotype is malformed"),
    "genotype with an odd mark": (one(swap(THIRD, 9, "0-1")), "gt-malformed", AT, "genotype is malformed"),
    "genotype with a leading zero": (one(swap(THIRD, 9, "00/1")), "gt-malformed", AT, "genotype is malformed"),
    "genotype empty": (one(swap(THIRD, 9, "")), "gt-malformed", AT, "genotype is malformed"),
    "AD too short": (one(swap(FIRST, 10, "0/1:4:9:80")), "value-length", AT, "column 2: 'AD' has 1 values where 2 belong"),
    "AD too long": (one(swap(FIRST, 10, "0/1:4,5,6:9:80")), "value-length", AT, "'AD' has 3 values where 2 belong"),
    "AD too short for two ALT": (one(swap(SECOND, 10, "0/1:4,5:9:80")), "value-length", AT, "'AD' has 2 values where 3 belong"),
    "DP two values": (one(swap(FIRST, 10, "0/1:4,5:9,9:80")), "value-length", AT, "'DP' has 2 values where 1 belong"),
    "PL too short": (one(THIRD.replace("GT", "GT:PL").replace("0/1", "0/1:1,2"), PL_HEADER), "value-length", NEXT, "'PL' has 2 values where 3 belong"),
    "PL of a diploid on X": (one(on_x("0/1:1,2").replace("GT", "GT:PL"), PL_HEADER), "value-length", NEXT, "'PL' has 2 values where 3 belong"),
    "PL of a haploid on X": (one(on_x("1:1,2,3").replace("GT", "GT:PL"), PL_HEADER), "value-length", NEXT, "'PL' has 3 values where 2 belong"),
    "number of 2^31": (one(swap(FIRST, 10, "0/1:4,5:2147483648:80")), "value-range", AT, "'DP' is out of the range"),
    "number of many digits": (one(swap(FIRST, 10, "0/1:4,5:9:99999999999999999999999")), "value-range", AT, "'GQ' is out"),
    "decimal": (one(swap(FIRST, 10, "0/1:4,5:9.5:80")), "value-decimal", AT, "'DP' is not a whole number"),
    "negative": (one(swap(FIRST, 10, "0/1:4,-5:9:80")), "value-negative", AT, "'AD' is negative"),
    "number a word": (one(swap(FIRST, 10, "0/1:4,5:x:80")), "value-malformed", AT, "'DP' is not a whole number"),
    "number empty": (one(swap(FIRST, 10, "0/1:4,5::80")), "value-malformed", AT, "'DP' is not a whole number"),
    "values too many": (one(swap(FIRST, 10, "0/1:4,5:9:80:1")), "values-many", AT, "column 2: there are more values than the 4"),
    "another field's length": (one(THIRD.replace("GT", "GT:XX").replace("0/1", "0/1:1"), OTHER_HEADER), "other-field", NEXT, "'XX' has 1 values where 2"),
    "gVCF of two": (gvcf(BLOCK + "\t0/0:9:90", names=("A1", "B2")), "gvcf-samples", "", "gVCF of 2 samples"),
    "gVCF block without END": (gvcf(swap(BLOCK, 7, ".")), "end-missing", NEXT, "has no END"),
    "END before POS": (gvcf(swap(BLOCK, 7, "END=999")), "end-before", NEXT, "END is not a position"),
    "END a word": (gvcf(swap(BLOCK, 7, "END=x")), "end-before", NEXT, "END is not a position"),
    "END past the chromosome": (gvcf(swap(BLOCK, 7, "END=248956423")), "end-beyond", NEXT, "past the chromosome"),
    "gVCF record without <NON_REF>": (gvcf(BLOCK, "chr1\t1011\t.\tA\tC\t.\t.\t.\tGT\t0/1"), "no-non-ref", f"line {LINE + 2}", "lacks the alternative"),
}  # fmt: skip


def check(path, **more):
    return check_files([path], progress=quiet, **more)


@pytest.mark.parametrize("defect", DEFECTS)
@pytest.mark.parametrize("name", ["small.vcf", "small.vcf.gz"])
def test_each_defect_is_told_with_kind_file_and_place(write_vcf, defect, name):
    """In plain text and in BGZF; the message names the file, never its folder nor a person, and says what to do."""
    content, kind, where, words = DEFECTS[defect]
    path = write_vcf(name, content)
    checked = check(path)
    found = [finding for finding in checked.findings if finding.kind == kind]
    assert len(found) == 1, [finding.told() for finding in checked.findings]
    assert (found[0].file, found[0].where) == (name, where)
    assert words in found[0].text
    assert (found[0].severity, found[0].remedy) == (KINDS[kind].severity, KINDS[kind].remedy)
    assert found[0].remedy
    said = "\n".join(finding.told() for finding in checked.findings)
    assert str(path.parent) not in said
    assert not any(secret in said for secret in (*NAMES, "6102701234", CPR))
    if found[0].severity == "defect":
        with pytest.raises(DefectsFound) as caught:
            checked.or_refuse()
        assert found[0].told() in caught.value.what.split("\n")
        assert caught.value.remedy
    elif not any(finding.severity == "defect" for finding in checked.findings):
        assert checked.or_refuse() is checked


def test_every_kind_has_a_case():
    """Here or beside the tests of files, options and several files."""
    elsewhere = {
        "unreadable", "plain-gzip", "bgzf-name", "truncated", "damaged", "end-marker", "trailing-bytes", "line-too-long",
        "header-too-long", "more-not-counted", "file-twice", "kinds-mixed", "genomes-differ", "sample-in-two",
        "samples-differ", "samples-order", "regions-overlap", "fields-differ",
    }  # fmt: skip
    assert {case[1] for case in DEFECTS.values()} == set(KINDS) - elsewhere
    assert elsewhere < set(KINDS)


def test_a_sound_file_has_no_finding(write_vcf):
    """Nothing but the INFO field that the small header does not declare."""
    checked = check(write_vcf(records=(swap(FIRST, 7, "."), SECOND, THIRD)))
    assert checked.findings == ()
    assert (checked.files[0].records, checked.files[0].kept, checked.files[0].contigs) == (
        3,
        3,
        {"chr1": 2, "chr22": 1},
    )


@pytest.mark.parametrize(
    "record",
    [
        on_x("0/1"),
        on_x("1"),
        swap(on_x("1"), 0, "chrM").replace("5000000", "5"),
        swap(THIRD, 9, "."),
        swap(FIRST, 10, "0/1:4,.:.:2147483647"),
        swap(FIRST, 10, "0|1:."),
        swap(FIRST, 5, "1.5e+02"),
        "chr1\t10\t.\tA\t" + ",".join("A" * n for n in range(2, 12)) + "\t.\t.\t.\tGT\t0/10\t1/9\t./.\t0/0",
    ],
)
def test_what_is_unusual_but_sound_passes(write_vcf, record):
    """Haploid calls outside autosomes, lone dots, values left out at the end, the largest whole number, ten alleles."""
    checked = check(write_vcf(records=(record,)))
    assert [finding.told() for finding in checked.findings if finding.severity == "defect"] == []
    assert checked.files[0].kept == 1


def test_a_contig_goes_on_after_a_record_on_no_chromosome(write_vcf):
    """The stray record is told; the chromosome around it is not called out of order."""
    checked = check(write_vcf(records=(FIRST, swap(FIRST, 0, "HLA-A"), SECOND)))
    assert [finding.kind for finding in checked.findings if finding.severity == "defect"] == ["contig-unknown"]
    assert checked.files[0].sorted


def test_an_array_too_large_for_an_automaton_is_counted_all_the_same(write_vcf):
    """PL of 60 alternatives has 1,891 values."""
    record = "chr1\t10\t.\tA\t" + ",".join("A" * n for n in range(2, 62)) + "\t.\t.\t.\tGT:PL\t0/60:{}\t./.\t./.\t./."
    right = check(write_vcf(records=(record.format(",".join("7" * 1891)),), header=PL_HEADER))
    assert right.findings == ()
    wrong = check(write_vcf(records=(record.format(",".join("7" * 1890)),), header=PL_HEADER))
    assert [finding.text for finding in wrong.findings] == ["sample column 1: 'PL' has 1890 values where 1891 belong"]


def test_all_defects_of_a_file_are_told_at_once(write_vcf):
    """In the header, in three records, and twice the same: counted, with the later places."""
    records = (
        swap(swap(FIRST, 3, "R"), 10, "0/2:4:9.5:3000000000"),
        swap(SECOND, 1, "500"),
        swap(swap(THIRD, 5, "x"), 9, "0/0/7"),
        swap(swap(THIRD, 1, "4000"), 10, "0/9"),
    )
    checked = check(write_vcf("a.vcf", vcf_text(records=records, names=("A", "A", "B", "B"), header="x\n" + HEADER)))
    assert [finding.kind for finding in checked.findings] == ["no-fileformat"]
    checked = check(write_vcf("a.vcf", vcf_text(records=records, names=("A", "A", "B", "B"))))
    kinds = [finding.kind for finding in checked.findings if finding.severity == "defect"]
    assert sorted(kinds) == sorted(
        ["sample-twice"] * 2
        + ["ref-iupac", "gt-beyond", "value-length", "value-decimal", "value-range", "unsorted", "qual", "gt-ploidy"]
    )
    beyond = next(finding for finding in checked.findings if finding.kind == "gt-beyond")
    assert (beyond.where, beyond.also, beyond.count) == ("line 9", ("line 11", "line 12"), 3)
    assert "(3 such, also line 11, line 12)" in beyond.told()


def test_plain_gzip_is_told_with_the_defects_inside(tmp_path):
    """Whatever its name; where it is cut off or damaged too."""
    path = tmp_path / "x.vcf.bgz"
    whole = gzip.compress(vcf_text(records=(swap(FIRST, 3, "R"),)).encode())
    path.write_bytes(whole)
    assert {finding.kind for finding in check(path).findings} >= {"plain-gzip", "ref-iupac"}
    path.write_bytes(whole[:-4])
    assert {finding.kind for finding in check(path).findings} >= {"truncated"}
    path.write_bytes(whole + b"rubbish")
    assert {finding.kind for finding in check(path).findings} >= {"plain-gzip", "trailing-bytes"}


def big(tmp_path, monkeypatch):
    """A BGZF file of many small blocks with a defect in its first record."""
    monkeypatch.setattr("ngc_workbench.genomes.bgzf._MOST_IN_BLOCK", 100)
    path = tmp_path / "big.vcf.gz"
    with BgzfWriter(path) as file:
        file.write(
            vcf_text(records=(swap(FIRST, 3, "R"), *(swap(THIRD, 1, str(3000 + n)) for n in range(100)))).encode()
        )
    return path


def test_broken_blocks_are_told_with_their_byte(tmp_path, monkeypatch):
    """Cut in a block, cut between two, without the marker, with bytes behind it, with a byte flipped; and what is whole is checked."""
    path = big(tmp_path, monkeypatch)
    whole = path.read_bytes()
    middle = whole.index(b"\x1f\x8b\x08\x04", len(whole) // 2)
    flipped = bytearray(whole)
    flipped[middle + 30] ^= 0x55
    cases = {
        "truncated": (whole[: middle + 20], middle),
        "damaged": (bytes(flipped), middle),
        "trailing-bytes": (whole + b"rubbish", len(whole)),
        "end-marker": (whole[:middle], middle),
    }
    for kind, (content, at) in cases.items():
        path.write_bytes(content)
        found = {finding.kind: finding for finding in check(path).findings}
        assert found[kind].where == f"byte {at}", kind
        assert found["ref-iupac"].where == AT
    path.write_bytes(whole.removesuffix(EOF_MARKER))
    found = {finding.kind: finding for finding in check(path).findings}
    assert found["end-marker"].where == f"byte {len(whole) - len(EOF_MARKER)}"
    assert check(path).files[0].records == 101


def test_a_name_that_tells_another_compression_is_a_note(write_vcf, tmp_path):
    """The first bytes count."""
    packed = write_vcf("a.vcf.gz").rename(tmp_path / "a.vcf")
    plain = write_vcf("b.vcf").rename(tmp_path / "b.vcf.gz")
    for path, bgzf in ((packed, True), (plain, False)):
        checked = check(path)
        assert [finding.kind for finding in checked.findings if finding.where == ""] == ["bgzf-name"]
        assert checked.or_refuse().files[0].bgzf is bgzf


def test_a_file_that_cannot_be_read_is_a_finding(tmp_path, write_vcf):
    """The others are checked all the same; no traceback, no folder."""
    checked = check_files([tmp_path / "none.vcf", tmp_path, write_vcf()], progress=quiet)
    assert [(finding.kind, finding.file) for finding in checked.findings][:2] == [
        ("unreadable", "none.vcf"),
        ("unreadable", tmp_path.name),
    ]
    assert "No such file or directory" in checked.findings[0].text
    assert len(checked.files) == 1


def test_no_files_and_unknown_options_are_errors(write_vcf):
    """At once."""
    with pytest.raises(InputError, match="no files"):
        check_files([], progress=quiet)
    with pytest.raises(InputError, match="nothing called 'all'"):
        check(write_vcf(), accept=("all",))
