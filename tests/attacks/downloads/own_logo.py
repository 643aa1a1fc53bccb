"""The container hides a file in a kernel's picture."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    ground.answers("kernelspecs/python3/logo-64x64.png", ground.token)
    return ground.gets("kernelspecs/python3/logo-64x64.png")


ATTACK = Attack(
    "a server of one's own",
    attempt,
    unrecorded="What a browser runs or shows as a page comes from the gateway's own copy: the session isn't asked for it.",
)
