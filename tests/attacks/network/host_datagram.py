"""A datagram reaches a program of this machine."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    with ground.door("udp") as door:
        code = f"import socket; socket.socket(2, 2).sendto(b'{ground.token}', ('{ground.host}', {door.port}))"
        ground.inside(code)
        return door.saw(ground.token)


ATTACK = Attack("this machine", attempt, recorded=("network.refused", "udp "))
