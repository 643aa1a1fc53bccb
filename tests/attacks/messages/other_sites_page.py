"""A page of another site opens a connection to the kernel."""

import aiohttp

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground
from tests.attacks.grounds.messages import connect


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    kernel = ground.kernel()

    async def open_socket() -> bool:
        try:
            socket = await connect(
                kernel.person, f"api/kernels/{kernel.id}/channels", origin="http://elsewhere.example"
            )
        except aiohttp.ClientError:
            return False
        await socket.close()
        return True

    return ground.wait(open_socket())


ATTACK = Attack("messages", attempt, recorded=("gateway.refused", "request.cross_origin"))
