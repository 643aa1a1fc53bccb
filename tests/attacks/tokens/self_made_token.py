"""The person makes a token at the hub, which works without them."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    person = ground.person
    answer = ground.wait(person.hub_call("POST", f"api/users/{person.name}/tokens", {"note": "for a friend"}))
    return answer.status == 201


ATTACK = Attack(
    "tokens", attempt, unrecorded="The hub refuses it: the role has no such scope. Its own log has the refusal."
)
