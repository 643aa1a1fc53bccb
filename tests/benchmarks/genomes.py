"""What the genome store costs: views beside a rewrite, ingest beside plain Hail, disk, and an opt-out.

Every peer is Hail in the same image, with the same memory and processors, in the same minutes.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ngc_workbench import genomes
from ngc_workbench.genomes import store
from ngc_workbench.genomes.worker import Mount
from ngc_workbench.model import View
from tests.benchmarks.cohort import CUSTODIAN, OFFICER, RELEASE, Cohort, Hail, Site, disk, files, run
from tests.benchmarks.measure import Figure, Measure, Ratio, in_turn

PEOPLE = 2000
SIZES = {"s50k": (50_000, ["GT"]), "s200k": (200_000, ["GT", "DP", "GQ"]), "s500k": (500_000, ["GT"])}
"""Variants and entry fields. A rewrite's time depends on the fields: beside it stands what callers usually deliver."""
VIEWS = 5
REWRITES = 3
PROJECTS = 20
OPTED_OUT = 10
INGESTS = 2
FULL = ("GT:AD:DP:GQ:PL", 50_000)
GT_ONLY = ("GT", 120_000)

Say = Callable[[str], None]


async def measure(say: Say) -> list[Measure]:
    """All figures, on a store that is made for it and removed again."""
    with tempfile.TemporaryDirectory(prefix="ngc-bench-", ignore_cleanup_errors=True) as name:
        site = Site(Path(name))
        try:
            found = await _views(site, say)
            found.append(await _ingest(site, say, "ingest_ratio", *FULL))
            found.append(await _ingest(site, say, "ingest_ratio_gt_only", *GT_ONLY))
        finally:
            site.close()
    return found


async def _views(site: Site, say: Say) -> list[Measure]:
    cohorts = {}
    for dataset, (variants, fields) in SIZES.items():
        say(f"writing a release of {PEOPLE} people and {variants} variants")
        cohorts[dataset] = site.add_cohort(dataset, PEOPLE, variants, fields)
    projects = {dataset: site.add_projects(cohort, PROJECTS) for dataset, cohort in cohorts.items()}
    return [
        _flatness(site, cohorts, projects, say),
        await _speedup(site, cohorts["s200k"], projects["s200k"][0], say),
        _disk(site, cohorts["s200k"], projects["s200k"], say),
        _opt_out(site, cohorts["s50k"], projects["s50k"][:5], say),
    ]


def _build(site: Site, project: str, cohort: Cohort) -> tuple[float, View]:
    """Builds a view; gives the seconds."""
    began = time.monotonic()
    view = genomes.build_view(
        site.settings, site.database, site.log, project=project, dataset=cohort.dataset, release=RELEASE, actor=OFFICER
    )
    seconds = time.monotonic() - began
    if view.people != len(cohort.ids) or view.cut:
        raise RuntimeError("the view is not one of the whole release")
    return seconds, view


def _flatness(site: Site, cohorts: dict[str, Cohort], projects: dict[str, list[str]], say: Say) -> Figure:
    """The sizes take turns, each first as often as it can be; the first round does not count."""
    seen: dict[str, list[float]] = {dataset: [] for dataset in cohorts}
    for number in range(VIEWS + 1):
        order = list(cohorts) if number % 2 else list(reversed(cohorts))
        for dataset in order:
            seconds, _ = _build(site, projects[dataset][0], cohorts[dataset])
            say(f"view_flatness: {dataset} {seconds:.2f} s{'' if number else ' (warm-up)'}")
            if number:
                seen[dataset].append(seconds)
    medians = {dataset: statistics.median(some) for dataset, some in seen.items()}
    slowest, quickest = max(medians, key=medians.__getitem__), min(medians, key=medians.__getitem__)
    return Figure(
        "view_flatness", "a view of a whole release at 50,000, 200,000 and 500,000 variants: slowest size over quickest",
        "the quickest size", medians[slowest] / medians[quickest],
        f"{medians[slowest]:.2f} s ({slowest})", f"{medians[quickest]:.2f} s ({quickest})",
        {f"{dataset}_s": [round(seconds, 3) for seconds in some] for dataset, some in seen.items()},
    )  # fmt: skip


async def _speedup(site: Site, cohort: Cohort, project: str, say: Say) -> Figure:
    """The peer's Hail is started and warm, and its clock runs inside: what a container's start costs is not in it."""
    with site.scratch() as scratch, Hail(site, [Mount(cohort.folder, "/release"), scratch]) as hail:
        names = [f"P{number:05}" for number in range(len(cohort.ids))]

        async def ours() -> float:
            return _build(site, project, cohort)[0]

        async def theirs() -> float:
            done = hail.ask("rewrite", ids=cohort.ids, pseudonyms=names)
            if done["people"] != len(names):
                raise RuntimeError("the peer wrote other people")
            return float(done["seconds"])

        ratio = await in_turn(
            "view_speedup_200k", "", "filter_cols + write in a warm Hail", ours, theirs, runs=REWRITES, say=say
        )
    return Figure(
        ratio.name, "a view of a whole release of 200,000 variants with GT, DP and GQ: how many times as quick as filter_cols + write",
        ratio.peer, 1 / ratio.value, f"{statistics.median(ratio.ours):.2f} s", f"{statistics.median(ratio.theirs):.2f} s",
        {"ours_s": [round(one, 3) for one in ratio.ours], "peer_s": [round(one, 2) for one in ratio.theirs]},
    )  # fmt: skip


def _disk(site: Site, cohort: Cohort, projects: list[str], say: Say) -> Figure:
    folders = []
    for project in projects:
        _, view = _build(site, project, cohort)
        folders.append(genomes.view_folder(site.settings, view))
    alone, together = disk([cohort.folder]), disk([cohort.folder, *folders])
    say(f"views_disk_ratio: {len(folders)} views beside {alone} bytes take {together - alone}")
    return Figure(
        "views_disk_ratio", f"a release of 200,000 variants and {len(folders)} projects' views of it, over the release",
        "one copy of the release", together / alone, f"{together / 1e6:.1f} MB", f"{alone / 1e6:.1f} MB",
        {"bytes": together, "peer_bytes": alone, "views": len(folders)},
    )  # fmt: skip


def _opt_out(site: Site, cohort: Cohort, projects: list[str], say: Say) -> Figure:
    for project in projects:
        _build(site, project, cohort)
    before = files(site.settings.state_dir)
    began = time.monotonic()
    for at in range(OPTED_OUT):
        sample = cohort.samples[at * (len(cohort.samples) // OPTED_OUT) + 7]
        genomes.record_opt_out(
            site.settings, site.database, site.log, actor=CUSTODIAN, dataset=cohort.dataset, sample=sample
        )
    recorded = time.monotonic()
    done = genomes.refresh_views(site.settings, site.database, site.log, actor=CUSTODIAN)
    refreshed = time.monotonic()
    if [one.people_after for one in done.changed] != [len(cohort.ids) - OPTED_OUT] * len(projects):
        raise RuntimeError("the refresh did not leave these people out of every view")
    after = files(site.settings.custody_dir) | files(site.settings.views_dir)  # hard links once
    written = sum(size for one, size in after.items() if one not in before)
    whole = disk([cohort.folder])
    say(f"optout_rewrite_share: {written} bytes written, refresh {refreshed - recorded:.1f} s")
    return Figure(
        "optout_rewrite_share",
        f"bytes that {OPTED_OUT} opt-outs of {len(cohort.ids)} write, {len(projects)} projects with all of 50,000 variants",
        "bytes of the cohort", written / whole, f"{written / 1e6:.1f} MB in {refreshed - recorded:.0f} s", f"{whole / 1e6:.1f} MB",
        {
            "bytes": written, "peer_bytes": whole, "record_s": round(recorded - began, 2),
            "refresh_s": round(refreshed - recorded, 2),
        },
    )  # fmt: skip


async def _ingest(site: Site, say: Say, name: str, fields: str, variants: int) -> Ratio:
    """Ours is the whole of `ingest` with its start; the peer a script of three lines with its start."""
    folder = site.folder / name
    folder.mkdir()
    vcf = folder / "cohort.vcf.bgz"
    out = Mount(folder, "/out", writable=True)
    await asyncio.to_thread(run, site.command("inside_vcf", [out], vcf.name, str(PEOPLE), str(variants), fields))
    say(f"{name}: a VCF of {vcf.stat().st_size / 1e6:.0f} MB")
    number = 0

    async def ours() -> float:
        nonlocal number
        number += 1
        began = time.monotonic()
        release = await asyncio.to_thread(
            genomes.ingest, site.settings, site.database, site.log,
            dataset=name.replace("_", "-"), release=f"r{number}", files=[vcf], actor=CUSTODIAN,
        )  # fmt: skip
        seconds = time.monotonic() - began
        if release.manifest["counts"] | {"with_phenotypes": 0} != {
            "samples": PEOPLE, "variants": variants, "with_phenotypes": 0,
        }:  # fmt: skip
            raise RuntimeError("ingest stored other counts than the VCF has")
        store.remove_tree(store.release_folder(site.settings, release.dataset_name, release.name))
        return seconds

    async def theirs() -> float:
        out = folder / "plain"
        out.mkdir()
        with site.scratch() as scratch:
            mounts = [Mount(vcf, "/in/cohort.vcf.bgz"), Mount(out, "/out", writable=True), scratch]
            command = site.command("inside_plain_ingest", mounts)
            began = time.monotonic()
            await asyncio.to_thread(run, command)
            seconds = time.monotonic() - began
        if not (out / "plain.mt" / "_SUCCESS").is_file():
            raise RuntimeError("the peer wrote no matrix")
        store.remove_tree(out)
        return seconds

    try:
        return await in_turn(
            name, f"whole ingest of one VCF: {PEOPLE} people, {variants} variants, {fields}", "hl.import_vcf + write",
            ours, theirs, runs=INGESTS, say=say,
        )  # fmt: skip
    finally:
        store.remove_tree(folder)
