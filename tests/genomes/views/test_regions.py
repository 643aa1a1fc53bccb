"""Regions, BED files and genes."""

from __future__ import annotations

import gzip

import pytest

from ngc_workbench.errors import ConfigurationError, InputError
from ngc_workbench.genomes import genes
from ngc_workbench.genomes.regions import Region, merged, read_bed


@pytest.mark.parametrize(
    ("text", "genome", "expected"),
    [
        ("chr1:1000-2000", "GRCh38", "chr1:1000-2000"),
        ("1:1,000-2,000", "GRCh38", "chr1:1000-2000"),
        ("chr1:5", "GRCh37", "1:5-5"),
        ("chrM", "GRCh37", "MT:1-16569"),
        ("MT", "GRCh38", "chrM:1-16569"),
        ("X:1-155270560", "GRCh37", "X:1-155270560"),
    ],
)
def test_regions_are_read_in_either_style(text, genome, expected):
    assert str(Region.parse(text, genome)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "chr1:0-5",
        "chr1:9-5",
        "1:1-249250621",
        "chr99:1-2",
        "chrUn_1:1-2",
        "",
        "chr1:-5",
        "chr1:1-2-3",
        "1:a-b",
        "chr1:,",
    ],
)
def test_what_is_no_region_is_refused(text):
    """The end of GRCh37's chromosome 1 lies outside of GRCh38's."""
    with pytest.raises(InputError):
        Region.parse(text, "GRCh38")


def test_regions_are_put_in_order_and_joined():
    parsed = [
        Region.parse(text, "GRCh38") for text in ("chr10:1-5", "chr2:10-20", "chr2:15-30", "chr2:31-40", "chr2:42-50")
    ]
    assert [str(one) for one in merged(parsed, "GRCh38")] == ["chr2:10-40", "chr2:42-50", "chr10:1-5"]


def test_a_bed_file_counts_from_zero(tmp_path):
    path = tmp_path / "panel.bed"
    path.write_text("track x\n# note\nchr1\t99\t200\tA\n\n1\t0\t1\n")
    assert [str(one) for one in read_bed(path, "GRCh38")] == ["chr1:100-200", "chr1:1-1"]


@pytest.mark.parametrize("line", ["chr1\t5\t5", "chr1\t5", "chr1 5 9", "chr1\tx\t9", "chr77\t1\t2"])
def test_a_bad_line_of_a_bed_file_is_named(tmp_path, line):
    path = tmp_path / "panel.bed"
    path.write_text(f"chr1\t0\t5\n{line}\n")
    with pytest.raises(InputError, match=r"panel\.bed, line 2"):
        read_bed(path, "GRCh38")


GTF = (
    '#!x\nchr1\tT\tgene\t100\t200\t.\t+\t.\tgene_id "ENSG01.3"; gene_name "AAA1";\n'
    'chr1\tT\texon\t100\t120\t.\t+\t.\tgene_id "ENSG01.3"; gene_name "AAA1";\n'
    'chrUn_9\tT\tgene\t1\t2\t.\t+\t.\tgene_id "ENSG09"; gene_name "AAA1";\n'
)
GFF = "##gff\n1\tT\tgene\t100\t200\t.\t+\t.\tID=gene:ENSG01;Name=AAA1;x=y\n"
BED = "chr1\t99\t200\tAAA1\n"


@pytest.mark.parametrize(("name", "content"), [("g.gtf", GTF), ("g.gff3", GFF), ("g.bed", BED), ("g.gtf.gz", GTF)])
def test_genes_are_found_in_each_kind_of_annotation(settings, tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(gzip.compress(content.encode()) if name.endswith("gz") else content.encode())
    known = settings.model_copy(update={"genes_grch38": path})
    assert [str(one) for one in genes.regions_of(known, "GRCh38", ["AAA1"])] == ["chr1:100-200"]
    if name != "g.bed":
        assert [str(one) for one in genes.regions_of(known, "GRCh38", ["ENSG01"])] == ["chr1:100-200"]
    with pytest.raises(InputError, match="BBB2"):
        genes.regions_of(known, "GRCh38", ["AAA1", "BBB2"])


def test_genes_without_an_annotation_are_refused(settings):
    with pytest.raises(ConfigurationError, match="genes_grch37"):
        genes.regions_of(settings, "GRCh37", ["AAA1"])


def test_an_annotation_that_can_not_be_read_is_said(settings, tmp_path):
    path = tmp_path / "g.gtf.gz"
    path.write_bytes(b"no gzip")
    with pytest.raises(ConfigurationError, match="can't be read"):
        genes.regions_of(settings.model_copy(update={"genes_grch38": path}), "GRCh38", ["AAA1"])
