"""A program in the container serves a file where a proxy for ports would be."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    ground.answers("proxy/9999/loot", ground.token)
    return ground.gets("proxy/9999/loot")


ATTACK = Attack("a server of one's own", attempt, recorded=("gateway.refused", "proxy.port"))
