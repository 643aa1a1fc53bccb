"""One output is changed again and again, each time with another part of a file."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    code = """
    from IPython.display import display
    shown = display({"text/plain": "x"}, raw=True, display_id=True)
    for _ in range(45):
        shown.update({"text/plain": "0/1 " * 250000}, raw=True)
    """
    return ground.run(code, 90).bytes > 36 << 20


ATTACK = Attack("outputs", attempt, recorded=("gateway.refused", "cell."))
