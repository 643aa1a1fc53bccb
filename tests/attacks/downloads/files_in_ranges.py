"""A file is fetched in pieces, each too small to be noticed."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    ground.inside(f"open('/home/researcher/loot.bin', 'wb').write(bytes([0, 255]) + b'{ground.token}')")
    return ground.gets("files/home/loot.bin", headers={"Range": "bytes=2-40"})


ATTACK = Attack("HTTP download", attempt, recorded=("gateway.refused", "files.download"))
