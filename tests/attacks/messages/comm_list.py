"""The page asks which live connections the kernel has."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground
from tests.attacks.grounds.messages import Said


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    kernel = ground.kernel()

    async def ask() -> Said:
        return await kernel.heard(
            await kernel.send(kernel.message("comm_info_request", {}, "shell")), 5, "comm_info_reply"
        )

    return '"comms"' in ground.wait(ask()).text


ATTACK = Attack("messages", attempt, recorded=("gateway.refused", "message.to_kernel_unlisted"))
