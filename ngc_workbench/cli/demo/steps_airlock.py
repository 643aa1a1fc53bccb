"""Steps e and f: what leaves, and the proof of what happened."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
from typing import Any

from ngc_workbench.cli.demo.stage import CHECKERS, LEAD, MEMBER, SECURITY, Stage, expect

PER_PERSON = "people.tsv"


async def request_export(stage: Stage) -> dict[str, Any]:
    """Step e: The researcher asks to export the table and a per-person file; the checks pass the one and block the other."""
    browser = await stage.browser(LEAD)
    result = await stage.run_cell(_PER_PERSON)
    expect(not result.error, f"writing the per-person file raised {result.error}")
    page = await browser.get(f"projects/{stage.project}/exports/new")
    expect(page.status == 200, f"the export page answered {page.status}")
    files = (await browser.get_json(f"projects/{stage.project}/exports/new"))["files"]
    tables = [file["name"] for file in files if file["name"].endswith("_summary_statistics.tsv")]
    expect(len(tables) == 1 and PER_PERSON in page.text, f"the outbox lists {[file['name'] for file in files]}")
    stage.table = tables[0]
    answer = await browser.submit(
        page, {"files": [stage.table, PER_PERSON], "purpose": "Table 2 of the article", "description": "Summary statistics over all people"},
        accept="application/json",
    )  # fmt: skip
    expect(answer.status in (200, 201), f"the request was not taken: {answer.status} {answer.text[:300]}")
    request = answer.json()
    stage.seen["request"] = request["id"]
    request = await _await_state(stage, LEAD, request["id"], "in_review")
    verdicts = {file["name"]: file["verdict"] for file in request["files"]}
    expect(verdicts == {stage.table: "pass", PER_PERSON: "block"}, f"the checks say {verdicts}: {request['files']}")
    rules = sorted(
        {finding["rule"] for file in request["files"] if file["name"] == PER_PERSON for finding in file["findings"]}
    )
    stage.seen["sha256"] = next(file["sha256"] for file in request["files"] if file["name"] == stage.table)
    return {
        "verdicts": verdicts,
        "rules": rules,
        "sha256": stage.seen["sha256"],
        "text": f"{stage.table}: pass; {PER_PERSON}: block ({', '.join(rules)})",
    }


async def review(stage: Stage) -> dict[str, Any]:
    """Step e: Nobody reviews their own project's request; two checkers who are not members approve."""
    request = stage.seen["request"]
    since = stage.last_event()
    member = await stage.browser(MEMBER)
    own = await member.get(f"review/{request}", headers={"Accept": "application/json"})
    expect(own.status in (403, 404), f"a member of the project may open the review: {own.status}")
    expect(await stage.await_events("portal.refused", since), "the member's attempt is not in the audit log")
    states = []
    for name in CHECKERS:
        browser = await stage.browser(name)
        page = await browser.get(f"review/{request}")
        expect(page.status == 200, f"{name} can't open the review: {page.status} {page.text[:200]}")
        expect(
            stage.seen["sha256"] in page.text or stage.seen["sha256"][:12] in page.text,
            "the reviewer is not shown the file's hash",
        )
        answer = await browser.submit(
            page, {"vote": "approve", "reason": "Aggregated, no small counts"}, accept="application/json"
        )
        expect(answer.status == 200, f"{name} can't vote: {answer.status} {answer.text[:300]}")
        states.append(answer.json()["state"])
    expect(states[0] == "in_review", f"one vote decided: {states}")
    final = await _await_state(stage, LEAD, request, "released")
    released = [file["name"] for file in final["files"] if file["released"]]
    expect(released == [stage.table], f"released: {released}")
    return {
        "states": states,
        "released": released,
        "text": f"{' and '.join(CHECKERS)} approve; only {stage.table} is released",
    }


async def download(stage: Stage) -> dict[str, Any]:
    """Step e: The researcher downloads what was reviewed, and nothing else."""
    browser = await stage.browser(LEAD)
    request = await browser.get_json(f"exports/{stage.seen['request']}")
    urls = {file["name"]: file["download"] for file in request["files"]}
    answer = await browser.get(urls[stage.table])
    expect(answer.status == 200, f"the download answered {answer.status}")
    digest = hashlib.sha256(answer.body).hexdigest()
    expect(digest == stage.seen["sha256"], "what was downloaded is not what was reviewed")
    blocked = await browser.get(urls.get(PER_PERSON) or urls[stage.table].replace(stage.table, PER_PERSON))
    expect(blocked.status in (403, 404), f"the blocked file answered {blocked.status}")
    other = await (await stage.browser(MEMBER)).get(urls[stage.table])
    expect(other.status in (403, 404), f"another person's download answered {other.status}")
    return {
        "sha256": digest,
        "bytes": len(answer.body),
        "blocked_file": blocked.status,
        "text": f"{len(answer.body)} bytes, sha256 {digest[:16]}… as reviewed",
    }


async def audit(stage: Stage) -> dict[str, Any]:
    """Step f: The log is whole; after one byte of a copy was changed, the verifier says where."""
    whole = await stage.command(SECURITY, "audit", "verify")
    bundle = stage.work_dir / "audit"
    await stage.command(SECURITY, "audit", "export", str(bundle))
    await stage.command(SECURITY, "audit", "verify", "--bundle", str(bundle))
    copy = stage.work_dir / "audit-changed"
    shutil.copytree(bundle, copy)
    file = copy / "events.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    target = len(lines) // 2
    number = target + 1  # events are numbered from 1, a line each
    changed = bytearray(lines[target])
    changed[len(changed) // 2] ^= 0x01
    lines[target] = bytes(changed)
    file.write_bytes(b"".join(lines))
    code, _, error = await stage.try_command(SECURITY, "audit", "verify", "--bundle", str(copy))
    expect(code == 8, f"the changed copy passed: exit {code}")
    message = error.strip().splitlines()[-1]
    expect(f"event {number} " in message.lower(), f"the verifier does not name event {number}: {message}")
    return {
        "events": len(lines),
        "whole": whole.strip().splitlines()[-1],
        "changed_event": number,
        "said": message,
        "text": f"{len(lines)} events whole; changed copy: {message}",
    }


async def stop_session(stage: Stage) -> dict[str, Any]:
    """The researcher stops the session; nothing of it stays."""
    since = stage.last_event()
    browser = await stage.browser(LEAD)
    await browser.stop_session(stage.project)
    stage.kernel = None
    stopped = await stage.await_events("session.stopped", since)
    expect(stopped, "the stop is not in the audit log")
    return {
        "reason": stopped[0]["reason"],
        "text": f"stopped ({stopped[0]['reason']}); its container and network are gone",
    }


async def _await_state(stage: Stage, who: str, request: str, state: str) -> dict[str, Any]:
    browser = await stage.browser(who)
    found: dict[str, Any] = {}
    for _ in range(120):
        found = await browser.get_json(f"exports/{request}")
        if found["state"] == state:
            return found
        await asyncio.sleep(0.25)
    expect(False, f"the request is {found.get('state')} instead of {state}: {json.dumps(found)[:300]}")
    return found


_PER_PERSON = """
people = ngc.phenotypes(dataset).reset_index()
people.to_csv('/outbox/people.tsv', sep='\\t', index=False)
"""
