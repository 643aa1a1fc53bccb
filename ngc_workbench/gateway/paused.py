"""What a request to a paused session is answered, in plain words."""

from __future__ import annotations

from ngc_workbench.errors import Refused
from ngc_workbench.policy.meter import Pause, said, said_in_danish


class Paused(Refused):
    """The session is paused: by which threshold and since when, and what happens next. `danish` says the same.

    Answered with 403, on purpose: a hub that starts anew takes any status below 500 for a sign of life, and keeps the server.
    """

    def __init__(self, pause: Pause) -> None:
        what, remedy = said(pause)
        super().__init__("session.paused", what, remedy)
        self.danish = said_in_danish(pause)
