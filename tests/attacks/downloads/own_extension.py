"""The container answers for an extension of JupyterLab's."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    ground.answers("lab/extensions/loot/static/remoteEntry.js", ground.token)
    return ground.gets("lab/extensions/loot/static/remoteEntry.js")


ATTACK = Attack(
    "a server of one's own",
    attempt,
    unrecorded="What a browser runs or shows as a page comes from the gateway's own copy: the session isn't asked for it.",
)
