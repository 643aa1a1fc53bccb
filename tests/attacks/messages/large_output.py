"""One output is larger than any screen."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    return ground.run("print('0/1 ' * 6000000)", 90).bytes > 20 << 20


ATTACK = Attack("outputs", attempt, recorded=("gateway.refused", "message.too_large"))
