"""The container answers JupyterLab's address with a page of its own."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    ground.answers("lab", f"<script>{ground.token}</script>")
    return ground.gets("lab")


ATTACK = Attack(
    "a server of one's own",
    attempt,
    unrecorded="What a browser runs or shows as a page comes from the gateway's own copy: the session isn't asked for it.",
)
