"""A large file goes out as text."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    ground.inside(f"open('/home/researcher/loot.txt', 'w').write('0/1 ' * 500000 + '{ground.token}')")
    return ground.gets("api/contents/home/loot.txt?type=file&format=text&content=1")


ATTACK = Attack("contents API", attempt, recorded=("gateway.refused", "contents.not_text_large"))
