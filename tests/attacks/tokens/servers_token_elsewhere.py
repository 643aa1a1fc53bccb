"""The token that the session's server has is used by somebody who never logged in."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground
from tests.attacks.grounds.person import stranger


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    token = ground.inside("import json, os; print(json.dumps(os.environ['JUPYTERHUB_API_TOKEN']))")
    answer = ground.wait(stranger(ground.person, "api/contents/", {"Authorization": f"token {token}"}))
    return answer.status == 200


ATTACK = Attack("tokens", attempt, recorded=("gateway.refused", "request.token"))
