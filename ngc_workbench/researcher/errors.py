"""What the library raises: one exception, which a notebook shows as a text and not as a stack trace."""

from __future__ import annotations


class NgcError(Exception):
    """Something that the reader can put right: what happened, then what to do."""

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(f"{what} {remedy}".strip())
        self.what = what
        self.remedy = remedy

    def _render_traceback_(self) -> list[str]:
        """IPython asks an exception for this before it prints a stack trace of our insides."""
        return [f"✗ {self.what}", *([f"  → {self.remedy}"] if self.remedy else [])]
