"""A project's own thresholds for bytes shown, in place of the installation's."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from ngc_workbench.audit import AuditLog
from ngc_workbench.errors import NotFound
from ngc_workbench.model import Project
from ngc_workbench.policy.meter import checked_limits, reason_given


def set_limits(
    db: Session, log: AuditLog, *, actor: str, name: str, hour_mb: int | None, day_mb: int | None, kinds_mb: Mapping[str, int],
    reason: str,
) -> Project:  # fmt: skip
    """Sets a project's thresholds, in MB; those not given are the installation's from now on. They count from the next bytes on.

    The caller has checked that `actor` may. Raises InputError (a threshold, the reason) and NotFound.
    """
    why = reason_given(reason)
    limits = checked_limits(hour_mb, day_mb, kinds_mb)
    project = db.get(Project, name)
    if project is None:
        raise NotFound(f"There is no project {name}.", "`ngc-workbench project list` shows what there is.")
    log.append(
        db, "project.changed", actor=actor, decision="allow", reason="limits.set", project=name, subject=name,
        details={"from": _written(project.limits), "to": _written(limits), "why": why},
    )  # fmt: skip
    project.limits = limits
    return project


def _written(limits: Mapping[str, object]) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(limits.items())) or "the installation's"
