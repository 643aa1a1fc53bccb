"""Which session a request belongs to: by the path of its address, or by the address it comes from.

The table `sessions` is the truth. It is read anew when the copy in memory is older than `lifetime`, so routes survive
restarts, follow changes within a second, and any number of gateways agree. When the database doesn't answer, nothing
is routed: an old copy might name a session that was stopped for a reason.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from dataclasses import dataclass

from sqlalchemy import select

from ngc_workbench.database import Database
from ngc_workbench.model import Session
from ngc_workbench.settings import Settings


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

    async def by_path(self, path: str) -> Route | None:
        """The session whose prefix begins this cleaned path; also without the slash at the prefix's end."""
        await self._refresh()
        parts = path.split("/")
        return self._by_prefix.get("/".join(parts[:4]) + "/") if len(parts) >= 4 else None

    async def by_source(self, address: str) -> Route | None:
        """The session whose container has this address. None as well when two live sessions claim it."""
        await self._refresh()
        return self._by_address.get(address)

    async def live(self, route: Route) -> bool:
        """Whether the session still runs, unchanged."""
        await self._refresh()
        return self._by_prefix.get(route.prefix) == route

    async def _refresh(self) -> None:
        if time.monotonic() - self._read_at < self._lifetime:
            return
        async with self._lock:
            if time.monotonic() - self._read_at < self._lifetime:
                return
            asked = time.monotonic()
            found = await asyncio.to_thread(self._read)
            self._by_prefix = {route.prefix: route for route in found}
            claims: dict[str, list[Route]] = {}
            for route in self._by_prefix.values():
                claims.setdefault(route.address, []).append(route)
            self._by_address = {address: routes[0] for address, routes in claims.items() if len(routes) == 1}
            self._read_at = asked

    def _read(self) -> list[Route]:
        query = select(Session).where(Session.state.in_(("starting", "running"))).order_by(Session.started)
        with self._database.reading() as db:
            return [route for row in db.scalars(query) if (route := self._route(row)) is not None]

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
