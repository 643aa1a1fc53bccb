"""The browser is sent to an address outside that holds the data."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground
from tests.attacks.grounds.world import WEB


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    ground.answers("lab", "", {"Location": f"http://{WEB}/{ground.token}"}, status=302)
    return ground.gets("lab")


ATTACK = Attack("a server of one's own", attempt, recorded=("gateway.refused", "answer.redirect"))
