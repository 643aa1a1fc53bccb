"""Identities: what a log-in proved, and which roles a person holds."""

from __future__ import annotations

from ngc_workbench.people.accounts import get, holds, require
from ngc_workbench.people.login import Claims, read_claims, record_login

__all__ = ["Claims", "get", "holds", "read_claims", "record_login", "require"]
