"""The container's name at the host, which other calls would need, can be read."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    code = """
    import json
    print(json.dumps(open('/proc/self/cgroup').read()))
    """
    return "/docker/" in str(ground.inside(code))


ATTACK = Attack(
    "names of the host", attempt, unrecorded="Reading a file of the container's own is not seen outside of it."
)
