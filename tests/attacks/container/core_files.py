"""A program's memory is written out when it crashes."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    code = """
    import json, resource
    resource.setrlimit(resource.RLIMIT_CORE, (1 << 20, 1 << 20))
    print(json.dumps(True))
    """
    return bool(ground.inside(code))


ATTACK = Attack(
    "core files", attempt, unrecorded="The kernel refuses inside the container; no part outside of it sees the attempt."
)
