"""A program in the container serves a file at an address of its own."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    ground.answers("loot", ground.token)
    return ground.gets("loot")


ATTACK = Attack("a server of one's own", attempt, recorded=("gateway.refused", "route.unlisted"))
