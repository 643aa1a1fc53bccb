"""Threads are started without end."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    code = """
    import json, os, threading, time
    threading.stack_size(65536)
    made = 0
    try:
        for _ in range(4500):
            threading.Thread(target=time.sleep, args=(8,), daemon=True).start()
            made += 1
    except RuntimeError:
        pass
    print(json.dumps(made), flush=True)
    os._exit(0)
    """
    return int(ground.inside(code) or 0) >= 4500


ATTACK = Attack(
    "processes", attempt, unrecorded="The kernel refuses inside the container; no part outside of it sees the attempt."
)
