"""The container answers for a theme, whose style may load from outside."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    ground.answers("lab/api/themes/loot/index.css", ground.token)
    return ground.gets("lab/api/themes/loot/index.css")


ATTACK = Attack(
    "a server of one's own",
    attempt,
    unrecorded="What a browser runs or shows as a page comes from the gateway's own copy: the session isn't asked for it.",
)
