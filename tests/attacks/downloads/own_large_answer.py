"""An answer is far larger than what belongs at its address."""

import json

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    ground.answers("api/me", json.dumps({"x": "y" * 3000000 + ground.token}))
    return ground.gets("api/me")


ATTACK = Attack("a server of one's own", attempt, recorded=("gateway.refused", "answer.too_large"))
