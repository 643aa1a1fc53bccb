"""The audit log: what happened, who decided it and why, in a form that nobody can rewrite unseen.

`AuditLog.append` records an event in the transaction of what it records. Events are leaves of a Merkle tree, whose
heads are signed. `verify_bundle` checks an exported log with no database; docs/audit.md tells the form.
"""

from ngc_workbench.audit.events import Event
from ngc_workbench.audit.export import export_bundle, verify_live
from ngc_workbench.audit.heads import Head
from ngc_workbench.audit.log import AuditLog, Name
from ngc_workbench.audit.tables import AuditEvent, AuditHead, AuditIdentity, AuditTree
from ngc_workbench.audit.verifier import Report, verify_bundle
from ngc_workbench.audit.vocabulary import KINDS, SERVICES

__all__ = [
    "KINDS",
    "SERVICES",
    "AuditEvent",
    "AuditHead",
    "AuditIdentity",
    "AuditLog",
    "AuditTree",
    "Event",
    "Head",
    "Name",
    "Report",
    "export_bundle",
    "verify_bundle",
    "verify_live",
]
