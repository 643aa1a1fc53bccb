"""The records of a VCF: each is looked at as a whole first, and taken apart only when something does not fit."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

import re2  # type: ignore[import-untyped]

from ngc_workbench.genomes.preflight.alleles import Alleles, read_alleles
from ngc_workbench.genomes.preflight.findings import PLACES, Findings, shown
from ngc_workbench.genomes.preflight.genotypes import HALF_CALL, Plan, Plans
from ngc_workbench.genomes.preflight.header import SPECIFIED, Header
from ngc_workbench.genomes.preflight.order import TWICE, Order
from ngc_workbench.genomes.reference import LENGTHS, bare
from ngc_workbench.pseudonyms import find_cpr

_QUAL = re.compile(rb"\.|\d{1,12}(?:\.\d{0,30})?(?:[eE][+-]?\d{1,3})?")
_PLAIN_NAME = re.compile(rb"\w{1,64}")
_MOST_INFO_FIELDS = 500
_MOST_REMEMBERED = 4096
_LINES_TAKEN_APART = 1000
"""Lines of a part in which every bad value is told; in later ones only the first, so that time stays bounded."""


@dataclass(frozen=True)
class _Contig:
    """Length 0: not a chromosome."""

    length: int
    autosome: bool


class Records:
    """Checks records one by one. `line` numbers count from the part's own first line."""

    def __init__(self, header: Header, genome: str, accept: Collection[str], findings: Findings) -> None:
        self._header = header
        self._lengths = LENGTHS[genome]
        self._genome = genome
        self._findings = findings
        self._samples = len(header.samples)
        self._infos = {name.encode() for name in header.infos}
        self._info_fits = _info_matcher(self._infos)
        self._filters = {name.encode() for name in header.filters} | {b"."}
        self._left_out = {
            kind
            for kind, option in (("contig-unknown", "unknown-contigs"), ("ref-iupac", "iupac-reference"),
                                 ("no-gt", "no-genotypes"), ("duplicate", "duplicate-records"))
            if option in accept
        }  # fmt: skip
        half = "half-calls" in accept
        self._plans = Plans(header.formats, half=half)
        self._half = HALF_CALL if half else None
        self._contigs: dict[bytes, _Contig] = {}
        self._alleles: dict[tuple[bytes, bytes], Alleles] = {}
        self._formats: dict[bytes, bool] = {}
        self._current: bytes | None = None
        self._contig = _Contig(0, autosome=False)
        self._apart = 0
        self.order = Order(findings)
        self.records = 0
        self.kept = 0
        self.non_ref = 0
        self.ends = 0
        self.without_non_ref = 0
        self._lines_without: list[int] = []

    def check(self, number: int, line: bytes) -> bool:
        """Takes one line; whether its record will be stored (when its defects, if any, are accepted)."""
        fields = line.split(b"\t", 9)
        if len(fields) < 10 or line.startswith(b"#"):
            self._no_record(number, line, len(fields))
            return False
        chrom, pos, id_, ref, alt, qual, filter_, info, form, rest = fields
        self.records += 1
        if chrom != self._current:
            self._enter(chrom, number)
        alleles = self._alleles.get((ref, alt)) or self._read_alleles(ref, alt)
        for kind, text in alleles.problems:
            self._findings.add(kind, ("line", number), text)
        keep = not (alleles.iupac and "ref-iupac" in self._left_out)
        position, fresh = self._place(number, chrom, pos, (ref, alt))
        keep = keep and fresh
        if qual != b"." and not _QUAL.fullmatch(qual):
            self._findings.add("qual", ("line", number), "QUAL is not a number from 0")
        if filter_ not in self._filters:
            self._filter(number, filter_)
        if len(id_) > 9 and find_cpr(id_.decode("utf-8", "replace")):
            self._findings.add("cpr-in-id", ("line", number), "the column ID holds what looks like a CPR number")
        self._end(number, position, self._info(number, info), alleles)
        if not self._formats.get(form) and not self._format(number, form):
            keep = keep and "no-gt" not in self._left_out
        elif keep:
            self._values(number, form, alleles.alternatives, rest)
        if keep:
            self.kept += 1
            if self._contig.length:
                self.order.keep()
        return keep

    def _place(self, number: int, chrom: bytes, pos: bytes, site: tuple[bytes, bytes]) -> tuple[int, bool]:
        """The position (-1: none), and False when the record is to be left out for where it stands."""
        contig = self._contig
        keep = True
        if not contig.length:
            name = shown(chrom)
            text = f"contig {name} is not a chromosome of {self._genome}"
            self._findings.add("contig-unknown", ("line", number), text, name)
            keep = "contig-unknown" not in self._left_out
        position = int(pos) if pos.isdigit() and len(pos) < 11 else -1
        if position < 1:
            self._findings.add("position", ("line", number), f"position {shown(pos)} is not a whole number above 0")
        elif contig.length:
            if position > contig.length:
                self._beyond(number, chrom, pos)
            if not self.order.place(position, site, number):
                self._findings.add("duplicate", ("line", number), TWICE)
                keep = "duplicate" not in self._left_out
        return position, keep

    def _end(self, number: int, position: int, end: int | None, alleles: Alleles) -> None:
        """What a gVCF must have: the alternative that stands for all others, and END of its blocks."""
        if alleles.non_ref:
            self.non_ref += 1
            if alleles.block or end is not None:
                self._block(number, position, end)
            return
        self.without_non_ref += 1
        if self.without_non_ref <= PLACES:
            self._lines_without.append(number)
        if end is not None:
            self.ends += 1

    @property
    def whole_arrays(self) -> bool:
        """Whether no record so far has an AD of which one value is missing. False may be a false alarm."""
        return self._plans.whole_arrays

    def finish(self) -> None:
        """Notes what was only counted: most files are no gVCFs, and every one of their records lacks the alternative."""
        text = "the record of a gVCF lacks the alternative <NON_REF>"
        for at, line in enumerate(self._lines_without):
            times = self.without_non_ref - len(self._lines_without) + 1 if at == 0 else 1
            self._findings.add("no-non-ref", ("line", line), text, times=times)

    def _no_record(self, number: int, line: bytes, columns: int) -> None:
        place = ("line", number)
        stripped = line.rstrip(b"\r")
        if not stripped.strip():
            self._findings.add("blank-line", place, "a line is empty")
        elif stripped.startswith(b"#CHROM"):
            self._findings.add("header-line-twice", place, "there is a second #CHROM line")
        elif stripped.startswith(b"#"):
            self._findings.add("header-line-twice", place, "a header line stands among the records")
        else:
            self.records += 1
            if columns == 1 and len(stripped.split(None, 10)) > 9:
                self._findings.add("spaces", place, "columns are parted by spaces, not by tabs")
            else:
                total = 9 + self._samples
                self._findings.add("columns-few", place, f"the record has {columns} columns of {total}")
        if line.endswith(b"\r"):
            self._findings.add("crlf", place, "lines end the Windows way (CR LF)")

    def _enter(self, chrom: bytes, number: int) -> None:
        self._current = chrom
        known = self._contigs.get(chrom)
        if known is None:
            name = bare(chrom.decode("utf-8", "replace"))
            known = _Contig(self._lengths.get(name, 0), autosome=name not in ("X", "Y", "MT"))
            if len(self._contigs) < _MOST_REMEMBERED:
                self._contigs[chrom] = known
        self._contig = known
        if known.length:
            self.order.contig(chrom, number)

    def _read_alleles(self, ref: bytes, alt: bytes) -> Alleles:
        alleles = read_alleles(ref, alt)
        if len(self._alleles) < _MOST_REMEMBERED and len(ref) + len(alt) < 100:
            self._alleles[ref, alt] = alleles
        return alleles

    def _beyond(self, number: int, chrom: bytes, pos: bytes) -> None:
        self._findings.add(
            "position-beyond",
            ("line", number),
            f"position {shown(pos)} is not on chromosome {shown(chrom)} of {self._genome}, "
            f"which has {self._contig.length}",
        )

    def _filter(self, number: int, filter_: bytes) -> None:
        for name in filter_.split(b";")[:100]:
            if name not in self._filters:
                text = f"FILTER {shown(name)} is not declared"
                self._findings.add("filter-undeclared", ("line", number), text, text)

    def _info(self, number: int, info: bytes) -> int | None:
        """END, when the record has one (-1: not a number)."""
        if info == b".":
            return None
        fits = self._info_fits
        if fits is not None and b"END=" not in info and fits(info) is not None:
            return None
        end = None
        for item in info.split(b";"):
            key, _, value = item.partition(b"=")
            if key == b"END":
                end = int(value) if value.isdigit() and len(value) < 11 else -1
            if key not in self._infos and key:
                text = f"INFO field {shown(key)} is not declared"
                self._findings.add("info-undeclared", ("line", number), text, text)
        return end

    def _block(self, number: int, position: int, end: int | None) -> None:
        if end is None:
            self._findings.add("end-missing", ("line", number), "a reference block has no END")
        elif end < position:
            self._findings.add("end-before", ("line", number), "END is not a position at or after POS")
        elif self._contig.length and end > self._contig.length:
            text = f"END is past the chromosome's {self._contig.length}"
            self._findings.add("end-beyond", ("line", number), text)

    def _format(self, number: int, form: bytes) -> bool:
        """Whether the FORMAT has GT in its place; notes what is wrong with it."""
        keys = form.decode("utf-8", "replace").split(":")
        place = ("line", number)
        fine = True
        for key in dict.fromkeys(keys[:1000]):
            if not key:
                self._findings.add("format-malformed", place, "FORMAT is empty, or has an empty field")
                fine = False
            elif key not in self._header.formats and key != "GT":
                kind = "format-undeclared" if key in SPECIFIED else "format-other-undeclared"
                text = f"FORMAT uses {shown(key)}, which the header does not declare"
                self._findings.add(kind, place, text, text)
                fine = False
        if len(set(keys)) < len(keys):
            self._findings.add("format-twice", place, "FORMAT has a field twice")
            fine = False
        if keys[0] != "GT":
            if "GT" in keys:
                self._findings.add("gt-not-first", place, "FORMAT does not begin with GT")
                return True
            self._findings.add("no-gt", place, "FORMAT has no GT")
            return False
        if fine and len(self._formats) < _MOST_REMEMBERED:
            self._formats[form] = True
        return True

    def _values(self, number: int, form: bytes, alternatives: int, rest: bytes) -> None:
        plan = self._plans.find(form, alternatives, autosome=self._contig.autosome)
        if not plan.fits(rest, self._samples):
            self._apart_values(number, plan, rest)
        if self._half is not None and self._half(rest) is not None:
            self._findings.add("gt-half", ("line", number), "one allele of a genotype is unknown")

    def _apart_values(self, number: int, plan: Plan, rest: bytes) -> None:
        place = ("line", number)
        if rest.endswith(b"\r"):
            self._findings.add("crlf", place, "lines end the Windows way (CR LF)")
            rest = rest[:-1]
            if plan.fits(rest, self._samples):
                return
        columns = rest.count(b"\t") + 1
        if columns != self._samples:
            kind = "columns-few" if columns < self._samples else "columns-many"
            text = f"there are {columns} genotypes for {self._samples} samples"
            self._findings.add(kind, place, text)
        most = self._samples + 1 if self._apart < _LINES_TAKEN_APART else 1
        any_found = False
        for column, (kind, detail, text) in plan.problems(rest, most):
            any_found = True
            self._findings.add(kind, place, f"sample column {column}: {text}", detail)
        if any_found:
            self._apart += 1
            if self._apart == _LINES_TAKEN_APART:
                text = "from here on, only the first bad value of a line is told"
                self._findings.add("more-not-counted", place, text)


def _info_matcher(names: Collection[bytes]) -> Callable[[bytes], object] | None:
    """An automaton for an INFO column of declared fields alone; None when they are too many or oddly named."""
    if not names or len(names) > _MOST_INFO_FIELDS or not all(_PLAIN_NAME.fullmatch(name) for name in names):
        return None
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.never_capture = True
    options.log_errors = False
    item = b"(?:" + b"|".join(sorted(names)) + b")(?:=[^;]*)?"
    try:
        matcher: Callable[[bytes], object] = re2.compile(item + b"(?:;" + item + b")*;?", options).fullmatch
    except re2.error:
        return None
    return matcher
