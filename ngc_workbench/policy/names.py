"""Names that appear in URLs, folders and container names: one grammar, checked before anything is built from them."""

from __future__ import annotations

import re

from ngc_workbench.errors import InputError

# JupyterHub 6's grammar for server names; also safe as a path segment, a Docker name and a DNS label.
_SLUG = re.compile(r"[a-z](?:[a-z0-9]|-(?=[a-z0-9])){0,29}")


def is_slug(value: str) -> bool:
    """True for 1 to 30 lowercase letters, digits and single hyphens, starting with a letter, not ending with a hyphen."""
    return _SLUG.fullmatch(value) is not None


def slug(value: str, what: str) -> str:
    """`value` itself. Raises InputError when it is not a slug; `what` names the thing in the message."""
    if not is_slug(value):
        raise InputError(
            f"{value[:40]!r} can't be the name of a {what}.",
            "Use 1 to 30 lowercase letters, digits and single hyphens, starting with a letter.",
        )
    return value
