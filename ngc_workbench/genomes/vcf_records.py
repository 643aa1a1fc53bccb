"""Checks of one VCF record, in pure Python and without a look at each genotype alone where that can be avoided.

Hail takes in silence a genotype index beyond the alternatives, a whole number above 2^31 (it becomes negative), an AD
array of the wrong length, a REF with IUPAC codes (the row is dropped) and a column too many. So each FORMAT gets one
regular expression that a whole line of samples must match.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from ngc_workbench.genomes.reference import LENGTHS, bare

KEPT_FIELDS = ("GT", "AD", "DP", "GQ")
"""Entry fields that a release keeps, when the VCF has them as the specification types them."""

_EXPECTED_TYPE = {"GT": "String", "AD": "Integer", "DP": "Integer", "GQ": "Integer"}
_INTEGER = rb"(?:[0-9]{1,9}|1[0-9]{9}|20[0-9]{8}|21[0-3][0-9]{7})"
_REF = re.compile(rb"[ACGTNacgtn]+")
_ALT = re.compile(rb"[ACGTNacgtn]+|\*|<[^<>\s,]+>|[ACGTNacgtn.]*[\[\]][^\[\]\s,]+[\[\]][ACGTNacgtn.]*")
_PLOIDY = re.compile(rb"(?:\.|\d+)(?:[/|](?:\.|\d+)){2,}")


@dataclass
class Defect(Exception):
    """What is wrong with a line (1 is the first of the file; 0: the file as a whole) and what to do about it."""

    line: int
    what: str
    remedy: str


def kept_fields(declared: Mapping[str, str]) -> tuple[str, ...]:
    """The entry fields to keep, from the header's FORMAT declarations (id to Type)."""
    return tuple(field for field in KEPT_FIELDS if declared.get(field) == _EXPECTED_TYPE[field])


class RecordChecks:
    """Checks records against a header: `samples` columns, the genome, and the declared FORMAT fields (id to Type)."""

    def __init__(self, samples: int, genome: str, declared: Mapping[str, str]) -> None:
        self._samples = samples
        self._genome = genome
        self._lengths = LENGTHS[genome]
        self._declared = declared
        self._kept = kept_fields(declared)
        self.contigs: dict[str, None] = {}

    def check(self, number: int, line: bytes) -> None:
        """Raises Defect for the first thing that is wrong with the record on line `number`."""
        fields = line.split(b"\t", 9)
        if len(fields) < 10:
            raise Defect(
                number,
                f"the record has {len(fields)} columns",
                "Columns are parted by single tabs; make the file again.",
            )
        chrom, pos, _, ref, alt, qual, _, _, form, rest = fields
        columns = rest.count(b"\t") + 1
        if columns != self._samples:
            raise Defect(
                number,
                f"there are {columns} genotypes for {self._samples} samples",
                "Make the file again; the line may be cut.",
            )
        self._place(number, chrom, pos)
        if not _REF.fullmatch(ref):
            raise Defect(
                number,
                "REF holds something else than A, C, G, T and N",
                "Replace such letters by N, or leave the record out.",
            )
        alternatives = [] if alt == b"." else alt.split(b",")
        if not all(_ALT.fullmatch(allele) for allele in alternatives):
            raise Defect(number, "an ALT allele is malformed", "Check the program that wrote it; leave the record out.")
        if qual != b"." and not _is_number(qual):
            raise Defect(number, "QUAL is not a number", "Write a number, or a dot for unknown.")
        self._genotypes(number, form, len(alternatives), rest)

    def _place(self, number: int, chrom: bytes, pos: bytes) -> None:
        contig = chrom.decode("utf-8", "replace")
        length = self._lengths.get(bare(contig))
        if length is None:
            raise Defect(
                number, f"contig {contig[:30]!r} is not a chromosome of {self._genome}",
                "Keep chromosomes 1 to 22, X, Y and MT, for instance with `bcftools view --targets`.",
            )  # fmt: skip
        if not pos.isdigit() or not 1 <= int(pos) <= length:
            raise Defect(
                number, f"position {pos[:20].decode('utf-8', 'replace')} is not on chromosome {contig} of {self._genome}",
                "Check which genome the file was called on; its ##contig lines should say so.",
            )  # fmt: skip
        self.contigs.setdefault(contig)

    def _genotypes(self, number: int, form: bytes, alternatives: int, rest: bytes) -> None:
        keys = form.decode("utf-8", "replace").split(":")
        if keys[0] != "GT":
            raise Defect(
                number, "FORMAT does not begin with GT", "Records without genotypes can't be used; leave them out."
            )
        for key in keys:
            if key in KEPT_FIELDS and key not in self._declared:
                raise Defect(
                    number,
                    f"FORMAT uses {key}, which the header does not declare",
                    "Add its ##FORMAT line to the header.",
                )
        pattern = _pattern(tuple(key if key in self._kept else "" for key in keys), alternatives)
        # With GT alone a line has few different values: each is looked at once.
        values: Iterable[bytes] = set(rest.split(b"\t")) if len(keys) == 1 else (rest,)
        one, many = pattern
        if all((one if len(keys) == 1 else many).fullmatch(value) for value in values):
            return
        column, value = next(
            (at, value) for at, value in enumerate(rest.split(b"\t"), 1) if one.fullmatch(value) is None
        )
        raise Defect(
            number,
            f"sample column {column}: {_complaint(value, keys, alternatives)}",
            "Make the file again with the caller's current version, or leave the record out.",
        )


def _is_number(text: bytes) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _complaint(value: bytes, keys: list[str], alternatives: int) -> str:
    parts = value.split(b":")
    genotype = parts[0]
    if _PLOIDY.fullmatch(genotype):
        return "the genotype has more than two alleles"
    indexes = [int(index) for index in re.findall(rb"\d+", genotype)]
    if indexes and max(indexes) > alternatives and re.fullmatch(rb"[\d.]+(?:[/|][\d.]+)?", genotype):
        return f"the genotype names allele {max(indexes)}, but there are {alternatives} alternatives"
    if len(parts) > len(keys):
        return f"there are {len(parts)} values for {len(keys)} FORMAT fields"
    return "a value of GT, AD, DP or GQ is malformed, out of range, or an array of the wrong length"


@lru_cache(maxsize=512)
def _pattern(keys: tuple[str, ...], alternatives: int) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """Patterns of one sample's value and of a whole line of them. Keys that are not kept are empty: anything goes."""
    # Fields at the end of a value may be left out.
    value = b""
    for key in reversed(keys[1:]):
        value = b"(?::" + _field(key, alternatives) + value + b")?"
    value = _field(keys[0], alternatives) + value
    return re.compile(value), re.compile(value + b"(?:\t" + value + b")*")


def _field(key: str, alternatives: int) -> bytes:
    if key == "GT":
        allele = b"(?:\\.|%s)" % _at_most(alternatives)
        return allele + b"(?:[/|]" + allele + b")?"
    if key == "AD":
        one = b"(?:\\.|" + _INTEGER + b")"
        return b"(?:%s(?:,%s){%d}|\\.)" % (one, one, alternatives)
    if key in ("DP", "GQ"):
        return b"(?:\\.|" + _INTEGER + b")"
    return rb"[^:\t]*"


def _at_most(number: int) -> bytes:
    """A pattern of the whole numbers from 0 to `number`, without leading zeros."""
    if number < 10:
        return b"[0-%d]" % number
    return b"(?:" + b"|".join(b"%d" % value for value in range(number, -1, -1)) + b")"
