"""The PGEN of a release: plink2 reads the VCFs by itself, and its rows are brought into the matrix's order.

Two programs that know nothing of each other read the same text: what each person carries must come out equal.
A PGEN has no ploidy: a call of one allele counts as two equal ones.
"""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .faults import Mismatch, NoPgen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PLINK = "/usr/bin/plink2"
_BCFTOOLS = "/usr/bin/bcftools"
_IMPORT = Path("/job/import")
_MADE = Path("/out/plink")
_SCRATCH = Path("/scratch/plink")
_READ = Path("/scratch/read")
_WHOLE_NAME = re.compile(r"\S+")
"""plink2 takes what stands behind a blank in a name for something else, in silence."""
_HEADER = "#CHROM\tPOS\tID\tREF\tALT\n"
_STYLE = {"GRCh37": "MT", "GRCh38": "chrM"}
"""Names of chromosomes as Hail has them, in plink2's words."""

Row = tuple[str, str, str, str]
"""Contig, position, reference, alternatives."""


def attempt(needed: bool, step: Callable[..., str], *words: Any) -> str:
    """Does a step; gives why there is no PGEN (empty: there is). Raises NoPgen when the step does and one is `needed`."""
    try:
        return step(*words)
    except NoPgen as error:
        if needed:
            raise
        return str(error)


def read_vcfs(files: list[str], samples: list[str], internal_ids: list[str], genome: str) -> str:
    """Reads VCFs into /job/import, one after the other; gives "".

    `samples` are the names that each file must have, in order. They stay in scratch: what is kept has internal ids.
    Raises NoPgen when plink2 can't read them, Mismatch when it reads other people.
    """
    whole_names = all(_WHOLE_NAME.fullmatch(name) for name in samples)
    for folder in (_IMPORT, _READ):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    _people().write_text("#IID\n" + "".join(f"{one}\n" for one in internal_ids), encoding="utf-8")
    for number, file in enumerate(files):
        made = _READ / f"{number:06}"
        expected = samples
        if not whole_names or not _read_vcf(genome, file, made):
            # plink2 refuses some other names too, which are no reason to do without.
            names, renamed = _READ / "names.txt", _READ / f"renamed{''.join(Path(file).suffixes[-2:])}"
            names.write_text("".join(f"{one}\n" for one in internal_ids), encoding="utf-8")
            command = [_BCFTOOLS, "reheader", "-s", str(names), "-o", str(renamed), file]
            if subprocess.run(command, check=False, stdout=2).returncode or not _read_vcf(genome, str(renamed), made):
                raise NoPgen("plink2 can't read the files")
            renamed.unlink()
            expected = internal_ids
        with made.with_suffix(".psam").open(encoding="utf-8") as lines:
            if [line.rstrip("\n").split("\t")[0] for line in lines if not line.startswith("#IID")] != expected:
                raise Mismatch("plink2 reads other people from the files, or another order of them.")
        for suffix in (".pgen", ".pvar"):
            shutil.move(made.with_suffix(suffix), _IMPORT / f"{number:06}{suffix}")
        shutil.copyfile(_people(), _IMPORT / f"{number:06}.psam")
    shutil.rmtree(_READ)
    return ""


def _people() -> Path:
    return _IMPORT / "people.psam"


def _read_vcf(genome: str, file: str, made: Path) -> bool:
    # Half-calls are missing for Hail.
    words = ["--vcf", file, "--vcf-half-call", "missing", "--make-pgen", "pvar-cols=", "psam-cols=", "--out", str(made)]
    return _run(genome, *words)


def arrange(rows: Path, genome: str) -> str:
    """Makes /out/plink/genotypes.pgen and .pvar, with the matrix's rows (`rows`) in its order.

    Gives why there can't be one: rows that are alike (empty: it was made). Raises NoPgen when plink2 fails.
    """
    shutil.rmtree(_MADE, ignore_errors=True)
    _MADE.mkdir()
    shutil.rmtree(_SCRATCH, ignore_errors=True)
    _SCRATCH.mkdir()
    parts = sorted(part.with_suffix("") for part in _IMPORT.glob("*.pgen"))
    whole = parts[0]
    if len(parts) > 1:
        whole = _SCRATCH / "whole"
        names = _SCRATCH / "parts.txt"
        names.write_text("".join(f"{part}\n" for part in parts), encoding="utf-8")
        # Joined files are sorted by id if it is not told otherwise; ids are random, so that genotypes would change place.
        if not _run(genome, "--pmerge-list", str(names), "pfile", "--indiv-sort", "none", "--out", str(whole)):
            raise NoPgen("plink2 can't join the files")
    pgen = whole.with_suffix(".pgen")
    if not _equal(_read(rows), _read_pvar(whole.with_suffix(".pvar"))):
        renamed = _SCRATCH / "named.pvar"
        if why_not := _name_by_place(rows, whole.with_suffix(".pvar"), renamed):
            return why_not
        words = ["--pgen", str(pgen), "--pvar", str(renamed), "--psam", str(_people())]
        words += ["--exclude", str(_SCRATCH / "left_out.txt")] if (_SCRATCH / "left_out.txt").exists() else []
        if not _run(
            genome, *words, "--sort-vars", "ascii", "--make-pgen", "pvar-cols=", "--out", str(_SCRATCH / "sorted")
        ):
            raise NoPgen("plink2 can't sort the rows")
        pgen = _SCRATCH / "sorted.pgen"
        if not _equal(_read(rows), _read_pvar(pgen.with_suffix(".pvar"))):
            raise Mismatch("The rows of the PGEN can't be brought into the matrix's order.")
    # Copied and not moved: a run that is killed now repeats this stage from the import.
    shutil.copyfile(pgen, _MADE / "genotypes.pgen")
    with (_MADE / "genotypes.pvar").open("w", encoding="utf-8") as out:
        out.write(_HEADER)
        for contig, position, reference, alternatives in _read(rows):
            name = f"{contig}:{position}:{reference}:{alternatives}"
            out.write(f"{contig}\t{position}\t{name}\t{reference}\t{alternatives}\n")
    return ""


def carried(internal_ids: list[str], genome: str) -> list[tuple[str, int, int, int, int]]:
    """For each person of /out/plink: id, and how many calls are reference, heterozygous, other, and missing."""
    out = _SCRATCH / "counts"
    words = ["--pgen", str(_MADE / "genotypes.pgen"), "--pvar", str(_MADE / "genotypes.pvar")]
    words += ["--psam", str(_people()), "--out", str(out), "--sample-counts"]
    words += ["cols=+homalt,+het"]
    if not _run(genome, *words):
        raise Mismatch("plink2 can't read the PGEN that it wrote.")
    found = []
    with out.with_suffix(".scount").open(encoding="utf-8") as lines:
        header = next(lines).lstrip("#").split()
        for line in lines:
            row = dict(zip(header, line.split(), strict=True))
            found.append(
                (
                    row["IID"],
                    int(row["HOM_REF_CT"]) + int(row["HAP_REF_INCL_FEMALE_Y_CT"]),
                    int(row["HET_CT"]),
                    int(row["HOM_ALT_CT"]) + int(row["HAP_ALT_INCL_FEMALE_Y_CT"]),
                    int(row["MISSING_INCL_FEMALE_Y_CT"]),
                )
            )
    if [person[0] for person in found] != internal_ids:
        raise Mismatch("The PGEN has other people, or another order of them, than the matrix.")
    return found


def _run(genome: str, *words: str) -> bool:
    """Runs plink2; what it says goes to the custodian's log."""
    command = [_PLINK, *words, "--memory", "640", "--allow-extra-chr", "--output-chr", _STYLE[genome]]
    return subprocess.run(command, check=False, stdout=2).returncode == 0


def _read(rows: Path) -> Iterator[Row]:
    with rows.open(encoding="utf-8") as lines:
        for line in lines:
            contig, position, reference, alternatives = line.rstrip("\n").split("\t")
            yield contig, position, reference, alternatives


def _read_pvar(pvar: Path) -> Iterator[Row]:
    with pvar.open(encoding="utf-8") as lines:
        for line in lines:
            if not line.startswith("#"):
                contig, position, _, reference, alternatives = line.rstrip("\n").split("\t", 5)[:5]
                yield contig, position, reference, alternatives


def _equal(ours: Iterator[Row], theirs: Iterator[Row]) -> bool:
    return all(one == other for one, other in itertools.zip_longest(ours, theirs))


def _name_by_place(rows: Path, pvar: Path, renamed: Path) -> str:
    """Writes the .pvar with each row's place in the matrix as its name; rows that the matrix lacks are listed.

    Gives why it can't be done: rows that are alike can't be told apart.
    """
    places: dict[Row, int] = {}
    for number, row in enumerate(_read(rows)):
        if row in places:
            return "two records have the same position and alleles, so their order can't be told"
        places[row] = number
    left_out = []
    with renamed.open("w", encoding="utf-8") as out:
        out.write(_HEADER)
        for number, (contig, position, reference, alternatives) in enumerate(_read_pvar(pvar)):
            place = places.get((contig, position, reference, alternatives))
            name = f"out{number}" if place is None else f"{place:012}"
            if place is None:
                left_out.append(name)
            out.write(f"{contig}\t{position}\t{name}\t{reference}\t{alternatives}\n")
    if left_out:
        (_SCRATCH / "left_out.txt").write_text("".join(f"{name}\n" for name in left_out), encoding="utf-8")
    return ""
