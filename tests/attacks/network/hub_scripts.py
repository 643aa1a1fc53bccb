"""The hub's own files answer a program in the container."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    code = """
    import json, os, urllib.request
    base = os.environ['JUPYTERHUB_API_URL'].removesuffix('/hub/api')
    print(json.dumps(urllib.request.urlopen(base + '/hub/static/js/home.js', timeout=5).read().decode()))
    """
    return "require" in str(ground.inside(code))


ATTACK = Attack("the hub's other doors", attempt, recorded=("gateway.refused", "hub.unlisted"))
