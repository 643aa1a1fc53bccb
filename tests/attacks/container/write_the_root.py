"""Something is kept outside of the folders that are measured and kept apart."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    code = """
    import json
    open('/var/tmp/hidden', 'w').write('x')
    print(json.dumps(True))
    """
    return bool(ground.inside(code))


ATTACK = Attack(
    "the container's own disk",
    attempt,
    unrecorded="The kernel refuses inside the container; no part outside of it sees the attempt.",
)
