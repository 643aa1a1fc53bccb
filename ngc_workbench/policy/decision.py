"""A decision and its reason."""

from __future__ import annotations

from dataclasses import dataclass

from ngc_workbench.errors import Refused


@dataclass(frozen=True)
class Decision:
    """Allowed or not; `reason` is the stable name of the rule that decided, `text` says it to a person.

    `remedy` says what the person can do about a refusal.
    """

    allowed: bool
    reason: str
    text: str
    remedy: str = ""

    def __bool__(self) -> bool:
        return self.allowed

    def or_refuse(self) -> Decision:
        """Itself when allowed. Raises Refused when not."""
        if not self.allowed:
            raise Refused(self.reason, self.text, self.remedy)
        return self


def allow(reason: str, text: str = "") -> Decision:
    """A yes, by the rule named `reason`."""
    return Decision(True, reason, text)


def deny(reason: str, text: str, remedy: str = "") -> Decision:
    """A no, by the rule named `reason`."""
    return Decision(False, reason, text, remedy)
