"""States and the moves between them: one table a machine. A move that is not in its table is refused."""

from __future__ import annotations

from ngc_workbench.policy.decision import Decision, allow, deny

Machine = dict[str, frozenset[str]]

PROJECT: Machine = {
    "draft": frozenset({"submitted"}),
    "submitted": frozenset({"approved", "refused", "draft"}),
    "approved": frozenset({"active"}),
    "active": frozenset({"suspended", "closed"}),
    "suspended": frozenset({"active", "closed"}),
    "closed": frozenset({"archived"}),
    "archived": frozenset(),
    "refused": frozenset(),
}

EXPORT: Machine = {
    "draft": frozenset({"submitted", "withdrawn"}),
    "submitted": frozenset({"checking", "withdrawn"}),
    "checking": frozenset({"in_review", "checking"}),
    "in_review": frozenset({"approved", "rejected", "returned", "withdrawn"}),
    "approved": frozenset({"released"}),
    "released": frozenset({"revoked"}),
    "returned": frozenset({"submitted", "withdrawn"}),
    "rejected": frozenset(),
    "withdrawn": frozenset(),
    "revoked": frozenset(),
}

SESSION: Machine = {
    "starting": frozenset({"running", "stopped"}),
    "running": frozenset({"paused", "stopped"}),
    "paused": frozenset({"running", "stopped"}),
    "stopped": frozenset(),
}

RELEASE: Machine = {
    "building": frozenset({"published", "withdrawn"}),
    "published": frozenset({"withdrawn"}),
    "withdrawn": frozenset(),
}


def move(machine: Machine, current: str, target: str) -> Decision:
    """Whether a thing in state `current` may go to `target`."""
    if target in machine.get(current, frozenset()):
        return allow("state.move", f"{current} to {target}")
    return deny("state.no_such_move", f"It is {current}, and can't become {target}.")
