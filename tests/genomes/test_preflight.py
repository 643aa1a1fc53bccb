"""The check of a VCF before Hail sees it: every defect has its message."""

from __future__ import annotations

import gzip

import pytest

from ngc_workbench.errors import InputError
from ngc_workbench.genomes.preflight import preflight
from ngc_workbench.genomes.store import quiet
from tests.genomes.cohorts import GATK, HEADER, KGP, NAMES, RECORDS, vcf_text


def swap(record: str, column: int, value: str) -> str:
    fields = record.split("\t")
    fields[column] = value
    return "\t".join(fields)


FIRST, SECOND = RECORDS[0], RECORDS[1]
NO_CONTIGS = "\n".join(line for line in HEADER.splitlines() if "contig" not in line) + "\n"
LINE = HEADER.count("\n") + 2
"""Number of the first record's line."""

DEFECTS = {
    "empty": ("", 0, "is empty"),
    "not a VCF": ("hello\n", 1, "##fileformat"),
    "byte order mark": ("\ufeff" + vcf_text(), 1, "##fileformat"),
    "header alone": (HEADER, 7, "no #CHROM line"),
    "no #CHROM line": (HEADER + FIRST + "\n", 8, "no #CHROM line"),
    "no records": (vcf_text(records=()), 0, "no records"),
    "no samples": (vcf_text(names=(), records=()), 8, "holds no samples"),
    "spaces for tabs in #CHROM": (vcf_text().replace("#CHROM\tPOS", "#CHROM POS"), 8, "lacks a fixed column"),
    "same name twice": (vcf_text(names=("A1", "B2", "A1", "C3")), 8, "sample columns 1 and 3 have the same name"),
    "nameless sample": (vcf_text(names=("A1", "", "B2", "C3")), 8, "has no name"),
    "CPR number as a name": (vcf_text(names=("A1", "610270-1234", "B2", "C3")), 8, "looks like a CPR number"),
    "CPR number within a name": (vcf_text(names=("A1", "S6102701234x", "B2", "C3")), 8, "looks like a CPR number"),
    "Windows line ends": (vcf_text().replace("\n", "\r\n"), 1, "CR LF"),
    "Windows line ends in records": (vcf_text(records=(FIRST + "\r",)), LINE, "CR LF"),
    "GT not declared": (vcf_text(header=HEADER.replace("ID=GT", "ID=GX")), 0, "declares no FORMAT field GT"),
    "DP used, not declared": (vcf_text(header=HEADER.replace("ID=DP", "ID=DX")), LINE, "FORMAT uses DP"),
    "GT not first": (vcf_text(records=(FIRST.replace("GT:AD:DP:GQ", "DP:AD:GT:GQ"),)), LINE, "does not begin with GT"),
    "empty line": (vcf_text(records=(FIRST, "", SECOND)), LINE + 1, "a line is empty"),
    "a genotype too few": (vcf_text(records=(FIRST.rsplit("\t", 1)[0],)), LINE, "3 genotypes for 4 samples"),
    "a genotype too many": (vcf_text(records=(FIRST + "\t0/0",)), LINE, "5 genotypes for 4 samples"),
    "cut in a record": (vcf_text()[:-10], LINE + 2, "2 genotypes for 4 samples"),
    "spaces for tabs": (vcf_text(records=(FIRST.replace("\t", " "),)), LINE, "1 columns"),
    "unknown contig": (vcf_text(records=(swap(FIRST, 0, "HLA-A"),)), LINE, "not a chromosome of GRCh38"),
    "position 0": (vcf_text(records=(swap(FIRST, 1, "0"),)), LINE, "position 0 is not on chromosome"),
    "position past the end": (vcf_text(records=(swap(FIRST, 1, "248956423"),)), LINE, "is not on chromosome"),
    "position no number": (vcf_text(records=(swap(FIRST, 1, "x"),)), LINE, "position x"),
    "IUPAC in REF": (vcf_text(records=(swap(FIRST, 3, "R"),)), LINE, "REF holds"),
    "malformed ALT": (vcf_text(records=(swap(FIRST, 4, "C;T"),)), LINE, "ALT allele is malformed"),
    "QUAL text": (vcf_text(records=(swap(FIRST, 5, "high"),)), LINE, "QUAL"),
    "allele beyond ALT": (
        vcf_text(records=(swap(FIRST, 10, "0/2:4,5:9:80"),)),
        LINE,
        "column 2: the genotype names allele 2",
    ),
    "allele beyond ALT, GT alone": (
        vcf_text(records=(swap(RECORDS[2], 12, "0/3"),)),
        LINE,
        "column 4: the genotype names allele 3",
    ),
    "triploid": (vcf_text(records=(swap(RECORDS[2], 9, "0/0/1"),)), LINE, "more than two alleles"),
    "AD too short": (vcf_text(records=(swap(FIRST, 10, "0/1:4:9:80"),)), LINE, "column 2: a value of GT, AD, DP or GQ"),
    "AD too long": (vcf_text(records=(swap(FIRST, 10, "0/1:4,5,6:9:80"),)), LINE, "column 2"),
    "number beyond 2^31": (vcf_text(records=(swap(FIRST, 10, "0/1:4,5:3000000000:80"),)), LINE, "out of range"),
    "decimal in an Integer": (vcf_text(records=(swap(FIRST, 10, "0/1:4,5:9.5:80"),)), LINE, "malformed"),
    "values too many": (vcf_text(records=(swap(FIRST, 10, "0/1:4,5:9:80:1"),)), LINE, "5 values for 4 FORMAT fields"),
}


@pytest.mark.parametrize("defect", DEFECTS)
@pytest.mark.parametrize("name", ["small.vcf", "small.vcf.gz"])
def test_each_defect_is_told_with_file_and_line(write_vcf, defect, name):
    """In plain text and in BGZF; the message names the file, never its folder, and says what to do."""
    content, line, what = DEFECTS[defect]
    path = write_vcf(name, content)
    with pytest.raises(InputError) as caught:
        preflight(path, quiet)
    said = str(caught.value)
    assert what in said
    assert said.startswith(f"{name}, line {line}: " if line else f"{name}: ")
    assert str(path.parent) not in said
    assert not any(sample in said for sample in (*NAMES, "6102701234", "610270-1234"))
    assert caught.value.remedy
    assert "\n" not in said


def test_plain_gzip_is_refused_with_the_remedy(tmp_path):
    """Whatever its name."""
    path = tmp_path / "x.vcf.bgz"
    path.write_bytes(gzip.compress(vcf_text().encode()))
    with pytest.raises(InputError, match=r"x\.vcf\.bgz: .*plain gzip.*bgzip"):
        preflight(path, quiet)


def test_a_missing_file_is_one_clear_line(tmp_path):
    """No traceback, no folder."""
    with pytest.raises(InputError, match=r"^none\.vcf can't be read: No such file or directory\."):
        preflight(tmp_path / "none.vcf", quiet)
    with pytest.raises(InputError, match="can't be read"):
        preflight(tmp_path, quiet)


def test_a_sound_file_is_described(write_vcf):
    """Samples in order, records, genome, fields that are kept; the same in plain text and BGZF."""
    plain, packed = (preflight(write_vcf(name), quiet) for name in ("a.vcf", "a.vcf.gz"))
    assert plain.samples == NAMES
    assert (plain.records, plain.genome, plain.genome_by) == (3, "GRCh38", "contig lengths")
    assert plain.entry_fields == ("GT", "AD", "DP", "GQ")
    assert plain.recoding == {}
    assert (plain.bgzf, packed.bgzf) == (False, True)
    assert packed.records == 3


def test_the_last_line_may_lack_its_end(write_vcf):
    """As long as the record is whole."""
    assert preflight(write_vcf(content=vcf_text().rstrip("\n")), quiet).records == 3


@pytest.mark.parametrize(
    ("header", "contig", "genome", "by", "recoding"),
    [
        (HEADER, "chr1", "GRCh38", "contig lengths", {}),
        (HEADER.replace("ID=chr1,length=248956422", "ID=1,length=249250621"), "1", "GRCh37", "contig lengths", {}),
        (HEADER.replace("length=248956422", "length=249250621").replace("chr22", "x"), "chr1", "GRCh37", "contig lengths", {"chr1": "1"}),
        (HEADER.replace("ID=chr1,", "ID=1,"), "1", "GRCh38", "contig lengths", {"1": "chr1"}),
        (NO_CONTIGS + "##reference=file:///x/hg38.fa\n", "1", "GRCh38", "reference line", {"1": "chr1"}),
        (NO_CONTIGS, "chr1", "GRCh38", "names of chromosomes", {}),
        (NO_CONTIGS, "1", "GRCh37", "names of chromosomes", {}),
        (NO_CONTIGS, "MT", "GRCh37", "names of chromosomes", {}),
        (HEADER, "chrM", "GRCh38", "contig lengths", {}),
    ],
)  # fmt: skip
def test_the_genome_is_recognised_and_names_are_recoded(write_vcf, header, contig, genome, by, recoding):
    """By lengths, else by the reference line, else by the style of names; both styles work on both genomes."""
    found = preflight(write_vcf(records=(swap(FIRST, 0, contig),), header=header), quiet)
    assert (found.genome, found.genome_by, found.recoding) == (genome, by, recoding)


def test_ten_and_more_alternatives_are_counted_right(write_vcf):
    """Allele 10 of 10 is fine, allele 11 is not."""
    alternatives = ",".join("A" * length for length in range(2, 12))
    record = f"chr1\t10\t.\tA\t{alternatives}\t.\t.\t.\tGT\t0/10\t1/9\t./.\t0/0"
    assert preflight(write_vcf(records=(record,)), quiet).records == 1
    with pytest.raises(InputError, match="allele 11, but there are 10"):
        preflight(write_vcf(records=(record.replace("0/10", "0/11"),)), quiet)


def test_real_genomes_pass():
    """1000 Genomes: phase 3 on GRCh37 (2,504 people, GT alone) and GATK's fields without contig lines."""
    kgp = preflight(KGP, quiet)
    assert (len(kgp.samples), kgp.records, kgp.genome, kgp.entry_fields) == (2504, 4296, "GRCh37", ("GT",))
    gatk = preflight(GATK, quiet)
    assert (len(gatk.samples), gatk.records, gatk.genome) == (100, 735, "GRCh37")
    assert gatk.entry_fields == ("GT", "AD", "DP", "GQ")
