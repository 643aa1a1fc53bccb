"""What a file is, told from its content; its name is never believed.

Kinds that a check reads, or a checker can look at, are `table`, `text` and `image`. Formats that hold a row a person, or hide
their content from review (archives, compressed, encrypted, pickled, PDF, any binary that we don't know) are `closed`: what a checker can't be shown
can't be released. The rest are `other`: text that no check reads, shown as text.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Literal

Family = Literal["table", "text", "image", "closed", "other"]


@dataclass(frozen=True)
class Kind:
    """The kind's short name, its family, and its name for people in English and Danish."""

    name: str
    family: Family
    en: str
    da: str


_GENOTYPES_EN = "individual genotypes"
_GENOTYPES_DA = "den enkeltes genotyper"

# (offset, bytes, kind); the first that matches counts.
_SIGNATURES: tuple[tuple[int, bytes, Kind], ...] = (
    (0, b"##fileformat=VCF", Kind("vcf", "closed", f"VCF ({_GENOTYPES_EN})", f"VCF ({_GENOTYPES_DA})")),
    (0, b"BCF\x02", Kind("bcf", "closed", f"BCF ({_GENOTYPES_EN})", f"BCF ({_GENOTYPES_DA})")),
    (0, b"l\x1b\x01", Kind("plink-bed", "closed", f"PLINK bed ({_GENOTYPES_EN})", f"PLINK-bed ({_GENOTYPES_DA})")),
    (0, b"l\x1b\x00", Kind("plink-bed", "closed", f"PLINK bed ({_GENOTYPES_EN})", f"PLINK-bed ({_GENOTYPES_DA})")),
    (0, b"l\x1b", Kind("plink-pgen", "closed", f"PLINK pgen ({_GENOTYPES_EN})", f"PLINK-pgen ({_GENOTYPES_DA})")),
    (16, b"bgen", Kind("bgen", "closed", f"BGEN ({_GENOTYPES_EN})", f"BGEN ({_GENOTYPES_DA})")),
    (0, b"BAM\x01", Kind("bam", "closed", "BAM (sequence reads)", "BAM (sekvenslæsninger)")),
    (0, b"CRAM", Kind("cram", "closed", "CRAM (sequence reads)", "CRAM (sekvenslæsninger)")),
    (0, b"crypt4gh", Kind("crypt4gh", "closed", "an encrypted file (Crypt4GH)", "en krypteret fil (Crypt4GH)")),
    (0, b"Salted__", Kind("encrypted", "closed", "an encrypted file", "en krypteret fil")),
    (0, b"-----BEGIN PGP", Kind("encrypted", "closed", "an encrypted file (PGP)", "en krypteret fil (PGP)")),
    (0, b"age-encryption.org/", Kind("encrypted", "closed", "an encrypted file (age)", "en krypteret fil (age)")),
    (0, b"PK\x03\x04", Kind("zip", "closed", "a zip archive (Excel files are too)", "et zip-arkiv (Excel-filer er det også)")),
    (0, b"PK\x05\x06", Kind("zip", "closed", "an empty zip archive", "et tomt zip-arkiv")),
    (0, b"\x1f\x8b", Kind("gzip", "closed", "a compressed file (gzip)", "en komprimeret fil (gzip)")),
    (0, b"BZh", Kind("bzip2", "closed", "a compressed file (bzip2)", "en komprimeret fil (bzip2)")),
    (0, b"\xfd7zXZ\x00", Kind("xz", "closed", "a compressed file (xz)", "en komprimeret fil (xz)")),
    (0, b"(\xb5/\xfd", Kind("zstd", "closed", "a compressed file (zstd)", "en komprimeret fil (zstd)")),
    (0, b"7z\xbc\xaf\x27\x1c", Kind("7z", "closed", "an archive (7z)", "et arkiv (7z)")),
    (0, b"Rar!", Kind("rar", "closed", "an archive (rar)", "et arkiv (rar)")),
    (257, b"ustar", Kind("tar", "closed", "an archive (tar)", "et arkiv (tar)")),
    (0, b"\x93NUMPY", Kind("npy", "closed", "a NumPy array", "en NumPy-tabel")),
    (0, b"\x89HDF\r\n\x1a\n", Kind("hdf5", "closed", "an HDF5 file", "en HDF5-fil")),
    (0, b"PAR1", Kind("parquet", "closed", "a Parquet file", "en Parquet-fil")),
    (0, b"ARROW1", Kind("arrow", "closed", "an Arrow file", "en Arrow-fil")),
    (0, b"SQLite format 3\x00", Kind("sqlite", "closed", "a database (SQLite)", "en database (SQLite)")),
    (0, b"\xd0\xcf\x11\xe0", Kind("ole", "closed", "an old Office file", "en gammel Office-fil")),
    (0, b"RDX", Kind("rdata", "closed", "an R workspace", "en R-arbejdsflade")),
    (0, b"%PDF-", Kind("pdf", "closed", "a PDF", "en PDF")),
    (0, b"\x89PNG\r\n\x1a\n", Kind("png", "image", "an image (PNG)", "et billede (PNG)")),
    (0, b"\xff\xd8\xff", Kind("jpeg", "image", "an image (JPEG)", "et billede (JPEG)")),
)  # fmt: skip
# The MatrixTable's own parts, should somebody hand in the files one by one.
_HAIL = re.compile(rb'"(?:file_version|references_rel_path|components|n_partitions|_codecSpec)"')
_PICKLE_OPCODES = re.compile(rb"^(?:\(?[a-z]?c[A-Za-z_][\w.]*\n[A-Za-z_]\w*\n|\(dp0\n|\(lp0\n)")

TABLE = Kind("table", "table", "a table", "en tabel")
TEXT = Kind("text", "text", "text", "tekst")
EMPTY = Kind("empty", "text", "an empty file", "en tom fil")
NOTEBOOK = Kind("notebook", "other", "a notebook", "en notebook")
HTML = Kind("html", "other", "an HTML page", "en HTML-side")
SVG = Kind("svg", "other", "an image (SVG)", "et billede (SVG)")
JSON = Kind("json", "other", "JSON", "JSON")
PICKLE = Kind("pickle", "closed", "a pickle (code that runs when opened)", "en pickle (kode, der kører, når den åbnes)")
MATRIX_TABLE = Kind(
    "matrix-table", "closed", "part of a Hail MatrixTable or Table", "en del af en MatrixTable eller Table fra Hail"
)
OPAQUE = Kind("opaque", "closed", "a binary file of unknown kind", "en binær fil af ukendt art")


def of(content: bytes, text: str | None) -> Kind:
    """The kind of a whole file. `text` is the content decoded, None when it is not text.

    Whether a text is a table, `tables.read` says; here it is TEXT.
    """
    if not content:
        return EMPTY
    for offset, signature, kind in _SIGNATURES:
        if content.startswith(signature, offset):
            return kind
    if content[0] == 0x80 and content[1] in range(2, 6) and content.rstrip(b"\n").endswith(b"."):
        return PICKLE
    if _PICKLE_OPCODES.match(content) and content.rstrip().endswith(b"."):
        return PICKLE
    if text is None:
        return OPAQUE
    return _text(text)


def _text(text: str) -> Kind:
    start = text.lstrip()[:1000].lower()
    if start.startswith(("##fileformat=vcf", "#chrom\tpos\tid\tref\talt\tqual")):
        return _SIGNATURES[0][2]
    if start.startswith(("<!doctype html", "<html")) or "<script" in start:
        return HTML
    if start.startswith("<svg") or (start.startswith("<?xml") and "<svg" in start):
        return SVG
    if start.startswith(("{", "[")):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return TEXT
        if isinstance(value, dict) and "nbformat" in value and "cells" in value:
            return NOTEBOOK
        if isinstance(value, dict) and len(_HAIL.findall(text.encode()[:20000])) >= 2:
            return MATRIX_TABLE
        return JSON
    return TEXT
