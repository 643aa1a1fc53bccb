"""A program that listens in somebody else's session is reached."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import NEIGHBOUR, Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    with ground.listener(NEIGHBOUR, 7777):
        code = f"""
    import json, socket
    with socket.create_connection(('{ground.address(NEIGHBOUR)}', 7777), 3) as s:
        print(json.dumps(s.recv(64).decode()))
    """
        return bool(ground.inside(code) == ground.token)


ATTACK = Attack("neighbours", attempt, recorded=("network.refused", ":7777"))
