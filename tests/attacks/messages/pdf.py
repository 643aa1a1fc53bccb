"""A document is sent as an output."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    code = f"from IPython.display import display; display({{'application/pdf': '{ground.token}'}}, raw=True)"
    return "application/pdf" in ground.run(code).media()


ATTACK = Attack("outputs", attempt, recorded=("gateway.refused", "message.media"))
