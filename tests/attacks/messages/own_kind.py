"""The kernel sends a message of a kind that nobody knows."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    code = f"""
    kernel = get_ipython().kernel
    kernel.session.send(kernel.iopub_socket, 'loot', {{'loot': '{ground.token}'}}, parent=kernel.get_parent('shell'))
    """
    return "loot" in ground.run(code).kinds()


ATTACK = Attack("messages", attempt, recorded=("gateway.refused", "message.to_browser_unlisted"))
