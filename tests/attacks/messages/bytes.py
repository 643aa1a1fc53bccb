"""A file is sent as an output of a type that nobody draws."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    code = f"from IPython.display import display; display({{'application/octet-stream': '{ground.token}'}}, raw=True)"
    return "application/octet-stream" in ground.run(code).media()


ATTACK = Attack("outputs", attempt, recorded=("gateway.refused", "message.media"))
