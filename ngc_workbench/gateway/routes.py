"""Which session a request belongs to: by the path of its address, or by the address it comes from.

The table `sessions` is the truth. It is read anew when the copy in memory is older than `lifetime`, so routes survive
restarts, follow changes within a second, and any number of gateways agree. When the database doesn't answer, nothing
is routed: an old copy might name a session that was stopped for a reason.

A paused session has no route. In the gateway that paused it that holds from the same moment on (`drop`): a reading that began before the
pause can't bring the route back.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import structlog
from sqlalchemy import select

from ngc_workbench.database import Database
from ngc_workbench.errors import Refused
from ngc_workbench.gateway.paused import Paused
from ngc_workbench.model import Session
from ngc_workbench.policy.meter import Pause
from ngc_workbench.sessions.pause import pause_of
from ngc_workbench.settings import Settings

_log = structlog.get_logger("gateway")


@dataclass(frozen=True)
class Route:
    """One live session, as the gateway needs it. `prefix` begins and ends with a slash."""

    session: str
    person: str
    project: str
    prefix: str
    address: str
    port: int
    origin: str

    @property
    def client_id(self) -> str:
        """The hub's OAuth client of this very server (JupyterHub's own rule; names are slugs, so nothing is quoted)."""
        return f"jupyterhub-user-{self.person}-{self.project}"

    @property
    def upstream(self) -> str:
        """Where the container listens."""
        return f"http://{self.address}:{self.port}"


def ended() -> Refused:
    """What a request is told whose session ended, or was paused, while it was under way."""
    return Refused("session.ended", "The session was stopped or paused.", "Open the portal; it says why.")


class Routes:
    """The live sessions. `lifetime` is in seconds."""

    def __init__(self, settings: Settings, database: Database, lifetime: float = 1.0) -> None:
        self._settings = settings
        self._database = database
        self._network = ipaddress.IPv4Network(settings.session_subnets)
        self._lifetime = lifetime
        self._read_at = float("-inf")
        self._lock = asyncio.Lock()
        self._by_prefix: dict[str, Route] = {}
        self._by_address: dict[str, Route] = {}
        self._paused: dict[str, Pause] = {}
        self._dropped: dict[str, tuple[float, Pause]] = {}
        self._waiting: dict[Route, set[asyncio.Timeout]] = {}

    async def by_path(self, path: str) -> Route | None:
        """The session whose prefix begins this cleaned path; also without the slash at the prefix's end. Raises Paused."""
        await self._refresh()
        parts = path.split("/")
        prefix = "/".join(parts[:4]) + "/" if len(parts) >= 4 else ""
        if prefix in self._paused:
            raise Paused(self._paused[prefix])
        return self._by_prefix.get(prefix)

    async def by_source(self, address: str) -> Route | None:
        """The session whose container has this address. None as well when two live sessions claim it."""
        await self._refresh()
        return self._by_address.get(address)

    async def live(self, route: Route) -> bool:
        """Whether the session still runs, unchanged: not stopped, not paused."""
        await self._refresh()
        return self.open(route)

    def open(self, route: Route) -> bool:
        """The same by the copy in memory, at no cost: for every message and every piece of a body. See `follow`."""
        return self._by_prefix.get(route.prefix) == route

    @contextlib.asynccontextmanager
    async def while_open(self, route: Route) -> AsyncIterator[None]:
        """Ends the block as soon as the session is stopped or paused: a container that is frozen answers nothing, and says nothing.

        Raises Paused, or Refused (`session.ended`). The block's own TimeoutError passes.
        """
        limit = asyncio.timeout(None)
        waiting = self._waiting.setdefault(route, set())
        try:
            async with limit:
                waiting.add(limit)
                yield
        except TimeoutError:
            if not limit.expired():
                raise
            await self.by_path(route.prefix)
            raise ended() from None
        finally:
            waiting.discard(limit)
            if not waiting:
                self._waiting.pop(route, None)

    def _end_waiting(self) -> None:
        now = asyncio.get_running_loop().time()
        for route in [route for route in self._waiting if not self.open(route)]:
            for limit in self._waiting.pop(route):
                limit.reschedule(now)

    async def follow(self) -> None:
        """Keeps the copy in memory fresh, so that what is open already ends when another gateway pauses it; until cancelled."""
        while True:
            try:
                await self._refresh()
            except Exception as error:  # noqa: BLE001 (a task that ended would leave the copy as it is, for good)
                _log.warning("routes.unread", error=repr(error))
                self._by_prefix, self._by_address = {}, {}
                self._end_waiting()
            await asyncio.sleep(self._lifetime / 4)

    def drop(self, session: str, pause: Pause) -> None:
        """Routes nothing more to a session that was paused just now; requests to it are told why."""
        self._dropped[session] = (time.monotonic(), pause)
        for prefix, route in list(self._by_prefix.items()):
            if route.session == session:
                del self._by_prefix[prefix]
                self._paused[prefix] = pause
        self._by_address = {key: route for key, route in self._by_address.items() if route.session != session}
        self._end_waiting()

    async def _refresh(self) -> None:
        if time.monotonic() - self._read_at < self._lifetime:
            return
        async with self._lock:
            if time.monotonic() - self._read_at < self._lifetime:
                return
            asked = time.monotonic()
            found, paused = await asyncio.to_thread(self._read)
            # A reading that began before a pause may have seen the session running: for it, the pause counts.
            self._dropped = {session: drop for session, drop in self._dropped.items() if drop[0] >= asked}
            late = {route.prefix: self._dropped[route.session][1] for route in found if route.session in self._dropped}
            self._paused = {**paused, **late}
            self._by_prefix = {route.prefix: route for route in found if route.prefix not in self._paused}
            claims: dict[str, list[Route]] = {}
            for route in self._by_prefix.values():
                claims.setdefault(route.address, []).append(route)
            self._by_address = {address: routes[0] for address, routes in claims.items() if len(routes) == 1}
            self._read_at = asked
            self._end_waiting()

    def _read(self) -> tuple[list[Route], dict[str, Pause]]:
        """Routes of the sessions that run, and what holds those that are paused, by prefix."""
        query = select(Session).where(Session.state.in_(("starting", "running", "paused"))).order_by(Session.started)
        routes, paused = [], {}
        with self._database.reading() as db:
            for row in db.scalars(query):
                if row.state == "paused":
                    held = pause_of(row)
                    if held is not None:
                        paused[row.prefix] = held
                elif (route := self._route(row)) is not None:
                    routes.append(route)
        return routes, paused

    def _route(self, row: Session) -> Route | None:
        # Only what can be a session's container: a wrong row must not turn the gateway against the host.
        try:
            inside = ipaddress.IPv4Address(row.address) in self._network
        except ValueError:
            inside = False
        if not inside or not row.port or row.prefix != f"/user/{row.person_name}/{row.project_name}/":
            return None
        origin = self._settings.subdomain_url(row.person_name)
        return Route(row.id, row.person_name, row.project_name, row.prefix, row.address, row.port, origin)
