"""A program writes into the clipboard of the person at the screen, by an escape sequence of the terminal's."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground
from tests.attacks.grounds.messages import terminal


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    typed = f"printf '\\033]52;c;{ground.token}\\007'; echo done"
    return f"]52;c;{ground.token}" in ground.wait(terminal(ground.person, typed)).replace(typed, "")


ATTACK = Attack("terminals", attempt, recorded=("gateway.refused", "terminal.sequence"))
