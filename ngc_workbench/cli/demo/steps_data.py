"""Steps a to c: from a VCF to an association found in a session."""

from __future__ import annotations

import json
from typing import Any

import nbformat
from sqlalchemy import select

from ngc_workbench import genomes
from ngc_workbench.cli.demo.kernel import Kernel
from ngc_workbench.cli.demo.stage import (
    CUSTODIAN,
    EVERYBODY,
    LEAD,
    MEMBER,
    NOTEBOOK_PATH,
    STRANGER,
    SUPPORT,
    Stage,
    expect,
)
from ngc_workbench.model import Project, Release, Session, View


async def log_in(stage: Stage) -> dict[str, Any]:
    """Everybody logs in once, through the hub and the identity provider; nobody without a log-in is known."""
    for name in EVERYBODY:
        await stage.browser(name)
    return {"people": list(EVERYBODY), "text": f"{len(EVERYBODY)} people logged in by OpenID Connect"}


async def ingest(stage: Stage) -> dict[str, Any]:
    """Step a: The custodian ingests genotypes and phenotypes."""
    since = stage.last_event()
    await stage.command(
        CUSTODIAN, "ingest", "--dataset", stage.dataset, "--release", stage.release,
        "--pheno", str(stage.pheno), str(stage.vcf),
    )  # fmt: skip
    release = _release(stage)
    expect(release.state == "building", f"the release is {release.state} before it was published")
    expect(stage.events("dataset.ingested", since), "the ingest is not in the audit log")
    counts = release.manifest["counts"]
    return {
        **counts,
        "text": f"{stage.dataset}/{stage.release}: {counts['samples']} people, {counts['variants']} variants",
    }


async def publish(stage: Stage) -> dict[str, Any]:
    """Step a: One person has opted out; the custodian records it and publishes the release."""
    await stage.command(CUSTODIAN, "optout", "add", *stage.opted_out)
    await stage.command(
        CUSTODIAN, "dataset", "describe", stage.dataset, "--title", "The demo's cohort", "--term", "HMB", "--term", "IRB",
    )  # fmt: skip
    await stage.command(CUSTODIAN, "release", "publish", stage.dataset, stage.release)
    release = _release(stage)
    expect(release.state == "published", f"the release is {release.state} after publishing")
    return {
        "release": f"{stage.dataset}/{stage.release}",
        "opt_outs": 1,
        "text": "published; 1 person in it has opted out",
    }


async def provision(stage: Stage) -> dict[str, Any]:
    """Step b: A support officer provisions a project with two members, and another one for somebody else."""
    for project, members in ((stage.project, (LEAD, MEMBER)), (stage.other_project, (STRANGER,))):
        words = [word for member in members for word in ("--member", member)]
        await stage.command(
            SUPPORT, "project", "provision", project, *words, "--title", "Variants behind the demo's trait",
            "--purpose", "Research into the heredity of a measured trait", "--ethics", "DEMO-EC-0001",
            "--purpose-term", "DUO:0000038",
            "--release", f"{stage.dataset}/{stage.release}",
        )  # fmt: skip
    view, other = (_view(stage, project) for project in (stage.project, stage.other_project))
    samples = _release(stage).manifest["counts"]["samples"]
    expect(view.people == samples - 1, f"the view holds {view.people} of {samples} people; one has opted out")
    mine, theirs = (_ids(stage, entry) for entry in (view, other))
    expect(len(set(mine)) == view.people, "the view's identifiers are not unique")
    expect(not set(mine) & set(theirs), "two projects share a pseudonym")
    return {
        "project": stage.project, "members": 2, "people": view.people, "variants": view.variants, "digest": view.digest,
        "text": f"{stage.project}: 2 members, view of {view.people} people (1 opted out), own pseudonyms like {mine[0]}",
    }  # fmt: skip


async def start_session(stage: Stage) -> dict[str, Any]:
    """Step c: A researcher starts a session; only that view is mounted, read-only."""
    browser = await stage.browser(LEAD)
    # One session at a time: what an earlier play, or a person, left running is stopped as a person would.
    for project in (await browser.get_json(""))["projects"]:
        if project["session"] in ("starting", "running"):
            await browser.stop_session(project["name"])
    seconds = await browser.start_session(stage.project)
    with stage.workbench.database.reading() as db:
        session = db.scalar(
            select(Session).where(
                Session.person_name == LEAD, Session.project_name == stage.project, Session.state == "running"
            )
        )
        expect(session is not None, "there is no running session in the database")
        mounts = session.mounts if session is not None else []
    data = [mount for mount in mounts if mount["target"].startswith("/data")]
    expect(
        [mount["target"] for mount in data] == [f"/data/{stage.dataset}/{stage.release}"],
        f"mounted below /data: {data}",
    )
    expect(all(mount["read_only"] for mount in data), "a data mount is writable")
    stage.kernel = await stage.exits.enter_async_context(Kernel(browser, stage.project, NOTEBOOK_PATH))
    inside = await stage.probe(_MOUNTS)
    expect(inside == {f"/data/{stage.dataset}/{stage.release}": "ro"}, f"the session sees {inside} below /data")
    return {
        "seconds": round(seconds, 1),
        "mounts": inside,
        "text": f"JupyterLab ready after {seconds:.1f} s; below /data: {inside}",
    }


async def notebook(stage: Stage) -> dict[str, Any]:
    """Step c: The association notebook runs with Hail: a Manhattan plot without any outside address, and summary statistics."""
    browser = await stage.browser(LEAD)
    answer = await browser.session_api(stage.project, "GET", f"api/contents/{NOTEBOOK_PATH}?content=1")
    expect(answer.status == 200, f"the notebook can't be opened: {answer.status} {answer.text[:200]}")
    book = nbformat.from_dict(answer.json()["content"])
    media: set[str] = set()
    text = ""
    cells = [cell for cell in book.cells if cell.cell_type == "code"]
    for number, cell in enumerate(cells, 1):
        stage.progress(f"    cell {number} of {len(cells)}: {cell.source.strip().splitlines()[0][:60]}")
        result = await stage.run_cell(cell.source)
        expect(not result.error, f"cell {number} raised {result.error}")
        media |= result.media()
        text += "".join(str(value) for output in result.outputs for value in output.get("data", {}).values())
    expect("application/vnd.ngc.bokeh+json" in media, f"no Bokeh figure among the outputs: {sorted(media)}")
    expect("text/html" in media, "no table among the outputs")
    expect("http://" not in text and "https://" not in text, "an output names an outside address")
    expect("application/javascript" not in media, "an output brought a script to the browser")
    top = await stage.probe(_TOP)
    near = _distance(top, stage.truth)
    expect(top["p_value"] < 5e-8 or not stage.truth, f"nothing was found: the best p-value is {top['p_value']}")
    expect(near is None or near <= 100_000, f"the best variant {top['variant']} lies {near} bases from any causal one")
    told = f", {near} bases from a causal variant" if near is not None else ""
    return {
        "cells": len(cells), "media": sorted(media), "top": top, "distance_to_causal": near,
        "text": f"{len(cells)} cells; best variant {top['variant']} with p = {top['p_value']:.2g}{told}",
    }  # fmt: skip


def _distance(top: dict[str, Any], truth: list[str]) -> int | None:
    """Bases from the best variant to the nearest causal one on its chromosome; None without a known truth."""
    chromosome, position = top["variant"].split(":")[:2]
    distances = [
        abs(int(position) - int(causal.split(":")[1]))
        for causal in truth
        if causal.split(":")[0].removeprefix("chr") == chromosome.removeprefix("chr")
    ]
    return min(distances) if distances else None


def _release(stage: Stage) -> Release:
    with stage.workbench.database.reading() as db:
        release = db.scalar(select(Release).where(Release.dataset_name == stage.dataset, Release.name == stage.release))
    expect(release is not None, "the release is not in the database")
    assert release is not None  # noqa: S101  (told to mypy; `expect` has raised)
    return release


def _view(stage: Stage, project: str) -> View:
    with stage.workbench.database.reading() as db:
        view = db.scalar(select(View).where(View.project_name == project, View.retired.is_(None)))
        expect(db.get(Project, project) is not None, f"there is no project {project}")
    expect(view is not None, f"project {project} has no view")
    assert view is not None  # noqa: S101  (told to mypy; `expect` has raised)
    return view


def _ids(stage: Stage, view: View) -> list[str]:
    table = genomes.view_folder(stage.workbench.settings, view) / "phenotypes.tsv"
    return [line.split("\t", 1)[0] for line in table.read_text(encoding="utf-8").splitlines()[1:]]


_MOUNTS = """
import json
found = {}
for line in open('/proc/self/mountinfo'):
    target, options = line.split()[4], line.split()[5]
    if target.startswith('/data/'):
        found[target] = options.split(',')[0]
print(json.dumps(found))
"""

_TOP = """
import json
best = results.order_by(results.p_value).head(1).collect()[0]
print(json.dumps({'variant': f'{best.chromosome}:{best.base_pair_location}', 'p_value': best.p_value}))
"""


def causal_variants(truth: str) -> list[str]:
    """The causal variants named in a truth file's text, as `chromosome:position`."""
    return [f"{item['contig']}:{item['position']}" for item in json.loads(truth)["causal"]]
