"""The contents API gives a binary file in base64."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    ground.inside(f"open('/home/researcher/loot.bin', 'wb').write(bytes([0, 255]) + b'{ground.token}')")
    return ground.gets("api/contents/home/loot.bin?type=file&format=base64&content=1")


ATTACK = Attack("contents API", attempt, recorded=("gateway.refused", "contents.not_text"))
