"""A file is downloaded by the notebook server's own route for files."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    ground.inside(f"open('/home/researcher/loot.bin', 'wb').write(bytes([0, 255]) + b'{ground.token}')")
    return ground.gets("files/home/loot.bin")


ATTACK = Attack("HTTP download", attempt, recorded=("gateway.refused", "files.download"))
