"""A folder is handed out as an archive."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    ground.answers("directories/home", ground.token)
    return ground.gets("directories/home")


ATTACK = Attack("a server of one's own", attempt, recorded=("gateway.refused", "archive.download"))
