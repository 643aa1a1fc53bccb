"""Several files: whether they fit together, and how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from ngc_workbench.genomes.preflight.files import FileChecked, VcfFile
from ngc_workbench.genomes.preflight.findings import DefectsFound, Finding, across


@dataclass(frozen=True)
class Checked:
    """What the check of all files found.

    `layout`: "one" VCF; "regions", the same samples in the same order in each file; "samples", one sample a file;
    "gvcf", gVCFs. A file that could not be read has findings and no place in `files`.
    """

    files: tuple[VcfFile, ...]
    findings: tuple[Finding, ...]
    layout: str

    def or_refuse(self) -> Self:
        """Itself. Raises DefectsFound when there is a defect."""
        if any(finding.severity == "defect" for finding in self.findings):
            raise DefectsFound(self.findings)
        return self

    @property
    def samples(self) -> tuple[str, ...]:
        """All samples, in the order of columns to be stored."""
        if self.layout in ("one", "regions"):
            return self.files[0].samples if self.files else ()
        return tuple(sample for file in self.files for sample in file.samples)


def put_together(checked: Sequence[FileChecked]) -> Checked:
    """Each file's findings, then those about several."""
    findings = [finding for one in checked for finding in one.findings]
    read = [one for one in checked if one.file is not None]
    files = tuple(one.file for one in read if one.file is not None)
    layout = _layout(files)
    findings += _same_files(files)
    findings += _kinds_and_genomes(files)
    if layout in ("samples", "gvcf"):
        findings += _samples_once(files)
    elif layout == "regions":
        findings += _same_samples(files)
        findings += _apart(read)
    findings += _fields(read)
    return Checked(files, tuple(findings), layout)


def _layout(files: Sequence[VcfFile]) -> str:
    if files and any(file.kind == "gvcf" for file in files):
        return "gvcf"
    if len(files) < 2:
        return "one"
    if all(len(file.samples) == 1 for file in files) and len({file.samples for file in files}) > 1:
        return "samples"
    return "regions"


def _same_files(files: Sequence[VcfFile]) -> list[Finding]:
    first: dict[str, VcfFile] = {}
    found = []
    for file in files:
        other = first.setdefault(file.sha256, file)
        if other is not file:
            found.append(across("file-twice", file.name, f"it has the same content as {other.name}"))
    return found


def _kinds_and_genomes(files: Sequence[VcfFile]) -> list[Finding]:
    found = []
    for kind, what in (("kinds-mixed", "kind"), ("genomes-differ", "genome")):
        others = [file for file in files if getattr(file, what) != getattr(files[0], what)]
        if others:
            values = (getattr(others[0], what), getattr(files[0], what))
            names = {"vcf": "a VCF", "gvcf": "a gVCF"}
            mine, its = (names.get(value, f"of {value}") for value in values)
            found.append(across(kind, others[0].name, f"it is {mine}, but {files[0].name} is {its}", len(others)))
    return found


def _samples_once(files: Sequence[VcfFile]) -> list[Finding]:
    first: dict[str, VcfFile] = {}
    found = []
    for file in files:
        again = [sample for sample in file.samples if first.setdefault(sample, file) is not file]
        if again:
            other = first[again[0]]
            found.append(across("sample-in-two", file.name, f"its sample is in {other.name} too", len(again)))
    return found


def _same_samples(files: Sequence[VcfFile]) -> list[Finding]:
    found = []
    first = files[0]
    for file in files[1:]:
        if file.samples == first.samples:
            continue
        if set(file.samples) == set(first.samples) and len(file.samples) == len(first.samples):
            at = next(
                at for at, pair in enumerate(zip(file.samples, first.samples, strict=True), 1) if pair[0] != pair[1]
            )
            text = f"its samples are in another order than those of {first.name}, from sample column {at} on"
            found.append(across("samples-order", file.name, text))
        else:
            lacking = len(set(first.samples) - set(file.samples))
            more = len(set(file.samples) - set(first.samples))
            text = f"its samples are not those of {first.name}: {lacking} are lacking, {more} are new"
            found.append(across("samples-differ", file.name, text))
    return found


def _apart(read: Sequence[FileChecked]) -> list[Finding]:
    """Ranges of one chromosome in two files must not touch."""
    found = []
    spans = sorted((contig, low, high, at) for at, one in enumerate(read) for contig, (low, high) in one.ranges.items())
    told: set[int] = set()
    reach: tuple[str, int, int] | None = None  # chromosome, highest position so far, and whose
    for contig, low, high, at in spans:
        if reach is not None and reach[0] == contig and low <= reach[1]:
            later, earlier = max(at, reach[2]), min(at, reach[2])
            mine, other = read[later].file, read[earlier].file
            if later not in told and later != earlier and mine is not None and other is not None:
                told.add(later)
                text = f"its records on {contig} overlap those of {other.name}, at positions {low} to {min(high, reach[1])}"
                found.append(across("regions-overlap", mine.name, text))
        if reach is None or reach[0] != contig or high > reach[1]:
            reach = (contig, high, at)
    return found


def _fields(read: Sequence[FileChecked]) -> list[Finding]:
    first = next((one for one in read), None)
    others = [one for one in read if first is not None and one.formats != first.formats]
    if first is None or not others or others[0].file is None or first.file is None:
        return []
    text = f"it declares other FORMAT fields than {first.file.name}"
    return [across("fields-differ", others[0].file.name, text, len(others))]
