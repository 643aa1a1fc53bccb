"""The debugger, a channel of its own, is switched on."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground
from tests.attacks.grounds.messages import Said


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    kernel = ground.kernel()

    async def ask() -> Said:
        return await kernel.heard(
            await kernel.send(
                kernel.message("debug_request", {"type": "request", "seq": 1, "command": "debugInfo"}, "control")
            ),
            5,
            "debug_reply",
        )

    return '"success": true' in ground.wait(ask()).text


ATTACK = Attack("messages", attempt, recorded=("gateway.refused", "message.to_kernel_unlisted"))
