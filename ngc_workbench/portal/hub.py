"""The hub's API, as far as the portal needs it: start, watch and stop a session, always in the person's own name.

The portal has no rights of its own at the hub: each call carries the token that the person got at sign-in, so the hub decides.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol
from urllib.parse import quote

import httpx

from ngc_workbench.errors import Conflict, Unavailable, WorkbenchError
from ngc_workbench.portal.auth import Visitor
from ngc_workbench.portal.i18n import marked

State = Literal["stopped", "starting", "running", "stopping", "failed"]
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Status:
    """How a session stands: `percent` and `message` while it starts, `message` when it failed."""

    state: State
    percent: int = 0
    message: str = ""


class Sessions(Protocol):
    """Starts and stops sessions."""

    async def all(self, visitor: Visitor) -> dict[str, Status]:
        """The person's sessions that aren't stopped, by project; failed starts too."""

    async def start(self, visitor: Visitor, project: str) -> None:
        """Begins to start; `all` tells how it goes."""

    async def stop(self, visitor: Visitor, project: str) -> None:
        """Stops a session."""

    async def close(self) -> None:
        """Ends what runs in the background."""


class HubSessions:
    """Sessions through the hub's API at `api_url`."""

    def __init__(self, api_url: str) -> None:
        self._http = httpx.AsyncClient(
            base_url=api_url.rstrip("/"), timeout=httpx.Timeout(30, read=120), trust_env=False
        )
        self._starts: dict[tuple[str, str], Status] = {}
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}

    async def all(self, visitor: Visitor) -> dict[str, Status]:
        """As the hub has it, with the progress that this portal has heard of. Raises Unavailable."""
        answer = await self._call("GET", f"/users/{quote(visitor.name)}", visitor)
        found: dict[str, Status] = {}
        for name, server in answer.json().get("servers", {}).items():
            heard = self._starts.get((visitor.name, name))
            if server.get("pending") == "stop":
                found[name] = Status("stopping")
            elif server.get("ready"):
                found[name] = Status("running", 100)
            elif server.get("pending") == "spawn":
                found[name] = heard if heard and heard.state == "starting" else Status("starting", 5)
        for (person, name), heard in self._starts.items():
            if person == visitor.name and name not in found and heard.state in ("starting", "failed"):
                found[name] = heard
        return found

    async def start(self, visitor: Visitor, project: str) -> None:
        """Begins to start, and listens to the hub's own progress events. A start that is under way is left alone."""
        key = (visitor.name, project)
        task = self._tasks.get(key)
        if task is not None and not task.done():
            return
        self._starts[key] = Status("starting", 0, marked("Asking the hub"))
        self._tasks[key] = asyncio.create_task(self._run(visitor, project))

    async def stop(self, visitor: Visitor, project: str) -> None:
        """Stops; a session that is not there is stopped already. Raises Unavailable, Conflict (it is starting)."""
        self._starts.pop((visitor.name, project), None)
        answer = await self._call(
            "DELETE", f"/users/{quote(visitor.name)}/servers/{quote(project)}", visitor, also=(400, 404)
        )
        if answer.status_code == 400:
            raise Conflict(
                marked("The session is starting and can't be stopped just now."),
                marked("Wait until it runs, then stop it."),
            )

    async def close(self) -> None:
        """Lets go of the hub; what it was asked to start goes on there."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await self._http.aclose()

    async def _run(self, visitor: Visitor, project: str) -> None:
        key = (visitor.name, project)
        path = f"/users/{quote(visitor.name)}/servers/{quote(project)}"
        try:
            asked = asyncio.create_task(self._call("POST", path, visitor, also=(400, 403, 500)))
            listening = asyncio.create_task(self._listen(visitor, key, path))
            answer = await asked
            if answer.status_code >= 400:
                listening.cancel()
                self._starts[key] = Status("failed", 100, _message(answer))
                return
            if answer.status_code == 201:
                # It stands already; no need to wait for the last of its events.
                listening.cancel()
            else:
                await listening
        except WorkbenchError as error:
            self._starts[key] = Status("failed", 100, error.what)
        except Exception:  # noqa: BLE001 - told to the person as a failed start, to the operator in full
            _log.exception("starting a session failed")
            self._starts[key] = Status("failed", 100, marked("The start failed."))
        else:
            if self._starts.get(key, Status("stopped")).state == "starting":
                self._starts.pop(key, None)

    async def _listen(self, visitor: Visitor, key: tuple[str, str], path: str) -> None:
        """Follows the hub's events until the session is ready or has failed; asks again while it isn't pending yet."""
        for _ in range(100):
            async for event in self._events(visitor, f"{path}/progress"):
                if event.get("failed"):
                    self._starts[key] = Status("failed", 100, str(event.get("message", "")))
                    return
                if event.get("ready"):
                    return
                percent = min(
                    99, max(int(event.get("progress") or 0), self._starts[key].percent if key in self._starts else 0)
                )
                self._starts[key] = Status("starting", percent, str(event.get("message", "")))
            await asyncio.sleep(0.1)

    async def _events(self, visitor: Visitor, path: str) -> AsyncIterator[dict[str, Any]]:
        headers = {"Authorization": f"token {visitor.token}", "Accept": "text/event-stream"}
        try:
            async with self._http.stream("GET", path, headers=headers) as answer:
                if answer.status_code != 200:
                    return
                async for line in answer.aiter_lines():
                    if line.startswith("data:"):
                        event = json.loads(line[5:])
                        if isinstance(event, dict):
                            yield event
        except httpx.HTTPError:
            return  # progress is a courtesy: the start goes on, and `all` knows its end

    async def _call(self, method: str, path: str, visitor: Visitor, also: tuple[int, ...] = ()) -> httpx.Response:
        try:
            answer = await self._http.request(method, path, headers={"Authorization": f"token {visitor.token}"})
        except httpx.HTTPError as error:
            raise Unavailable(
                marked("The hub does not answer."), marked("Wait a moment, then load the page again.")
            ) from error
        if answer.status_code >= 400 and answer.status_code not in also:
            raise Unavailable(_message(answer), marked("Try again; else call the operator."))
        return answer


def _message(answer: httpx.Response) -> str:
    """The hub's own words for what went wrong."""
    try:
        said = answer.json().get("message")
    except (ValueError, AttributeError):
        said = None
    return str(said or marked("The hub refused."))
