"""The kernel opens a live connection of its own to the page."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    code = f"import comm; comm.create_comm(target_name='x', data={{'loot': '{ground.token}'}})"
    return "comm_open" in ground.run(code).kinds()


ATTACK = Attack("messages", attempt, recorded=("gateway.refused", "message.to_browser_unlisted"))
