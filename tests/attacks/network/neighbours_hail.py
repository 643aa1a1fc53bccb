"""The port that Hail opens in somebody else's session, without a password, is reached."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import NEIGHBOUR, Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    with ground.hail(NEIGHBOUR) as ports:
        code = f"""
    import json, socket
    found = []
    for port in {ports}:
        try:
            with socket.create_connection(('{ground.address(NEIGHBOUR)}', port), 3) as s:
                s.sendall(b'GET / HTTP/1.0\\r\\n\\r\\n')
                found.append(s.recv(9).decode('latin-1'))
        except OSError:
            pass
    print(json.dumps(found))
    """
        return any(said.startswith("HTTP/") for said in ground.inside(code) or [])


ATTACK = Attack("neighbours", attempt, recorded=("network.refused", "tcp "))
