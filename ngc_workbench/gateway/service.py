"""The gateway as a process: both listeners over one set of routes, one recorder, one client."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import aiohttp
import structlog
from aiohttp import web

from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database
from ngc_workbench.errors import Unavailable, WorkbenchError
from ngc_workbench.gateway import frontend
from ngc_workbench.gateway.proxy import BrowserSide
from ngc_workbench.gateway.record import Recorder
from ngc_workbench.gateway.routes import Routes
from ngc_workbench.gateway.session_side import SessionSide
from ngc_workbench.sessions.traffic import default_thresholds
from ngc_workbench.settings import Settings

_log = structlog.get_logger("gateway")
_LINE = 16 * 1024  # longest line of a request's or answer's head, in bytes


@dataclass(frozen=True)
class Gateway:
    """A running gateway's two ports."""

    browser_port: int
    session_port: int


@contextlib.asynccontextmanager
async def running(
    settings: Settings, database: Database, log: AuditLog, *, window: float = 60.0
) -> AsyncIterator[Gateway]:
    """Both listeners, until the block ends; then what is to be recorded has been.

    Raises Unavailable for a busy port, and ConfigurationError without a whole front end.
    """
    copy = await asyncio.to_thread(frontend.load, settings)
    routes = Routes(settings, database)
    recorder = Recorder(database, log, window=window, thresholds=default_thresholds(settings), paused=routes.drop)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(recorder.close)
        recorder.start()
        following = asyncio.create_task(routes.follow())
        stack.callback(following.cancel)
        to_sessions = await stack.enter_async_context(_client(read_timeout=300))
        to_hub = await stack.enter_async_context(_client(read_timeout=30))
        browser = BrowserSide(settings, routes, recorder, to_sessions, copy)
        session = SessionSide(settings, routes, recorder, to_hub)

        async def health() -> web.StreamResponse:
            try:
                await routes.by_path("/user/nobody/nothing/")
            except WorkbenchError as error:
                return web.json_response({"ok": False, "what": error.what}, status=503)
            return web.json_response({"ok": True})

        async def front(request: web.BaseRequest) -> web.StreamResponse:
            return await (health() if request.raw_path == "/-/health" else browser.handle(request))

        await _listen(stack, front, "127.0.0.1", settings.gateway_port)
        # The firewall lets nobody but sessions to it.
        await _listen(stack, session.handle, "0.0.0.0", settings.gateway_session_port)  # noqa: S104
        _log.info("gateway.up", browser=settings.gateway_port, session=settings.gateway_session_port)
        yield Gateway(settings.gateway_port, settings.gateway_session_port)


def _client(*, read_timeout: float) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, limit_per_host=100),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        timeout=aiohttp.ClientTimeout(total=None, connect=5, sock_read=read_timeout),
        skip_auto_headers=("User-Agent", "Accept-Encoding", "Accept", "Content-Type"),
        read_bufsize=64 * 1024,
        max_line_size=_LINE,
        max_field_size=_LINE,
    )


async def _listen(
    stack: contextlib.AsyncExitStack,
    handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
    host: str,
    port: int,
) -> None:
    # The bare server, without a router: the table routes, by the path as it was written.
    server = web.Server(handler, access_log=None, auto_decompress=False, max_line_size=_LINE, max_field_size=_LINE)
    runner = web.ServerRunner(server, shutdown_timeout=2)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        raise Unavailable(
            f"Port {port} is in use.", "Stop what uses it, or change the port in the settings."
        ) from error


async def serve(settings: Settings) -> None:
    """Runs until it is told to stop (SIGTERM, SIGINT). Raises Unavailable, ConfigurationError."""
    database = Database(settings.database)
    log = AuditLog(settings.control_dir / "audit")
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    try:
        async with running(settings, database, log):
            await told.wait()
    finally:
        database.close()
