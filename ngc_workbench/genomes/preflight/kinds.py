"""Every kind of finding: how grave it is, what to do about it, and which option accepts it. Code and tests are made from it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ngc_workbench.errors import InputError

ACCEPTABLE: dict[str, str] = {
    "unknown-contigs": "Records on contigs that are not chromosomes 1 to 22, X, Y or MT are left out.",
    "iupac-reference": "Records whose REF has an IUPAC code other than A, C, G, T and N are left out.",
    "no-genotypes": "Records whose FORMAT has no GT are left out.",
    "half-calls": "A genotype of which one allele is unknown (./1) is stored as missing.",
    "unsorted": "Records that are out of order are sorted.",
    "duplicate-records": "Of records of the same position and alleles, the first is stored and the others are left out.",
    "undeclared-fields": "FORMAT fields that the header does not declare, or declares otherwise than the specification, are dropped.",
    "plain-gzip": "A file compressed with plain gzip is compressed again with bgzip.",
    "crlf": "Line ends of Windows (CR LF) are converted.",
}
"""What can be accepted: the option's name, and what it makes of such records."""


@dataclass(frozen=True)
class Kind:
    """A kind of finding. `severity` is "defect" or "note"; `accept` names the option that makes a note of a defect."""

    severity: str
    remedy: str
    accept: str | None = None
    gvcf_only: bool = False


_AGAIN = "Copy or make the file again, and compare its checksum with the sender's."
_CALLER = "Make the file again with the caller's current version, or leave the record out."
_TABS = "Columns are parted by single tabs; make the file again."
_WRITER = "Check the program that wrote it; mend or leave out the record."
_GENOME = "Check which genome the file was called on; its ##contig lines should say so."
_HEADER = "Mend the header, for instance with `bcftools reheader`."
_GVCF = "Make the gVCF again with the caller's current version (GATK: `-ERC GVCF`)."
_NOTHING = "Nothing needs to be done."


def _defect(remedy: str, accept: str | None = None, *, gvcf_only: bool = False) -> Kind:
    return Kind("defect", remedy, accept, gvcf_only)


def _note(remedy: str = _NOTHING) -> Kind:
    return Kind("note", remedy)


KINDS: dict[str, Kind] = {
    # the file
    "unreadable": _defect("Check the file's name and rights."),
    "empty": _defect("Give a VCF file, plain or compressed with bgzip."),
    "plain-gzip": _defect("Run `gunzip -c FILE | bgzip > NEW.vcf.gz` and give the new file.", "plain-gzip"),
    "bgzf-name": _note("Name a file compressed with bgzip .vcf.gz or .vcf.bgz, and a plain one .vcf."),
    "truncated": _defect(_AGAIN),
    "damaged": _defect(_AGAIN),
    "end-marker": _defect("Copy or make the file again with bgzip."),
    "trailing-bytes": _defect(_AGAIN),
    "no-last-newline": _note("The last line lacks its end: check that the file is whole."),
    "line-too-long": _defect(_WRITER),
    "crlf": _defect("Convert it: `sed -i 's/\\r$//' FILE`.", "crlf"),
    "blank-line": _defect("Remove it."),
    "more-not-counted": _note("Mend what is told, and check again."),
    # the header
    "byte-order-mark": _defect("Remove the first three bytes: `sed -i '1s/^\\xEF\\xBB\\xBF//' FILE`."),
    "no-fileformat": _defect("Give a VCF file; its first line is ##fileformat=VCFv4.2 or the like."),
    "not-utf8": _defect("Convert it, for instance with iconv."),
    "no-header-line": _defect("Add the #CHROM line, or make the file again."),
    "header-line": _defect("Make the file again: #CHROM, POS, ID, REF, ALT, QUAL, FILTER, INFO, FORMAT, parted by tabs."),
    "header-line-twice": _defect("Files were put together: use `bcftools concat` instead."),
    "header-too-long": _defect("Give a file whose header has at most 200,000 lines and 256 MB."),
    "meta-malformed": _defect(_HEADER),
    "declared-twice": _defect(_HEADER),
    "field-declared": _defect("Declare it as the VCF specification does, or accept that it is dropped.", "undeclared-fields"),
    "gt-undeclared": _defect("Add its ##FORMAT line, or give a file with genotypes."),
    "gt-declared": _defect("Declare GT with Number=1 and Type=String."),
    "no-samples": _defect("Give a VCF with genotypes."),
    "sample-empty": _defect("Name each sample."),
    "sample-twice": _defect("Give each sample its own name."),
    "sample-cpr": _defect("Rename samples (`bcftools reheader --samples`) and give CPR numbers in the phenotype table's column cpr."),
    "cpr-in-header": _note("The header is not stored. Ask the sender not to write CPR numbers there."),
    "cpr-in-id": _note("The column ID is not stored. Ask the sender not to write CPR numbers there."),
    "no-records": _defect("Give a VCF with genotypes."),
    "contig-lengths": _defect(_GENOME),
    "contig-names": _note(),
    "mixed-styles": _defect("Name chromosomes one way: `bcftools annotate --rename-chrs`."),
    # columns and sites
    "spaces": _defect(_TABS),
    "columns-few": _defect("Make the file again; the line may be cut."),
    "columns-many": _defect("Make the file again; Hail would leave the last columns out without a word."),
    "contig-unknown": _defect("Keep chromosomes 1 to 22, X, Y and MT (`bcftools view --targets`), or accept that others are left out.", "unknown-contigs"),
    "position": _defect(_WRITER),
    "position-beyond": _defect(_GENOME),
    "unsorted": _defect("Sort it with `bcftools sort`, or accept that it is sorted here.", "unsorted"),
    "contig-again": _defect("Sort it with `bcftools sort`, or accept that it is sorted here.", "unsorted"),
    "duplicate": _defect("Remove it with `bcftools norm --rm-dup exact`, or accept that the first is kept.", "duplicate-records"),
    "ref-iupac": _defect("Write N for such letters, or accept that the record is left out.", "iupac-reference"),
    "ref-malformed": _defect(_WRITER),
    "ref-unknown": _note(),
    "alt-malformed": _defect(_WRITER),
    "alt-reference": _defect("Remove the alternative: `bcftools norm`."),
    "alt-twice": _defect("Remove the second: `bcftools norm`."),
    "alt-none": _note("Many analyses expect an alternative; leave such rows out where they do."),
    "alt-star": _note(),
    "alt-symbolic": _note("Filter by the kind of allele before variant QC."),
    "qual": _defect("Write a number, or a dot for unknown."),
    "filter-undeclared": _note("FILTER is not stored."),
    "info-undeclared": _note("INFO is not stored."),
    # FORMAT and genotypes
    "format-undeclared": _defect("Add its ##FORMAT line to the header, or accept that it is dropped.", "undeclared-fields"),
    "format-other-undeclared": _note("It is not stored."),
    "format-malformed": _defect(_WRITER),
    "format-twice": _defect(_WRITER),
    "gt-not-first": _defect("The specification wants GT first; make the file again."),
    "no-gt": _defect("Leave such records out, or accept that they are left out.", "no-genotypes"),
    "gt-beyond": _defect(_CALLER),
    "gt-ploidy": _defect("Call with a ploidy of two at most."),
    "gt-haploid": _defect("Outside X, Y and MT each genotype has two alleles: call with a ploidy of two (`bcftools +fixploidy`)."),
    "gt-half": _defect("Write ./. or both alleles, or accept that it is stored as missing.", "half-calls"),
    "gt-malformed": _defect(_CALLER),
    "values-many": _defect(_CALLER),
    "value-length": _defect(_CALLER),
    "value-range": _defect(_CALLER),
    "value-decimal": _defect("The header declares whole numbers: round them, or mend the header."),
    "value-negative": _defect(_CALLER),
    "value-malformed": _defect(_CALLER),
    "other-field": _note("It is not stored."),
    # gVCF
    "gvcf-samples": _defect("Give one gVCF a sample; genotype several together before the ingest.", gvcf_only=True),
    "no-non-ref": _defect(_GVCF, gvcf_only=True),
    "end-missing": _defect(_GVCF, gvcf_only=True),
    "end-before": _defect(_GVCF, gvcf_only=True),
    "end-beyond": _defect(_GVCF, gvcf_only=True),
    # several files
    "file-twice": _defect("Give each file once."),
    "kinds-mixed": _defect("Give VCF files or gVCF files, not both in one release."),
    "genomes-differ": _defect("Give files of one reference genome; lift the others over."),
    "sample-in-two": _defect("Give each sample once, or rename it."),
    "samples-differ": _defect("Merge files of different people first, with `bcftools merge`."),
    "samples-order": _defect("Bring them into one order, with `bcftools view --samples-file`."),
    "regions-overlap": _defect("Give each region once; put files of one region together with `bcftools concat --allow-overlaps`."),
    "fields-differ": _note("What only some of the files declare is not stored."),
}  # fmt: skip


def need_known(accept: Collection[str]) -> frozenset[str]:
    """The options as a set. Raises InputError for one that does not exist."""
    for option in accept:
        if option not in ACCEPTABLE:
            raise InputError(
                f"There is nothing called {option[:40]!r} to accept.", f"Choose from {', '.join(ACCEPTABLE)}."
            )
    return frozenset(accept)
