"""The master keys, by version, and where they come from.

A project's pseudonyms hang on the version that it began with, for its whole life: versions are added, and none is ever
changed or taken away. A store of keys (`KeyProvider`) has two verbs, so that a file and a vault are the same to
everything above: read all, and add one over what was read. Nothing prints a key: not `repr`, not an error.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NoReturn, Protocol

from ngc_workbench.errors import ConfigurationError

KEY_BYTES = 32
MOST_VERSIONS = 255
"""A sealed value names its version in one byte."""
_FORMAT = 1


@dataclass(frozen=True)
class MasterKeys:
    """All versions of the master key, 1 to `current`. `made` says when each was; None: before that was kept.

    Raises ConfigurationError when a version is missing, has another length than 32 bytes, or stands twice.
    """

    versions: Mapping[int, bytes] = field(repr=False)
    made: Mapping[int, datetime | None]

    def __post_init__(self) -> None:
        whole = sorted(self.versions) == list(range(1, len(self.versions) + 1)) and bool(self.versions)
        if not whole or len(self.versions) > MOST_VERSIONS or set(self.made) != set(self.versions):
            raise ConfigurationError(
                "The master keys are damaged: a version is missing.", "Restore them from their backup."
            )
        keys = list(self.versions.values())
        if any(len(key) != KEY_BYTES for key in keys) or len(set(keys)) != len(keys):
            raise ConfigurationError(
                "The master keys are damaged: one is not 32 bytes, or stands twice.", "Restore them from their backup."
            )

    def __reduce__(self) -> NoReturn:
        raise TypeError("keys are not pickled")

    @property
    def current(self) -> int:
        """The newest version: new projects get it."""
        return max(self.versions)

    def followed_by(self, key: bytes) -> MasterKeys:
        """These and one more, made now. Raises ConfigurationError as the constructor."""
        version = self.current + 1
        return MasterKeys({**self.versions, version: key}, {**self.made, version: datetime.now(UTC)})

    @classmethod
    def first(cls, key: bytes) -> MasterKeys:
        """Version 1, made now."""
        return cls({1: key}, {1: datetime.now(UTC)})

    def to_json(self) -> dict[str, Any]:
        """The form in which providers keep them: `{"format": 1, "keys": {"1": {"key": hex, "made": moment or null}}}`."""
        return {
            "format": _FORMAT,
            "keys": {
                str(version): {"key": key.hex(), "made": moment.isoformat() if (moment := self.made[version]) else None}
                for version, key in sorted(self.versions.items())
            },
        }

    @classmethod
    def from_json(cls, content: Any) -> MasterKeys | None:
        """What `to_json` gave; None for anything else. Raises ConfigurationError as the constructor."""
        try:
            if content["format"] != _FORMAT or set(content) != {"format", "keys"}:
                return None
            entries = {_number(text): entry for text, entry in content["keys"].items()}
            versions = {version: bytes.fromhex(entry["key"]) for version, entry in entries.items()}
            made = {
                version: datetime.fromisoformat(entry["made"]) if entry["made"] is not None else None
                for version, entry in entries.items()
            }
        # Not chained to what is raised for it: the error of a parser may hold the text that it read.
        except (KeyError, TypeError, ValueError, AttributeError):
            return None
        return cls(versions, made)


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or str(int(text)) != text:
        raise ValueError
    return int(text)


def new_key() -> bytes:
    """32 bytes from the system's source of randomness."""
    return secrets.token_bytes(KEY_BYTES)


class KeyProvider(Protocol):
    """Where master keys are kept. `where` names the place for a person."""

    where: str

    def read(self) -> MasterKeys | None:
        """All versions; None when there is none yet. Raises ConfigurationError, Unavailable."""

    def add(self, new: bytes, over: MasterKeys | None) -> MasterKeys:
        """Adds one version; gives all. What is kept is changed whole or not at all, and only when it is still `over`.

        Raises Conflict (somebody else added one meanwhile), ConfigurationError, Unavailable.
        """
