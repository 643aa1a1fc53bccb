"""Projects: provisioning, members, approvals, and the facts on which a session is decided."""

from __future__ import annotations

from ngc_workbench.projects.facts import SessionFacts, session_facts
from ngc_workbench.projects.folders import Folders, folders, make_folders
from ngc_workbench.projects.limits import set_limits
from ngc_workbench.projects.provision import change_state, end_membership, grant, provision, withdraw_approval
from ngc_workbench.projects.purposes import facts_from, judge, recorded

__all__ = [
    "Folders",
    "SessionFacts",
    "change_state",
    "end_membership",
    "facts_from",
    "folders",
    "grant",
    "judge",
    "make_folders",
    "provision",
    "recorded",
    "session_facts",
    "set_limits",
    "withdraw_approval",
]
