"""An answer that JupyterLab asks for is sent as an attachment."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    ground.answers("api/kernelspecs", ground.token, {"Content-Disposition": "attachment; filename=loot.zip"})
    return ground.gets("api/kernelspecs")


ATTACK = Attack("a server of one's own", attempt, recorded=("gateway.refused", "answer.attachment"))
