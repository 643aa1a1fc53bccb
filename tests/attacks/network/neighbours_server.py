"""The notebook server of somebody else in the project answers."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import NEIGHBOUR, Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    code = f"""
    import json, socket
    with socket.create_connection(('{ground.address(NEIGHBOUR)}', 8888), 3) as s:
        s.sendall(b'GET / HTTP/1.0\\r\\n\\r\\n')
        print(json.dumps(s.recv(9).decode()))
    """
    return str(ground.inside(code)).startswith("HTTP/")


ATTACK = Attack("neighbours", attempt, recorded=("network.refused", ":8888"))
