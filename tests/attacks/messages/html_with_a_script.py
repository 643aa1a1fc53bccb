"""HTML with a script and a handler is sent as an output."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    html = f"<script>fetch(1)</script><img src=x onerror=alert(1)><b>{ground.token}</b>"
    shown = str(
        ground.run(f"from IPython.display import HTML, display; display(HTML({html!r}))").media().get("text/html")
    )
    return "<script" in shown or "onerror" in shown


ATTACK = Attack("outputs", attempt, unrecorded="HTML is always cleaned; the cell that made it is recorded.")
