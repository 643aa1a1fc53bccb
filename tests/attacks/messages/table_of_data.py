"""A whole table is sent as data for a grid."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    code = f"from IPython.display import display; display({{'application/vnd.dataresource+json': '{ground.token}'}}, raw=True)"
    return "application/vnd.dataresource+json" in ground.run(code).media()


ATTACK = Attack("outputs", attempt, recorded=("gateway.refused", "message.media"))
