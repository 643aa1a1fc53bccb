"""A file is printed in many outputs, none of them large."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    return ground.run("for _ in range(3000): print('0/1 ' * 1000)", 90).bytes > 4 << 20


ATTACK = Attack("outputs", attempt, recorded=("gateway.refused", "cell."))
