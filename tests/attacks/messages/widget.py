"""A widget, which talks to the kernel behind everybody's back, is shown."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    code = f"from IPython.display import display; display({{'application/vnd.jupyter.widget-view+json': '{ground.token}'}}, raw=True)"
    return "application/vnd.jupyter.widget-view+json" in ground.run(code).media()


ATTACK = Attack("outputs", attempt, recorded=("gateway.refused", "message.media"))
