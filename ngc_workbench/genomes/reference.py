"""The two reference genomes that the workbench knows: contigs, their lengths, and which one a VCF was called on.

Lengths: Genome Reference Consortium, assemblies GRCh37 and GRCh38 (primary chromosomes; MT is the revised Cambridge
reference sequence in both). The names are those that Hail uses: `1` … `MT` for GRCh37, `chr1` … `chrM` for GRCh38.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_NAMES = [*(str(number) for number in range(1, 23)), "X", "Y", "MT"]
_GRCH37 = [
    249250621, 243199373, 198022430, 191154276, 180915260, 171115067, 159138663, 146364022, 141213431, 135534747,
    135006516, 133851895, 115169878, 107349540, 102531392, 90354753, 81195210, 78077248, 59128983, 63025520,
    48129895, 51304566, 155270560, 59373566, 16569,
]  # fmt: skip
_GRCH38 = [
    248956422, 242193529, 198295559, 190214555, 181538259, 170805979, 159345973, 145138636, 138394717, 133797422,
    135086622, 133275309, 114364328, 107043718, 101991189, 90338345, 83257441, 80373285, 58617616, 64444167,
    46709983, 50818468, 156040895, 57227415, 16569,
]  # fmt: skip

LENGTHS: dict[str, dict[str, int]] = {
    "GRCh37": dict(zip(_NAMES, _GRCH37, strict=True)),
    "GRCh38": dict(zip(_NAMES, _GRCH38, strict=True)),
}
"""Length of each chromosome, by genome and bare name (`1` … `22`, `X`, `Y`, `MT`)."""


def bare(contig: str) -> str:
    """A contig's name without `chr`; the mitochondrion is `MT`."""
    name = contig[3:] if contig.lower().startswith("chr") else contig
    return "MT" if name == "M" else name


def hail_name(genome: str, contig: str) -> str:
    """What Hail calls this contig in this genome."""
    name = bare(contig)
    if genome == "GRCh37":
        return name
    return "chrM" if name == "MT" else f"chr{name}"


def detect(lengths: Mapping[str, int], words: str, first_contig: str) -> tuple[str, str]:
    """The genome a VCF was called on, and by what it was recognised.

    `lengths` are those of its ##contig lines (by name as written there), `words` is the ##reference line, and
    `first_contig` is the chromosome of its first record. In this order: lengths (what most of them say), words,
    the style of names.
    """
    votes = {
        genome: sum(
            known.get(bare(name)) == length != other[bare(name)]
            for name, length in lengths.items()
            if bare(name) in other
        )
        for genome, known, other in (
            ("GRCh37", LENGTHS["GRCh37"], LENGTHS["GRCh38"]),
            ("GRCh38", LENGTHS["GRCh38"], LENGTHS["GRCh37"]),
        )
    }
    if any(votes.values()):
        return max(votes, key=votes.__getitem__), "contig lengths"
    for genome, marks in (("GRCh38", ("grch38", "hg38")), ("GRCh37", ("grch37", "hg19", "b37", "hs37d5"))):
        if any(mark in words.lower() for mark in marks):
            return genome, "reference line"
    return ("GRCh38" if first_contig.lower().startswith("chr") else "GRCh37"), "names of chromosomes"


def recoding(genome: str, contigs: Iterable[str]) -> dict[str, str]:
    """Hail's `contig_recoding`: the contigs whose name in the file is not Hail's."""
    return {contig: hail_name(genome, contig) for contig in contigs if contig != hail_name(genome, contig)}
