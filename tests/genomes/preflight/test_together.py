"""Several files: the layout they make, and what keeps them apart."""

from __future__ import annotations

import pytest

from ngc_workbench.genomes.preflight import check_files
from ngc_workbench.genomes.store import quiet
from tests.genomes.cohorts import DATA, GATK, HEADER, KGP, NAMES, RECORDS, vcf_text
from tests.genomes.preflight.test_defects import BLOCK, GVCF_HEADER

CHR1 = RECORDS[:2]
CHR22 = RECORDS[2:]
LATER = tuple(record.replace("\t1000\t", "\t5000\t").replace("\t2000\t", "\t6000\t") for record in CHR1)
GRCH37 = HEADER.replace("248956422", "249250621").replace("50818468", "51304566")


def single(position, name, block=False):
    header = GVCF_HEADER if block else HEADER
    record = BLOCK if block else "chr1\t1000\t.\tA\tC\t.\t.\t.\tGT\t0/1"
    record = record.replace("1000", str(position)).replace("1010", str(position + 10))
    return vcf_text(records=(record,), header=header, names=(name,))


WHOLE = vcf_text(records=RECORDS)
FIT = {
    "one": ("one", [WHOLE], NAMES),
    "regions": ("regions", [vcf_text(records=CHR1), vcf_text(records=CHR22)], NAMES),
    "regions of a chromosome": ("regions", [vcf_text(records=LATER), vcf_text(records=CHR1)], NAMES),
    "regions of one person": ("regions", [single(10, "A"), single(20, "A")], ("A",)),
    "samples": ("samples", [single(10, "A"), single(10, "B"), single(20, "C")], ("A", "B", "C")),
    "one gVCF": ("gvcf", [single(10, "A", block=True)], ("A",)),
    "gVCFs": ("gvcf", [single(10, "A", block=True), single(20, "B", block=True)], ("A", "B")),
}
APART = {
    "file-twice": ([WHOLE, WHOLE], "f1.vcf", "same content as f0.vcf"),
    "kinds-mixed": ([single(10, "A"), single(10, "B", block=True)], "f1.vcf", "it is a gVCF, but f0.vcf is a VCF"),
    "genomes-differ": ([vcf_text(records=CHR1), vcf_text(records=CHR22, header=GRCH37)], "f1.vcf", "of GRCh37, but f0.vcf is of GRCh38"),
    "sample-in-two": ([single(10, "A"), single(10, "B"), single(20, "A")], "f2.vcf", "its sample is in f0.vcf too"),
    "samples-differ": ([vcf_text(records=CHR1), vcf_text(records=CHR22, names=("ANNA1", "BERTA2", "CARLA3", "E"))], "f1.vcf", "1 are lacking, 1 are new"),
    "samples-order": ([vcf_text(records=CHR1), vcf_text(records=CHR22, names=("ANNA1", "CARLA3", "BERTA2", "DORA4"))], "f1.vcf", "from sample column 2 on"),
    "regions-overlap": ([vcf_text(records=RECORDS), vcf_text(records=LATER[:1]), vcf_text(records=CHR1[1:])], "f2.vcf", "on chr1 overlap those of f0.vcf, at positions 2000 to 2000"),
    "fields-differ": ([vcf_text(records=CHR1), vcf_text(records=CHR22, header=HEADER.replace("ID=GQ", "ID=GX"))], "f1.vcf", "other FORMAT fields than f0.vcf"),
}  # fmt: skip


def check(write_vcf, contents):
    return check_files([write_vcf(f"f{at}.vcf", text) for at, text in enumerate(contents)], progress=quiet)


@pytest.mark.parametrize("case", FIT)
def test_files_that_fit_make_a_layout(write_vcf, case):
    """With the samples in the order of the columns to be stored."""
    layout, contents, samples = FIT[case]
    checked = check(write_vcf, contents).or_refuse()
    assert (checked.layout, checked.samples) == (layout, samples)
    assert [file.name for file in checked.files] == [f"f{at}.vcf" for at in range(len(contents))]


@pytest.mark.parametrize("kind", APART)
def test_files_that_do_not_fit_are_told(write_vcf, kind):
    """Under the later file's name, with the other's; no sample's name."""
    contents, name, words = APART[kind]
    checked = check(write_vcf, contents)
    found = [finding for finding in checked.findings if finding.kind == kind]
    assert [finding.file for finding in found] == [name]
    assert words in found[0].text
    assert not any(sample in finding.told() for finding in checked.findings for sample in NAMES)


def test_files_side_by_side_do_not_hide_each_other(write_vcf):
    """A defect in the second and one in the third are both told, under their names, in the order given."""
    bad = vcf_text(records=(CHR22[0].replace("0/1", "0/7"),))
    checked = check(write_vcf, [vcf_text(records=CHR1), "", bad])
    told = [(finding.file, finding.kind) for finding in checked.findings if finding.severity == "defect"]
    assert told == [("f1.vcf", "empty"), ("f2.vcf", "gt-beyond")]
    assert [file.name for file in checked.files] == ["f0.vcf", "f2.vcf"]


def test_real_genomes_pass():
    """1000 Genomes: phase 3 on GRCh37, GATK's fields without contig lines, and eight gVCFs; with what is known of them."""
    kgp = check_files([KGP], progress=quiet).or_refuse().files[0]
    assert (len(kgp.samples), kgp.records, kgp.kept, kgp.genome, kgp.entry_fields) == (
        2504,
        4296,
        4296,
        "GRCh37",
        ("GT",),
    )
    assert (kgp.sha256[:8], kgp.contigs, kgp.kind, kgp.rewrite) == ("c1d66e6d", {"1": 4296}, "vcf", False)
    gatk = check_files([GATK], progress=quiet).or_refuse().files[0]
    assert (len(gatk.samples), gatk.records, gatk.genome, gatk.genome_by) == (
        100,
        735,
        "GRCh37",
        "names of chromosomes",
    )
    assert gatk.entry_fields == ("GT", "AD", "DP", "GQ")
    gvcfs = check_files(sorted((DATA / "gvcf_hg38_chr22").glob("*.g.vcf.gz")), progress=quiet).or_refuse()
    assert gvcfs.layout == "gvcf"
    assert gvcfs.findings == ()
    assert len(gvcfs.samples) == 8
    assert {(file.kind, file.genome, file.kept == file.records) for file in gvcfs.files} == {("gvcf", "GRCh38", True)}
