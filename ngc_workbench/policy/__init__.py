"""Who may do what to what, and why: tables and pure functions.

Values in, a `Decision` out. No database, no clock, no network: whoever asks reads the facts in the same
transaction in which the decision is recorded.
"""

from ngc_workbench.policy.decision import Decision, allow, deny

__all__ = ["Decision", "allow", "deny"]
