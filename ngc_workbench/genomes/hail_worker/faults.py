"""The closed list of what can go wrong in the container, with fixed texts.

Hail's and Java's own texts quote paths, names of samples and values. They go to the custodian's log and nowhere else.
"""

from __future__ import annotations

import traceback


class Mismatch(Exception):
    """A check after writing failed. Its text is one of ours and names nobody."""


class NoPgen(Exception):
    """plink2 can't do what Hail can, for a reason that we don't know. Its text is one of ours and names nobody."""


_TEXTS: list[tuple[tuple[str, ...], str, str]] = [
    (("No space left on device", "Disk quota exceeded"), "disk_full", "The disk is full."),
    (("OutOfMemoryError", "GC overhead limit"), "out_of_memory", "Hail ran out of memory."),
    (
        ("Invalid locus", "is not in the reference genome"),
        "input",
        "Hail finds a position that the reference genome does not have.",
    ),
    (("ploidy > 2",), "input", "Hail finds a genotype of more than two alleles."),
    (
        ("VCFParseError", "InvalidHeader", "NumberFormatException", "Invalid call"),
        "input",
        "Hail can't parse a record of the VCF.",
    ),
    (("ZipException", "block gzip"), "input", "Hail can't decompress the VCF."),
    (("ChecksumException",), "integrity", "A stored file does not have its checksum."),
    (("FileNotFoundException", "file not found"), "integrity", "A part of a stored matrix is missing."),
    (("zip: length mismatch",), "integrity", "A stored matrix has another number of people than genotypes."),
]


def classify(error: BaseException) -> tuple[str, str]:
    """Code and text for an exception."""
    if isinstance(error, Mismatch):
        return "integrity", str(error)
    if isinstance(error, NoPgen):
        return "no_pgen", str(error)
    said = "".join(traceback.format_exception(error))
    for marks, code, text in _TEXTS:
        if any(mark in said for mark in marks):
            return code, text
    return "other", f"Hail failed ({type(error).__name__})."
