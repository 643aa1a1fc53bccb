"""A program is brought in by the contents API."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    model = {
        "type": "file",
        "format": "base64",
        "content": "f0VMRgIBAQAAAA==",
        "name": "tool",
        "path": "home/tool",
    }
    return ground.ask("PUT", "api/contents/home/tool", json=model).status in (200, 201)


ATTACK = Attack("contents API", attempt, recorded=("gateway.refused", "contents.upload_binary"))
