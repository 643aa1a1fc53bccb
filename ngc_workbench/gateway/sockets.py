"""What both kinds of WebSockets share: kernels' and terminals'."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine

import aiohttp
import structlog
from aiohttp import web

_log = structlog.get_logger("gateway")

DATA = (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY)
OFF_LOOP = 128 * 1024
"""Messages above this are looked into in a thread, in bytes."""

Socket = web.WebSocketResponse | aiohttp.ClientWebSocketResponse


def size_of(data: str | bytes) -> int:
    """Bytes of a message on the wire."""
    return len(data) if isinstance(data, bytes) else len(data.encode("utf-8", "surrogatepass"))


async def send(socket: Socket, data: str | bytes) -> None:
    """Sends, and waits while the other side is slow: what it hasn't read holds back whoever reads for it."""
    with contextlib.suppress(ConnectionError):  # the other side has gone: the loop that reads it ends by itself
        if isinstance(data, str):
            await socket.send_str(data)
        else:
            await socket.send_bytes(data)


async def until_one_ends(*works: Coroutine[None, None, None]) -> None:
    """Runs them together, and ends the others when the first ends. A fault in one is logged."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, Exception) and not isinstance(ended, (ConnectionError, aiohttp.ClientError)):
                _log.error("websocket.failed", error=repr(ended))
