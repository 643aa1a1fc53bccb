"""A page of another site acts in the person's name."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    headers = {"Origin": "http://elsewhere.example", "Sec-Fetch-Site": "cross-site", "X-XSRFToken": ""}
    return ground.ask("POST", "api/kernels", json={"name": "python3"}, headers=headers).status == 201


ATTACK = Attack("requests of others", attempt, recorded=("gateway.refused", "request.cross_origin"))
