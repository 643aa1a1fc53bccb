"""A second shell is opened in the kernel, which nobody watches."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground
from tests.attacks.grounds.messages import Said


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    kernel = ground.kernel()

    async def ask() -> Said:
        return await kernel.heard(
            await kernel.send(kernel.message("create_subshell_request", {}, "control")), 5, "create_subshell_reply"
        )

    return "subshell_id" in ground.wait(ask()).text


ATTACK = Attack("messages", attempt, recorded=("gateway.refused", "message.to_kernel_unlisted"))
