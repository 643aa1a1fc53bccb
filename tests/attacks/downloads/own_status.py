"""An answer with a status that no browser needs carries a part of a file."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    ground.answers("api/me", ground.token, status=206)
    return ground.gets("api/me")


ATTACK = Attack("a server of one's own", attempt, recorded=("gateway.refused", "answer.status"))
