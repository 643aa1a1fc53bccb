"""A page is sent where data belong, so that a browser shows it and runs what is in it."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    ground.answers("api/me", f"<script>{ground.token}</script>", {"Content-Type": "text/html"})
    return "html" in ground.ask("GET", "api/me").headers.get("Content-Type", "")


ATTACK = Attack("a server of one's own", attempt, unrecorded="The type is the table's, whatever the answer says.")
