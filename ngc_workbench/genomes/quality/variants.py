"""Figures of each variant, from plink2's reports, as variants.tsv.gz: a row a variant, in stored order."""

from __future__ import annotations

import gzip
import io
from collections import Counter
from itertools import zip_longest
from pathlib import Path
from typing import Any

from ngc_workbench.errors import IntegrityError
from ngc_workbench.genomes.quality.parsing import rows
from ngc_workbench.genomes.quality.plan import rows_of
from ngc_workbench.genomes.quality.thresholds import Thresholds

HEADER = (
    "chrom", "pos", "ref", "alt", "call_rate", "allele_counts", "allele_number", "allele_frequencies", "hwe_p", "flags",
)  # fmt: skip
"""Counts, frequencies and Hardy-Weinberg p-values of several alternatives are separated by commas.

hwe_p is plink2's exact test, one for each alternative; "." where plink2 gives none (X, Y and the mitochondrion).
"""


def write(reports: Path, pvar: Path, target: Path, limits: Thresholds) -> dict[str, Any]:
    """Writes `target` from the reports `calls.vmiss`, `.acount` and `.hardy`.

    Gives {rows, flagged: {flag: rows}}. Raises IntegrityError when the reports are about other rows than the .pvar.
    """
    flagged: Counter[str] = Counter()
    count = 0
    hardy = reports / "calls.hardy"
    tests = rows(hardy) if hardy.is_file() else iter(())
    waiting = next(tests, None)
    with target.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed:
        out = io.TextIOWrapper(packed, encoding="utf-8", newline="\n")
        out.write("\t".join(HEADER) + "\n")
        both = (rows(reports / "calls.vmiss"), rows(reports / "calls.acount"))
        for row, missing, counts in zip_longest(rows_of(pvar), *both):
            if not row or not missing or not counts or not row[2] == missing["ID"] == counts["ID"]:
                raise IntegrityError(
                    "plink2 reports on other variants than the release holds.", "Run the ingest again."
                )
            chrom, pos, name, ref, alt = row[:5]
            alternatives = alt.split(",")
            # An autosomal row has one test, or one for each allele when it has several alternatives.
            p_values = ["."] * len(alternatives)
            wanted = {allele: at for at, allele in enumerate(alternatives)}
            expected = (1 if len(alternatives) == 1 else len(alternatives) + 1) if waiting else 0
            while expected and waiting is not None and waiting["ID"] == name:
                at = 0 if len(alternatives) == 1 else wanted.get(waiting["A1"], -1)
                if at >= 0:
                    p_values[at] = waiting["P"]
                waiting = next(tests, None)
                expected -= 1
            flags, cells = _figures(missing, counts, p_values, limits)
            flagged.update(flags)
            count += 1
            out.write("\t".join([chrom, pos, ref, alt, *cells, ",".join(p_values), ",".join(flags)]) + "\n")
        out.flush()
        out.detach()
    if waiting is not None:
        raise IntegrityError("plink2 reports on other variants than the release holds.", "Run the ingest again.")
    return {"rows": count, "flagged": dict(flagged)}


def _figures(
    missing: dict[str, str], counts: dict[str, str], p_values: list[str], limits: Thresholds
) -> tuple[list[str], list[str]]:
    """Flags, and the cells call_rate, allele_counts, allele_number, allele_frequencies."""
    possible, number = int(missing["OBS_CT"]), int(counts["OBS_CT"])
    # Halves where people have one copy: a call of two alleles on MT counts each as one half.
    alleles = [float(text) for text in counts["ALT_CTS"].split(",")]
    flags = []
    rate = 1 - int(missing["MISSING_CT"]) / possible if possible else None
    if rate is not None and rate < limits.variant_call_rate:
        flags.append("low_call_rate")
    if any(text not in {".", "NA"} and float(text) < limits.hwe_p for text in p_values):
        flags.append("hwe")
    if number and (sum(alleles) in {0, number}):
        flags.append("monomorphic")
    frequencies = ",".join(f"{one / number:.6g}" if number else "." for one in alleles)
    cells = ["." if rate is None else f"{rate:.6g}", counts["ALT_CTS"], str(number), frequencies]
    return flags, cells
