"""A cookie carries data into the browser's store."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    ground.answers("api/me", "{}", {"Set-Cookie": f"loot={ground.token}; Domain=localhost; Path=/"})
    return ground.gets("api/me")


ATTACK = Attack(
    "a server of one's own", attempt, unrecorded="Cookies that are not a Jupyter server's are left out of every answer."
)
