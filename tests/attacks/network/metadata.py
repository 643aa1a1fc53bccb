"""The address at which clouds keep a machine's credentials is asked."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground
from tests.attacks.grounds.world import METADATA


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    return ground.arrives(f"urllib.request.urlopen('http://{METADATA}/latest/meta-data/{ground.token}')")


ATTACK = Attack("metadata of clouds", attempt, recorded=("network.refused", f"tcp {METADATA}:80"))
