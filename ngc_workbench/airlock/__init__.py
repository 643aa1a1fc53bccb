"""The airlock: nothing leaves unreviewed.

A file is copied once out of the outbox into a store named by content; that copy is checked, shown, voted on and
released. `requests` moves a request through its states, `checks` finds what people should look at, `store` keeps the copies.
"""

from ngc_workbench.airlock.outbox import outbox
from ngc_workbench.airlock.requests import Wanted, download, resume, run_checks, submit, vote
from ngc_workbench.airlock.store import OutboxFile, Store, Taken, safe_name

__all__ = [
    "OutboxFile",
    "Store",
    "Taken",
    "Wanted",
    "download",
    "outbox",
    "resume",
    "run_checks",
    "safe_name",
    "submit",
    "vote",
]
