"""A port that this machine listens on is reached by its address on Docker's first bridge."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    with ground.door() as door:
        ground.inside(
            f"import socket; socket.create_connection(('172.17.0.1', {door.port}), 3).sendall(b'{ground.token}')"
        )
        return door.saw(ground.token)


ATTACK = Attack("this machine", attempt, recorded=("network.refused", "tcp 172.17.0.1"))
