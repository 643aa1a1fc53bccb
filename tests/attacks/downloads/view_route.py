"""A page of the researcher's own is shown."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    ground.inside(f"open('/home/researcher/loot.html', 'w').write('<b>{ground.token}</b>')")
    return ground.ask("GET", "view/home/loot.html").status == 200


ATTACK = Attack("HTTP download", attempt, recorded=("gateway.refused", "files.view"))
