"""REF and ALT of a record: what they are, and what is wrong with them."""

from __future__ import annotations

import re
from dataclasses import dataclass

_REF = re.compile(rb"[ACGTNacgtn]+")
_IUPAC = re.compile(rb"[ACGTNRYSWKMBDHVUacgtnryswkmbdhvu]+")
_BASES = re.compile(rb"[ACGTNacgtn]+")
_SYMBOL = re.compile(rb"<[^<>\s,]+>")
_BREAKEND = re.compile(
    rb"[ACGTNacgtn.]*(?:\[[^\[\]\s,]+\[|\][^\[\]\s,]+\])[ACGTNacgtn.]*|\.[ACGTNacgtn]+|[ACGTNacgtn]+\."
)
NON_REF = frozenset((b"<NON_REF>", b"<*>"))
"""The alternative that stands for all others in a gVCF: GATK's name and the specification's."""


@dataclass(frozen=True)
class Alleles:
    """`alternatives` is their number; `problems` are kinds with texts; `block`: no other alternative than NON_REF."""

    alternatives: int
    problems: tuple[tuple[str, str], ...]
    non_ref: bool
    block: bool
    iupac: bool


def read_alleles(ref: bytes, alt: bytes) -> Alleles:
    """Judges the two columns."""
    problems: list[tuple[str, str]] = []
    iupac = False
    if not _REF.fullmatch(ref):
        iupac = _IUPAC.fullmatch(ref) is not None
        if iupac:
            problems.append(("ref-iupac", "REF has an IUPAC code other than A, C, G, T and N"))
        else:
            problems.append(("ref-malformed", "REF holds something else than A, C, G, T and N"))
    elif b"N" in ref.upper():
        problems.append(("ref-unknown", "REF holds N"))
    alternatives = [] if alt == b"." else alt.split(b",")
    problems += _alternatives(ref, alternatives)
    non_ref = any(one in NON_REF for one in alternatives)
    return Alleles(len(alternatives), tuple(problems), non_ref, non_ref and len(alternatives) == 1, iupac)


def _alternatives(ref: bytes, alternatives: list[bytes]) -> list[tuple[str, str]]:
    seen: set[bytes] = set()
    kinds: dict[str, str] = {}
    if not alternatives:
        kinds["alt-none"] = "ALT is a dot: there is no alternative"
    for one in alternatives:
        upper = one.upper()
        if upper in seen:
            kinds["alt-twice"] = "an ALT allele stands twice"
        seen.add(upper)
        if _BASES.fullmatch(one):
            if upper == ref.upper():
                kinds["alt-reference"] = "an ALT allele is the same as REF"
        elif one == b"*":
            kinds["alt-star"] = "an ALT allele is a star (the site lies in a deletion)"
        elif _SYMBOL.fullmatch(one) or _BREAKEND.fullmatch(one):
            if one not in NON_REF:
                kinds["alt-symbolic"] = "an ALT allele is symbolic or a breakend"
        else:
            kinds["alt-malformed"] = "an ALT allele is malformed"
    return list(kinds.items())
