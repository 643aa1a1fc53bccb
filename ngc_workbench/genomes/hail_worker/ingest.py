"""Verbs that take genomes in.

/in        the files, read-only
/job      copies of files, and what a killed run left for this one
/out       the folder in which the release grows
"""

from __future__ import annotations

import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hail as hl

from . import plink, quality
from .checks import need_complete, need_plain
from .faults import Mismatch
from .tools import versions

if TYPE_CHECKING:
    from collections.abc import Callable

_BCFTOOLS = "/usr/bin/bcftools"
_MERGED = "/scratch/merged.vcf.gz"
ROWS = Path("/scratch/rows.tsv")
"""The stored rows in stored order: contig, position, reference, alternatives (comma, or a dot for none)."""


def matrix(
    *,
    hail_ready: Callable[[], str],
    files: list[str],
    merge: bool,
    genome: str,
    recoding: dict[str, str],
    in_order: list[bool],
    samples: list[str],
    internal_ids: list[str],
    entry_fields: list[str],
    partitions: int,
    need_pgen: bool,
    whole_arrays: bool,
) -> dict[str, Any]:
    """Writes /out/matrix.mt from `files`, under internal ids, while plink2 reads the same files into /job/import.

    `samples` are the names in the files' order, `internal_ids` theirs in the same order. With `merge` each file holds one
    person. Gives versions, why there is no PGEN (empty: plink2 read the files), and for merged files how many calls each
    holds. Raises NoPgen when plink2 can't read the files and `need_pgen`.
    """
    calls = _merge(files, in_order) if merge else []
    sources = [_MERGED] if merge else files
    # plink2 has a core to itself while Java starts, which is most of what it needs.
    with ThreadPoolExecutor(1) as beside:
        imported = beside.submit(plink.attempt, need_pgen, plink.read_vcfs, sources, samples, internal_ids, genome)
        version = hail_ready()
        mt = hl.import_vcf(
            sources,
            force_bgz=any(file.endswith(".gz") for file in sources),
            reference_genome=genome,
            contig_recoding=recoding or None,
            min_partitions=partitions,
            # Four fifths of the time where arrays have no gaps. Missing samples of merged files have some.
            array_elements_required=whole_arrays and not merge,
        )
        # One literal: names written into expressions one by one would stand in Hail's log.
        names = hl.literal(dict(zip(samples, internal_ids, strict=True)))
        mt = mt.select_rows().select_globals().select_entries(*entry_fields)
        mt.key_cols_by(s=names[mt.s]).select_cols().write("/out/matrix.mt")
        why_not = imported.result()
    return {"hail": version, "tools": versions("plink2", "bcftools"), "no_pgen": why_not, "calls": calls}


def verify_matrix(
    *,
    genome: str,
    internal_ids: list[str],
    contigs: dict[str, int],
    exact: bool,
    no_pgen: str,
    calls: list[int],
    need_pgen: bool,
) -> dict[str, Any]:
    """Reads /out/matrix.mt back: people, rows a contig, and what each person carries, by Hail and by plink2.

    Makes /out/plink from /job/import, its rows in the matrix's order, unless `no_pgen` says why there is none. `exact`:
    `contigs` must be the stored rows a contig. Raises Mismatch, and NoPgen when plink2 fails and `need_pgen`. Gives rows,
    rows a contig, `no_pgen`, and `reads`: the matrix's entry fields and what `quality.reads` counts of each person.
    """
    need_complete("/out/matrix.mt")
    stored = hl.read_matrix_table("/out/matrix.mt")
    need_plain(stored)
    rows = _write_rows(stored)
    if exact and rows != contigs:
        raise Mismatch(
            f"The files have {sum(contigs.values())} records to keep, but {sum(rows.values())} were stored "
            f"({len(contigs)} and {len(rows)} chromosomes)."
        )
    with ThreadPoolExecutor(1) as beside:
        # plink2's own scan of the same genotypes, while Hail makes its.
        read = beside.submit(_by_plink, internal_ids, genome, no_pgen, need_pgen)
        ours, reads = _carried(stored)
        if [person[0] for person in ours] != internal_ids:
            raise Mismatch("The stored people are not those of the files' headers, in their order.")
        if calls and [sum(person[1:4]) for person in ours] != calls:
            raise Mismatch("The stored people do not have as many genotypes as their files.")
        no_pgen, theirs = read.result()
    if not no_pgen and theirs != ours:
        raise Mismatch("Hail and plink2 do not read the same genotypes from the files.")
    counted = {"fields": list(stored.entry), "people": reads}
    return {"rows": sum(rows.values()), "contigs": rows, "no_pgen": no_pgen, "reads": counted}


def _by_plink(
    internal_ids: list[str], genome: str, no_pgen: str, need_pgen: bool
) -> tuple[str, list[tuple[str, int, int, int, int]]]:
    """Makes the PGEN; gives why there is none, else what each person carries."""
    no_pgen = no_pgen or plink.attempt(need_pgen, plink.arrange, ROWS, genome)
    return no_pgen, [] if no_pgen else plink.carried(internal_ids, genome)


def _write_rows(stored: Any) -> dict[str, int]:
    """Writes ROWS; gives the rows a contig."""
    rows = stored.rows().key_by()
    alternatives = hl.if_else(hl.len(rows.alleles) > 1, hl.delimit(rows.alleles[1:], ","), ".")
    rows.select(
        contig=rows.locus.contig, position=rows.locus.position, reference=rows.alleles[0], alternatives=alternatives
    ).export(str(ROWS), header=False)
    counted: Counter[str] = Counter()
    with ROWS.open(encoding="utf-8") as lines:
        for line in lines:
            counted[line.split("\t", 1)[0]] += 1
    return dict(counted)


def _carried(stored: Any) -> tuple[list[tuple[str, int, int, int, int]], list[list[Any]]]:
    """For each column in stored order: id, and how many calls are reference, heterozygous, other, and missing.

    In the same scan: id, and what `quality.reads` counts.

    Two different alleles where people have one (Y, MT) count as missing, as plink2 counts them.
    """
    stored = quality.with_sites(stored)
    one_copy = hl.literal({"Y", "MT", "chrY", "chrM"}).contains(stored.locus.contig)
    # The kind of a call as a power of 2^20 would overflow with the rows; two sums hold up to 2^31 rows each.
    kind = (
        hl.case()
        .when(hl.is_missing(stored.GT), hl.int64(0))
        .when(stored.GT.is_hom_ref(), hl.int64(1))
        .when(stored.GT.is_het(), hl.if_else(one_copy, hl.int64(0), hl.int64(1 << 31)))
        .default(hl.int64(0))
    )
    other = hl.is_defined(stored.GT) & stored.GT.is_hom_var()
    counted = stored.select_cols(
        sum=hl.agg.sum(kind), other=hl.agg.count_where(other), all=hl.agg.count(), reads=quality.reads(stored)
    )
    found, reads = [], []
    for column in counted.key_cols_by().cols().collect():
        reference, heterozygous = column.sum & ((1 << 31) - 1), column.sum >> 31
        missing = column.all - reference - heterozygous - column.other
        found.append((column.s, reference, heterozygous, column.other, missing))
        reads.append([column.s, *quality.told(column.reads)])
    return found, reads


def _merge(files: list[str], in_order: list[bool]) -> list[int]:
    """Merges single-sample files into one; gives how many whole calls each holds. A site that a file lacks is missing."""
    folder = Path("/scratch/single")
    folder.mkdir()
    links, calls = [], []
    for number, file in enumerate(files):
        link = folder / f"{number:06}.vcf.gz"
        index(file, link, in_order=in_order[number])
        calls.append(_calls(link))
        links.append(link)
    names = folder / "files.txt"
    names.write_text("".join(f"{link}\n" for link in links), encoding="utf-8")
    # Names of samples may be alike in two files only if the check let them be, which it does not.
    _run("merge", "--no-version", "-m", "none", "-l", str(names), "-Oz1", "-o", _MERGED)
    return calls


def index(file: str, link: Path, *, in_order: bool) -> None:
    """Makes `link` a file with an index beside it: our own, as one that came along may be of another version."""
    if not in_order:
        _run("sort", "-Oz1", "-T", f"{link}.sorting", "-o", str(link), file)
    elif file.endswith(".gz"):
        link.symlink_to(file)
    else:
        _run("view", "--no-version", "-Oz1", "-o", str(link), file)
    _run("index", "-t", "-o", f"{link}.tbi", str(link))


def _calls(file: Path) -> int:
    """How many calls of a single-sample file have no missing allele."""
    command = [_BCFTOOLS, "query", "-f", "[%GT]\n", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=None, text=True) as process:
        assert process.stdout is not None  # noqa: S101  (told to mypy)
        count = sum("." not in line for line in process.stdout)
    if process.returncode:
        raise Mismatch("bcftools could not read a file.")
    return count


def _run(*words: str) -> None:
    """Runs bcftools; what it says goes to the custodian's log."""
    if subprocess.run([_BCFTOOLS, *words], check=False, stdout=2).returncode:
        raise Mismatch("bcftools could not prepare the files.")
