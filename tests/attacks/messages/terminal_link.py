"""A program puts a link to the outside behind the words on a terminal's screen."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground
from tests.attacks.grounds.messages import terminal


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    typed = f"printf '\\033]8;;http://203.0.113.9/{ground.token}\\033\\\\click\\033]8;;\\033\\\\'; echo done"
    return f"\x1b]8;;http://203.0.113.9/{ground.token}" in ground.wait(terminal(ground.person, typed))


ATTACK = Attack("terminals", attempt, recorded=("gateway.refused", "terminal.sequence"))
