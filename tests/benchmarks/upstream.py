"""A server that both proxies stand before: JSON of 100 bytes, and of 200,000 below `lab/`. Its port is the first argument."""

import asyncio
import json
import sys

from aiohttp import web

SMALL = json.dumps({"x": "y" * 90}).encode().ljust(100)
LARGE = json.dumps({"x": "y" * 199_990}).encode().ljust(200_000)


async def main():
    """Serves until it is ended."""

    async def answer(request):
        body = LARGE if "/lab/" in request.path else SMALL
        return web.Response(body=body, content_type="application/json")

    runner = web.ServerRunner(web.Server(answer, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(sys.argv[1])).start()
    await asyncio.Event().wait()


asyncio.run(main())
