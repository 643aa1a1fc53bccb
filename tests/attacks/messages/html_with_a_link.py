"""HTML with links, a form and a frame is sent as an output."""

from tests.attacks.attack import Attack
from tests.attacks.grounds.ground import Ground


def attempt(ground: Ground) -> bool:
    """Gives whether it worked."""
    html = "<a href=//203.0.113.9/x>x</a><form action=//203.0.113.9/><iframe src=//203.0.113.9/></iframe><style>@import url(//203.0.113.9/)</style>"
    shown = str(
        ground.run(f"from IPython.display import HTML, display; display(HTML({html!r}))").media().get("text/html")
    )
    return "203.0.113.9" in shown


ATTACK = Attack("outputs", attempt, unrecorded="HTML is always cleaned; the cell that made it is recorded.")
