"""A port that this machine listens on is reached by an address that it has elsewhere."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground
from tests.attacks.grounds.world import NEAR


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    with ground.door() as door:
        ground.inside(f"import socket; socket.create_connection(('{NEAR}', {door.port}), 3).sendall(b'{ground.token}')")
        return door.saw(ground.token)


ATTACK = Attack("this machine", attempt, recorded=("network.refused", f"tcp {NEAR}"))
