"""What can be accepted: each option makes a note of its defect, and the counts say what will be stored."""

from __future__ import annotations

import gzip

import pytest

from ngc_workbench.errors import IntegrityError
from ngc_workbench.genomes.bgzf import blocks
from ngc_workbench.genomes.preflight import ACCEPTABLE, DefectsFound, check_files, write_kept
from ngc_workbench.genomes.preflight.kinds import KINDS
from ngc_workbench.genomes.store import quiet
from tests.genomes.cohorts import HEADER, RECORDS, vcf_text

FIRST, SECOND, THIRD = RECORDS
OTHER_CONTIG = FIRST.replace("chr1", "HLA-A")
IUPAC = FIRST.replace("\tA\tC", "\tR\tC").replace("1000", "1500")
NO_GT = "chr1\t1600\t.\tA\tC\t.\t.\t.\tDP\t1\t2\t3\t4"
HALF = THIRD.replace("0/1", "./1")
WRONG_DP = HEADER.replace("ID=DP,Number=1,Type=Integer", "ID=DP,Number=1,Type=Float")

CASES = {
    # option: records, header, kept records, contigs, in order, to be rewritten
    "unknown-contigs": ((FIRST, OTHER_CONTIG, THIRD), HEADER, (0, 2), True, True),
    "iupac-reference": ((FIRST, IUPAC, SECOND), HEADER, (0, 2), True, True),
    "no-genotypes": ((FIRST, NO_GT, SECOND), HEADER, (0, 2), True, True),
    "half-calls": ((FIRST, HALF), HEADER, (0, 1), True, False),
    "unsorted": ((SECOND, FIRST, THIRD), HEADER, (0, 1, 2), False, False),
    "duplicate-records": ((FIRST, FIRST, THIRD, THIRD), HEADER, (0, 2), True, True),
    "undeclared-fields": ((FIRST, SECOND), WRONG_DP, (0, 1), True, False),
    "plain-gzip": ((FIRST, SECOND), HEADER, (0, 1), True, True),
    "crlf": ((FIRST, SECOND), HEADER, (0, 1), True, True),
}


def test_every_option_has_a_case_and_a_kind():
    """And no kind names an option that does not exist."""
    assert set(CASES) == set(ACCEPTABLE) == {kind.accept for kind in KINDS.values() if kind.accept}


def written(path, option, write_vcf):
    records, header = CASES[option][:2]
    text = vcf_text(records=records, header=header)
    if option == "crlf":
        text = text.replace("\n", "\r\n")
    file = write_vcf("x.vcf.gz", text)
    if option == "plain-gzip":
        file.write_bytes(gzip.compress(text.encode()))
    return file


@pytest.mark.parametrize("option", CASES)
def test_a_defect_that_is_accepted_is_a_note(write_vcf, tmp_path, option):
    """Refused without the option, with its name in the remedy; with it, counted; a rewritten copy has what is kept."""
    records, _, places, in_order, rewrite = CASES[option]
    path = written(tmp_path, option, write_vcf)
    with pytest.raises(DefectsFound) as caught:
        check_files([path], progress=quiet).or_refuse()
    assert option in caught.value.remedy
    checked = check_files([path], accept=(option,), progress=quiet).or_refuse()
    notes = {finding.severity for finding in checked.findings if finding.accept == option}
    assert notes == {"note"}
    file = checked.files[0]
    assert (file.records, file.kept, sum(file.contigs.values())) == (len(records), len(places), len(places))
    assert (file.sorted, file.rewrite) == (in_order, rewrite)
    copy = tmp_path / "copy.vcf.gz"
    write_kept(file, copy, accept=(option,))
    with copy.open("rb") as packed:
        lines = b"".join(text for _, text in blocks(packed, list)).decode().split("\n")
    assert [line for line in lines if line and line[0] != "#"] == [records[place] for place in places]
    assert [line for line in lines if line.startswith("#")] == vcf_text(records=(), header=CASES[option][1]).split(
        "\n"
    )[:-1]


def test_a_field_that_is_dropped_is_not_among_those_to_keep(write_vcf):
    """DP declared as a Float stays out; without a declaration at all too."""
    for header in (WRONG_DP, HEADER.replace("ID=DP", "ID=DX")):
        checked = check_files([write_vcf(header=header)], accept=("undeclared-fields",), progress=quiet).or_refuse()
        assert checked.files[0].entry_fields == ("GT", "AD", "GQ")


def test_duplicates_far_apart_are_left_out_of_a_file_out_of_order(write_vcf, tmp_path):
    """The first of each is kept; counts agree with what is written."""
    again = FIRST.replace("0/1", "0/0")
    path = write_vcf(records=(FIRST, SECOND, again, THIRD, SECOND, FIRST))
    accept = ("unsorted", "duplicate-records")
    file = check_files([path], accept=accept, progress=quiet).or_refuse().files[0]
    assert (file.records, file.kept, file.contigs) == (6, 3, {"chr1": 2, "chr22": 1})
    write_kept(file, tmp_path / "copy.vcf.gz", accept=accept)
    copy = check_files([tmp_path / "copy.vcf.gz"], progress=quiet).or_refuse().files[0]
    assert (copy.records, copy.contigs, copy.rewrite) == (3, file.contigs, False)


def test_a_file_that_changed_after_the_check_is_not_rewritten(write_vcf, tmp_path):
    """No copy is left."""
    path = write_vcf()
    file = check_files([path], progress=quiet).or_refuse().files[0]
    path.write_text(vcf_text(records=(FIRST,)))
    with pytest.raises(IntegrityError):
        write_kept(file, tmp_path / "copy.vcf.gz", accept=())
    assert not (tmp_path / "copy.vcf.gz").exists()


@pytest.mark.parametrize(
    ("format_", "values", "whole"),
    [
        ("GT:AD", "0/1:3,4\t0/0:9,0\t./.\t0/0:.", True),
        ("GT:AD", "0/1:3,4\t0/0:9,.\t./.\t0/0", False),
        ("GT:AD", "0/1:.,.\t0/0:9,0\t./.\t0/0", False),
        ("GT:PL", "0/1:3,.,4\t0/0:0,3,4\t./.\t0/0", True),  # is not stored
        ("GT", "0/1\t0/0\t./.\t0/0", True),
    ],
)
def test_arrays_with_gaps_are_noticed(write_vcf, format_, values, whole):
    """Hail reads arrays faster when it is told that none has a gap, and stops at one that has: it must be known."""
    header = HEADER + '##FORMAT=<ID=PL,Number=G,Type=Integer,Description="x">\n'
    gap = f"chr1\t1500\t.\tA\tC\t.\t.\t.\t{format_}\t{values}"
    checked = check_files(
        [write_vcf("a.vcf.gz", vcf_text(records=[FIRST, gap, SECOND], header=header))], progress=quiet
    )
    assert checked.or_refuse().files[0].whole_arrays is whole
