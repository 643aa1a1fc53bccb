"""Which versions of other programs the image has, for the manifest."""

from __future__ import annotations

import re
import subprocess

_PROGRAMS = {"plink2": "/usr/bin/plink2", "bcftools": "/usr/bin/bcftools"}
_VERSION = re.compile(r"v?\d[\w.+-]*")


def versions(*names: str) -> dict[str, str]:
    """The version of each of the programs named, from the second word that it says of itself."""
    found = {}
    for name in names:
        done = subprocess.run([_PROGRAMS[name], "--version"], check=True, capture_output=True, text=True)
        found[name] = parse(done.stdout)
    return found


def parse(said: str) -> str:
    """`PLINK v2.00a3.5 AVX2 (9 Aug 2022)` gives v2.00a3.5, `bcftools 1.16` and more lines 1.16. Raises ValueError."""
    words = said.split(None, 2)
    if len(words) < 2 or not _VERSION.fullmatch(words[1]):
        raise ValueError("a program does not tell its version")
    return words[1]
