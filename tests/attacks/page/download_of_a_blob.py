"""A script has the browser save a file."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    script = f"""const a = document.createElement('a'); a.href = URL.createObjectURL(new Blob(['{ground.token}'])); a.download = 'loot.txt'; document.body.append(a); a.click()"""
    ground.leave_by_script(script, 1)
    return bool(ground.lab.downloads)


ATTACK = Attack("a script in an output", attempt, recorded=("gateway.refused", "message.media"))
