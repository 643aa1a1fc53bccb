"""The PGEN of a cut: the genotypes of its matrix for plink2, same rows, same people, same order.

plink2 takes it out of the release's PGEN (/plink). Where rows lost alleles it can't (2.00a3.5 does not trim sites with
several alternatives), and reads the cut's genotypes as a VCF that Hail writes. Either way rows and what each person
carries are compared with the matrix.
"""

from __future__ import annotations

import itertools
import subprocess
from pathlib import Path
from typing import Any

import hail as hl

from .faults import Mismatch

_PLINK = "/usr/bin/plink2"
_CUT = Path("/cut/plink")
_SCRATCH = Path("/scratch")
_OTHER_NAMES = {"23": "X", "24": "Y", "26": "MT", "M": "MT"}
_AUTOSOMES = "1-22"
"""Chromosomes on which people's calls are counted by both programs: elsewhere plink2 counts by sex, which it is not told."""


def of_cut(stored: Any, mother_ids: list[str], keep: list[str], *, from_vcf: bool) -> None:
    """Writes /cut/plink/genotypes.pgen and .pvar for the cut's matrix `stored`.

    `mother_ids` are the people of the release's PGEN, `keep` those of the cut, both in stored order. Raises Mismatch when
    rows or people's calls are not the matrix's.
    """
    _CUT.mkdir()
    rows = stored.rows().key_by()
    alternatives = hl.delimit(rows.alleles[1:], ",")
    name = hl.delimit([rows.locus.contig, hl.str(rows.locus.position), rows.alleles[0], alternatives], ":")
    names = _SCRATCH / "rows.txt"
    rows.select(name=name).export(str(names), header=False)
    if from_vcf:
        vcf = _SCRATCH / "cut.vcf.bgz"
        hl.export_vcf(stored.select_entries("GT"), str(vcf))
        source = ["--vcf", str(vcf)]
    else:
        people, kept = _SCRATCH / "release.psam", _SCRATCH / "keep.psam"
        write_psam(people, mother_ids)
        write_psam(kept, keep)
        source = ["--pgen", "/plink/genotypes.pgen", "--pvar", "/plink/genotypes.pvar", "--psam", str(people)]
        source += ["--keep", str(kept), "--extract", str(names)]
    made = _SCRATCH / "cut"
    run(*source, "--make-pgen", "pvar-cols=", "psam-cols=", "--out", str(made))
    _compare_rows(names, made.with_suffix(".pvar"), _CUT / "genotypes.pvar")
    with made.with_suffix(".psam").open(encoding="utf-8") as lines:
        if [line.split()[0] for line in lines if not line.startswith("#")] != keep:
            raise Mismatch("The PGEN of a cut has other people, or another order of them, than its matrix.")
    _compare_calls(stored, made, keep)
    # Copied and not moved: scratch may be another file system.
    (_CUT / "genotypes.pgen").write_bytes(made.with_suffix(".pgen").read_bytes())
    for path in _SCRATCH.glob("cut*"):
        path.unlink()
    names.unlink()


def run(*words: str) -> None:
    """Runs plink2. Raises Mismatch; what it says goes to the custodian's log."""
    command = [_PLINK, *words, "--memory", "1500", "--no-psam-pheno", "--allow-extra-chr"]
    if subprocess.run(command, check=False, stdout=2).returncode:
        raise Mismatch("plink2 could not write the genotypes.")


def write_psam(path: Path, ids: list[str]) -> None:
    """A .psam with ids alone."""
    path.write_text("#IID\n" + "".join(f"{one}\n" for one in ids), encoding="utf-8")


def _compare_rows(names: Path, theirs: Path, target: Path) -> None:
    """Writes the .pvar from the matrix's rows, each compared with plink2's own line."""
    with names.open(encoding="utf-8") as ours, theirs.open(encoding="utf-8") as lines, target.open("w") as out:
        out.write("#CHROM\tPOS\tID\tREF\tALT\n")
        said = (line for line in lines if not line.startswith("#"))
        for name, line in itertools.zip_longest(ours, said, fillvalue=""):
            text = name.rstrip("\n")
            # Alleles may hold colons (breakends do): the contig does not, and REF holds letters alone.
            contig, position, reference, alternatives = (*text.split(":", 3), "", "", "", "")[:4]
            cells = (*line.rstrip("\n").split("\t"), "", "", "", "", "")[:5]
            if (_bare(contig), position, reference, alternatives) != (_bare(cells[0]), cells[1], cells[3], cells[4]):
                raise Mismatch("The PGEN of a cut has other rows than its matrix.")
            out.write(f"{contig}\t{position}\t{text}\t{reference}\t{alternatives}\n")


def _bare(contig: str) -> str:
    name = contig.removeprefix("chr")
    return _OTHER_NAMES.get(name, name)


def _compare_calls(stored: Any, made: Path, keep: list[str]) -> None:
    """Compares each person's numbers of calls on the autosomes, by Hail and by plink2."""
    names = [*map(str, range(1, 23)), *(f"chr{number}" for number in range(1, 23))]
    part = stored.filter_rows(hl.literal(set(names)).contains(stored.locus.contig))
    part = part.annotate_cols(
        ref=hl.agg.count_where(part.GT.is_hom_ref()),
        het=hl.agg.count_where(part.GT.is_het()),
        alt=hl.agg.count_where(part.GT.is_hom_var()),
    )
    columns = part.key_cols_by().cols().select("s", "ref", "het", "alt").collect()
    ours = [(column.s, column.ref, column.het, column.alt) for column in columns]
    if not any(sum(person[1:]) for person in ours):
        return
    run("--pfile", str(made), "--chr", _AUTOSOMES, "--sample-counts", "cols=homref,het,homalt", "--out", str(made))
    theirs = []
    with made.with_suffix(".scount").open(encoding="utf-8") as lines:
        header = next(lines).lstrip("#").split()
        places = [header.index(name) for name in ("IID", "HOM_REF_CT", "HET_CT", "HOM_ALT_CT")]
        for line in lines:
            cells = line.split()
            theirs.append((cells[places[0]], *(int(cells[place]) for place in places[1:])))
    if theirs != ours or [person[0] for person in ours] != keep:
        raise Mismatch("The PGEN of a cut has other calls than its matrix.")
