"""More memory is taken than a session has."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    code = """
    import json
    taken = [bytearray(b'x') * (1 << 28) for _ in range(22)]
    print(json.dumps(len(taken)))
    """
    return ground.inside(code, timeout_s=60) == 22


ATTACK = Attack(
    "memory", attempt, unrecorded="The kernel refuses inside the container; no part outside of it sees the attempt."
)
