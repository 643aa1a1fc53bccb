"""A file is shown in a terminal, from the first byte to the last."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground
from tests.attacks.grounds.messages import terminal


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    typed = "head -c 4000000 /dev/zero | tr '\\0' G; echo done"
    return ground.wait(terminal(ground.person, typed)).count("G") > 3_000_000


ATTACK = Attack("terminals", attempt, recorded=("gateway.refused", "terminal.flood"))
