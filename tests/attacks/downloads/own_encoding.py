"""An answer is compressed, so that nobody can look into it."""

import gzip

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    ground.answers(
        "api/kernelspecs", gzip.compress(ground.token.encode()).decode("latin-1"), {"Content-Encoding": "gzip"}
    )
    return ground.gets("api/kernelspecs")


ATTACK = Attack("a server of one's own", attempt, recorded=("gateway.refused", "answer.encoded"))
