"""Step d: what must fail, fails, and is recorded."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
from contextlib import closing
from typing import Any

import docker

from ngc_workbench.cli.demo.client import forms
from ngc_workbench.cli.demo.outside import OutsideHost
from ngc_workbench.cli.demo.stage import LEAD, Stage, expect
from ngc_workbench.cli.stack import LABEL
from ngc_workbench.errors import Unavailable


async def downloads(stage: Stage) -> dict[str, Any]:
    """Step d: Files can't be downloaded by any of the server's own routes."""
    browser = await stage.browser(LEAD)
    since = stage.last_event()
    await stage.run_cell("open('/home/researcher/secret.bin', 'wb').write(bytes(range(256)) * 4)")
    tries = {
        "files": ("GET", "files/home/secret.bin?download=1"),
        "view": ("GET", "view/home/secret.bin"),
        "nbconvert": ("GET", "nbconvert/html/home/examples/01-association.ipynb?download=true"),
        "contents_base64": ("GET", "api/contents/home/secret.bin?format=base64&content=1"),
        "contents_no_format": ("GET", "api/contents/home/secret.bin?type=file&content=1"),
        "dot_segments": ("GET", "static/..%2Ffiles/home/secret.bin"),
    }
    answers = {}
    for name, (method, path) in tries.items():
        answer = await browser.session_api(stage.project, method, path)
        answers[name] = answer.status
        expect(answer.status in (403, 404, 400), f"{name} answered {answer.status}")
        expect(
            bytes(range(64)) not in answer.body and "AAECAwQFBgcICQ" not in answer.text,
            f"{name} let the file's bytes out",
        )
    await stage.run_cell("import os; os.remove('/home/researcher/secret.bin')")
    recorded = await stage.await_events("gateway.refused", since)
    expect(recorded, "no refusal of the gateway is in the audit log")
    return {
        "answers": answers,
        "recorded": len(recorded),
        "text": f"{len(tries)} ways to download refused; recorded as gateway.refused",
    }


async def network(stage: Stage) -> dict[str, Any]:
    """Step d: No connection to an outside host (which an unprotected container does reach), nor to this machine."""
    settings = stage.workbench.settings
    since = stage.last_event()
    with OutsideHost(settings) as outside, closing(socket.socket()) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("0.0.0.0", 0))  # noqa: S104  (the point: a port on every address of this machine, which a session must not reach)
        listener.listen()
        port = listener.getsockname()[1]
        unprotected = await asyncio.to_thread(
            _unprotected_reaches, settings.researcher_image, outside.url, settings.instance
        )
        expect(unprotected, "the stand-in host is not reachable even without protection: this test shows nothing")
        hosts = await asyncio.to_thread(_own_addresses)
        seen = await stage.probe(
            _PROBE_NETWORK.format(
                outside=outside.url, hosts=hosts, port=port, session_port=settings.gateway_session_port
            )
        )
    expect(seen["outside"] != "reached", "the session reached the outside host")
    expect("reached" not in seen["host"].values(), f"the session reached this machine: {seen['host']}")
    expect(seen["name"] != "resolved", "the session can ask a name server")
    expect(seen["gateway"] == "reached", f"the session can't reach its gateway: {seen['gateway']}")
    expect(stage.events("session.cell", since), "the code that tried is not in the audit log")
    # The firewall notes at once; the warden takes its notes into the log on its next round.
    stage.progress("    waiting for the warden's round")
    recorded = await stage.await_events("network.refused", since, patience_s=45)
    subjects = sorted({event["subject"] for event in recorded})
    expect(
        any(outside.address in subject for subject in subjects),
        f"what the firewall refused is not in the log: {subjects}",
    )
    return {
        **seen,
        "unprotected": "reached",
        "recorded": subjects,
        "text": "outside host (which an unprotected container reached), this machine and names out of reach; "
        f"{len(subjects)} refusals recorded, {subjects[0]} among them",
    }


async def other_project(stage: Stage) -> dict[str, Any]:
    """Step d: Another project's data: neither in the session, nor by starting a session there."""
    since = stage.last_event()
    inside = await stage.probe(_PROBE_DATA)
    expect(not any(stage.other_project in path for path in inside["paths"]), "the other project's folder is visible")
    expect(inside["other_users"] == [], "other people's folders are visible")
    browser = await stage.browser(LEAD)
    refused = ""
    try:
        home = await browser.get("")
        token = next((form for form in forms(home.text) if "session/start" in form.action), None)
        expect(token is not None, "the portal offers no session at all")
        answer = await browser.request(
            "POST", f"projects/{stage.other_project}/session/start",
            data=token.fields if token else {}, headers={"Accept": "application/json", "Origin": browser.settings.subdomain_url("portal--service")},
        )  # fmt: skip
        refused = answer.text if answer.status >= 400 else ""
    except Unavailable as error:
        refused = str(error)
    expect(refused, "a session in somebody else's project started")
    recorded = await stage.await_events("portal.refused", since)
    expect(recorded, "the refused start is not in the audit log")
    return {
        "refusal": refused[:200],
        "reason": recorded[0]["reason"],
        "text": f"refused ({recorded[0]['reason']}) and recorded",
    }


async def write_data(stage: Stage) -> dict[str, Any]:
    """Step d: A write to the data mount fails."""
    since = stage.last_event()
    folder = f"/data/{stage.dataset}/{stage.release}"
    seen = await stage.probe(_PROBE_WRITE.format(folder=folder))
    # A file's own rights answer an append first; changing those rights is left to the mount to refuse.
    wanted = {"create": "EROFS", "append": "EACCES", "delete": "EROFS", "chmod": "EROFS"}
    expect(seen == wanted, f"writing below /data gave {seen}")
    expect(stage.events("session.cell", since), "the attempt is not in the audit log")
    return {**seen, "text": "create, append, delete and chmod below /data: refused by the mount"}


def _unprotected_reaches(image: str, url: str, instance: str) -> bool:
    client = docker.from_env()
    code = f"import urllib.request; print(urllib.request.urlopen({url!r}, timeout=5).status)"
    out = client.containers.run(
        image, ["/opt/workbench/bin/python", "-c", code], entrypoint="", remove=True, network_mode="bridge",
        labels={LABEL: instance}, name=f"ngc-{instance}-unprotected",
    )  # fmt: skip
    return bytes(out).strip() == b"200"


def _own_addresses() -> list[str]:
    """This machine's IPv4 addresses, as `ip` tells them."""
    out = subprocess.run(["ip", "-j", "-4", "addr"], capture_output=True, check=True, text=True).stdout
    found = [info["local"] for link in json.loads(out) for info in link["addr_info"]]
    return [address for address in found if not address.startswith("127.")]


_PROBE_NETWORK = """
import json, os, socket
from urllib.parse import urlsplit
def reach(host, port):
    try:
        with socket.create_connection((host, port), timeout=2):
            return 'reached'
    except OSError as error:
        return type(error).__name__
outside = urlsplit({outside!r})
gateway = urlsplit(os.environ['JUPYTERHUB_API_URL'])
try:
    socket.getaddrinfo('workbench.invalid', 80)
    name = 'resolved'
except OSError as error:
    name = type(error).__name__
print(json.dumps({{
    'outside': reach(outside.hostname, outside.port or 80),
    'host': {{host: reach(host, {port}) for host in sorted({{*{hosts!r}, gateway.hostname}})}},
    'name': name,
    'gateway': reach(gateway.hostname, gateway.port),
}}))
"""

_PROBE_DATA = """
import json, os
paths = [os.path.join(base, name) for base, dirs, files in os.walk('/data') for name in dirs]
print(json.dumps({'paths': paths[:200], 'other_users': [name for name in os.listdir('/home') if name != 'researcher']}))
"""

_PROBE_WRITE = """
import errno, json, os
folder = {folder!r}
def attempt(action):
    try:
        action()
        return 'done'
    except OSError as error:
        return errno.errorcode[error.errno]
print(json.dumps({{
    'create': attempt(lambda: open(folder + '/new.txt', 'w')),
    'append': attempt(lambda: open(folder + '/phenotypes.tsv', 'a')),
    'delete': attempt(lambda: os.remove(folder + '/phenotypes.tsv')),
    'chmod': attempt(lambda: os.chmod(folder + '/phenotypes.tsv', 0o666)),
}}))
"""
