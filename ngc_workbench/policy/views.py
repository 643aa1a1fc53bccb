"""Whether a project may be given a view of a release."""

from __future__ import annotations

from ngc_workbench.policy.decision import Decision, allow, deny

_STATES = frozenset({"approved", "active", "suspended"})


def may_build(*, project_state: str, release_state: str, approved: bool) -> Decision:
    """Whether a view may be made. `approved`: the project has an approval for the release that counts today."""
    if release_state != "published":
        return deny(
            "release.not_published",
            f"The release is {release_state}.",
            "Publish it with `ngc-workbench release publish`.",
        )
    if project_state not in _STATES:
        return deny(
            "project.not_active", f"The project is {project_state}.", "Only an approved or active project has views."
        )
    if not approved:
        return deny(
            "approval.none", "The project has no approval for this release that counts today.", "Approve it first."
        )
    return allow("approval.counts", "the project is approved for the release")
