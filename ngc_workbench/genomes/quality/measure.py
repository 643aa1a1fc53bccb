"""Measures a release in the making, once, and writes its folder `quality`.

    samples.tsv         a row an internal id, in stored order
    variants.tsv.gz     a row a variant, in stored order
    relatedness.tsv     pairs of second degree or nearer
    summary.json        medians, what is flagged, what could not be determined and why, thresholds with their sources

Counts come from plink2 on the PGEN; depth and allele balance from the scan in which Hail compares the stored matrix with
the files. Figures of people are over the autosomes. All files belong to the custodian zone.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ngc_workbench.errors import IntegrityError
from ngc_workbench.genomes import store
from ngc_workbench.genomes.quality import parsing, plan, summary, variants
from ngc_workbench.genomes.quality import people as figures
from ngc_workbench.genomes.quality.people import FIGURES, Pair, Person
from ngc_workbench.genomes.quality.thresholds import DEFAULT, Thresholds
from ngc_workbench.genomes.worker import Worker

_NO_X = "no variants of chromosome X outside the regions that it shares with Y"
_NO_Y = "no variants of chromosome Y outside the regions that it shares with X"
_NO_AUTOSOMES = "no variants of chromosomes 1 to 22"
_FROM_READS = {
    "mean_depth": "DP", "mean_gq": "GQ", "het_reads_calls": "AD", "het_allele_balance": "AD", "het_uneven": "AD",
}  # fmt: skip
"""Figures from depths and reads, in the worker's order, and the entry field that each takes."""


def measure(
    worker: Worker,
    draft: Path,
    *,
    kind: str,
    internal_ids: Sequence[str],
    genome: str,
    progress: Callable[[str], None],
    reads: Mapping[str, Any] | None = None,
    declared_sex: Mapping[str, str] | None = None,
    limits: Thresholds = DEFAULT,
    small: int = 5,
) -> dict[str, Any]:
    """Writes draft/quality; gives the summary for the manifest, in which counts of people below `small` are hidden.

    `draft` is the release's folder, which the worker has at /out: matrix.mt and plink/ (`kind` matrix), or genomes.vds
    (`kind` vds). `internal_ids` are the people in stored order, `reads` (of a matrix)
    the entry fields and counts that its comparison gave, `declared_sex` what the phenotypes say. Raises
    IntegrityError when a report is about other people or variants, and what the worker raises.
    """
    progress("Measuring quality")
    folder, work = draft / "quality", draft / "quality" / "reports"
    shutil.rmtree(folder, ignore_errors=True)
    for made in (folder, work):
        made.mkdir(mode=0o700)
    job = _Measuring(worker, draft, list(internal_ids), genome, limits)
    if kind == "vds":
        job.vds()
    else:
        job.matrix(reads or {"fields": [], "people": []})
    shutil.rmtree(work)
    duplicates = frozenset(one for pair in job.pairs or () if pair[3] == "duplicate" for one in pair[:2])
    figures.flag(job.people, duplicates, declared_sex or {}, limits)
    if job.pairs is not None:
        job.pairs = figures.doubt(job.pairs, job.people)
    _write_samples(folder / "samples.tsv", job.people)
    _write(folder / "relatedness.tsv", ("id1", "id2", "kinship", "degree"), job.pairs or ())
    degrees = None if job.pairs is None else [pair[3] for pair in job.pairs]
    found = summary.of(job.people, job.variants, degrees, job.missing, limits, job.used)
    store.write_json(folder / "summary.json", found)
    for path in folder.iterdir():
        path.chmod(0o600)
    return summary.shareable(found, small)


class _Measuring:
    """What is known so far."""

    def __init__(self, worker: Worker, draft: Path, ids: list[str], genome: str, limits: Thresholds) -> None:
        self._worker = worker
        self._draft = draft
        self._work = draft / "quality" / "reports"
        self._ids = ids
        self._genome = genome
        self._limits = limits
        self.people = [Person(one) for one in ids]
        self.pairs: list[Pair] | None = None
        self.variants: dict[str, Any] | None = None
        self.missing: dict[str, str] = {}
        self.used: dict[str, int] = {}

    def matrix(self, reads: Mapping[str, Any]) -> None:
        """From the PGEN, and what was counted of the matrix."""
        self._lacks("only a release of gVCFs tells it", "bases_gq20")
        self._reads(reads)
        pvar = self._draft / "plink" / "genotypes.pvar"
        if not pvar.is_file():
            self._lacks("the release has no PGEN", *FIGURES[:7], "x_het", "x_f", "y_call_rate")
            self._lacks("the release has no PGEN", "sex", "relatedness", "variants")
            return
        places = plan.survey(pvar, self._genome)
        (self._work / "people.psam").write_text("#IID\n" + "".join(f"{one}\n" for one in self._ids), encoding="utf-8")
        if places.sexes:
            plan.write_renamed(pvar, self._work / "sexes.pvar", self._genome)
        empty = self._plink(plan.people_runs(places, len(self._ids), self._limits))
        self._calls(places)
        self._common(places, empty)
        self._sexes(places, empty)
        if not places.only_autosomes:
            (self._work / "sexed.psam").write_text(
                "#IID\tSEX\n" + "".join(f"{one.internal_id}\t{_SEXES.get(one.sex, 'NA')}\n" for one in self.people),
                encoding="utf-8",
            )
            self._plink([plan.variants_run()])
        self.variants = variants.write(self._work, pvar, self._work.parent / "variants.tsv.gz", self._limits)

    def vds(self) -> None:
        """From Hail's own reports on a VDS."""
        found = self._worker.call("vds_samples")
        names = ("het", "hom_alt", "_ts", "_tv", "singletons", "bases_gq20", "mean_depth", *list(_FROM_READS)[2:])
        for person, (one, *values) in zip(self.people, found["people"], strict=True):
            self._same(person, one)
            seen = dict(zip(names, values, strict=True))
            person.figures = {name: seen[name] for name in names if not name.startswith("_")}
            person.figures["ti_tv"] = parsing.ratio(seen["_ts"], seen["_tv"])
            person.figures["het_hom_ratio"] = parsing.ratio(seen["het"], seen["hom_alt"])
        for name, field in (("mean_depth", "DP"), ("het_reads_calls", "AD"), ("bases_gq20", "GQ")):
            if all(person.figures[name] is None for person in self.people):
                self._lacks(f"the files have no field {field}", name)
        reason = "a release of gVCFs, where a site without a variant is part of a block"
        self._lacks(reason, "call_rate", "mean_gq", "inbreeding_f", "x_het", "x_f", "y_call_rate")
        self._lacks(reason, "sex", "relatedness", "variants")
        self.used["vds_rows"] = found["rows"]

    def _plink(self, runs: list[dict[str, Any]]) -> set[str]:
        empty: list[str] = self._worker.call("plink_reports", runs=runs)["empty"] if runs else []
        return set(empty)

    def _lacks(self, reason: str, *names: str) -> None:
        self.missing |= dict.fromkeys(names, reason)

    def _same(self, person: Person, one: str) -> None:
        if person.internal_id != one:
            raise IntegrityError("Hail reports on other people than the release holds.", "Run the ingest again.")

    def _calls(self, places: plan.Places) -> None:
        if not places.autosomal:
            self._lacks(_NO_AUTOSOMES, *FIGURES[:6])
            return
        for person, row in zip(self.people, parsing.by_person(self._work / "calls.scount", self._ids), strict=True):
            het, hom = int(row["HET_CT"]), int(row["HOM_ALT_CT"])
            person.figures |= {
                "call_rate": 1 - int(row["MISSING_CT"]) / places.autosomal,
                "het": het,
                "hom_alt": hom,
                "het_hom_ratio": parsing.ratio(het, hom),
                "ti_tv": parsing.ratio(int(row["DIPLOID_TRANSITION_CT"]), int(row["DIPLOID_TRANSVERSION_CT"])),
                "singletons": int(row["DIPLOID_SINGLETON_CT"]),
            }

    def _common(self, places: plan.Places, empty: set[str]) -> None:
        """F and pairs, where there are enough common variants."""
        limits, count = self._limits, 0
        if places.autosomal and "common" not in empty:
            with (self._work / "common.snplist").open(encoding="utf-8") as lines:
                count = sum(1 for _ in lines)
        self.used["common_variants"] = count
        few = f"{count} common autosomal variants, {limits.spacing} bases apart; it takes {{}}"
        if len(self._ids) < limits.f_people:
            self._lacks(f"{len(self._ids)} people; it takes {limits.f_people}", "inbreeding_f")
        elif count < limits.f_variants:
            self._lacks(few.format(limits.f_variants), "inbreeding_f")
        else:
            for person, row in zip(self.people, parsing.by_person(self._work / "common.het", self._ids), strict=True):
                person.figures["inbreeding_f"] = parsing.number(row["F"])
        if len(self._ids) < 2:
            self._lacks("one person", "relatedness")
        elif count < limits.kinship_variants:
            self._lacks(few.format(limits.kinship_variants), "relatedness")
        else:
            self._plink([plan.kinship_run(limits)])
            pairs = [
                (row["IID1"], row["IID2"], row["KINSHIP"], figures.degree(float(row["KINSHIP"]), limits))
                for row in parsing.rows(self._work / "kinship.kin0")
            ]
            self.pairs = sorted(pairs, key=lambda pair: (-float(pair[2]), pair[0], pair[1]))

    def _sexes(self, places: plan.Places, empty: set[str]) -> None:
        limits = self._limits
        if places.y:
            for person, row in zip(self.people, parsing.by_person(self._work / "y.smiss", self._ids), strict=True):
                person.figures["y_call_rate"] = 1 - int(row["MISSING_CT"]) / places.y
        else:
            self._lacks(_NO_Y, "y_call_rate")
        if not places.x:
            self._lacks(_NO_X, "x_het", "x_f", "sex")
        elif len(self._ids) < limits.f_people:
            self._lacks(f"{len(self._ids)} people; it takes {limits.f_people}", "x_het", "x_f", "sex")
        else:
            self._x(places, "x" in empty)

    def _x(self, places: plan.Places, empty: bool) -> None:
        limits = self._limits
        counts = [] if empty else parsing.by_person(self._work / "x.scount", self._ids)
        count = max((sum(int(row[name]) for name in _CALLS) for row in counts), default=0)
        self.used["x_variants"] = count
        if count < limits.x_variants:
            self._lacks(f"{count} common variants of chromosome X; it takes {limits.x_variants}", "x_het", "x_f", "sex")
            return
        rows = zip(self.people, counts, parsing.by_person(self._work / "x.het", self._ids), strict=True)
        for person, calls, row in rows:
            called = sum(int(calls[name]) for name in _CALLS)
            person.figures["x_het"] = parsing.ratio(int(calls["HET_CT"]), called)
            person.figures["x_f"] = parsing.number(row["F"])
            y_rate = person.figures.get("y_call_rate") if places.y >= limits.y_variants else None
            person.sex = figures.sex_of(person.figures["x_f"], y_rate, limits)

    def _reads(self, reads: Mapping[str, Any]) -> None:
        for person, (one, *values) in zip(self.people, reads["people"], strict=bool(reads["people"])):
            self._same(person, one)
            person.figures |= dict(zip(_FROM_READS, values, strict=True))
        for name, field in _FROM_READS.items():
            if field not in reads["fields"]:
                self._lacks(f"the files have no field {field}", name)


_CALLS = ("HOM_REF_CT", "HET_CT", "HOM_ALT_CT")
_SEXES = {"male": 1, "female": 2}
"""As plink2 writes them."""


def _write_samples(path: Path, people: Sequence[Person]) -> None:
    rows = (
        (
            one.internal_id,
            *(_text(one.figures.get(name)) for name in FIGURES),
            one.sex or "NA",
            ",".join(one.flags),
        )
        for one in people
    )
    _write(path, ("id", *FIGURES, "inferred_sex", "flags"), rows)


def _text(value: float | None) -> str:
    return "NA" if value is None else f"{value:.10g}"


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, delimiter="\t", lineterminator="\n")
        out.writerow(header)
        out.writerows(rows)
