"""A program with a set-user-id bit, brought along, could gain rights."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    code = """
    import json
    lines = dict(line.split(':', 1) for line in open('/proc/self/status') if ':' in line)
    print(json.dumps([lines['NoNewPrivs'].strip(), lines['CapBnd'].strip()]))
    """
    flag, bound = ground.inside(code) or ["1", "0"]
    return flag == "0" and int(bound, 16) != 0


ATTACK = Attack("rights", attempt, unrecorded="Nothing is tried: the kernel's own table says what could be.")
