"""What an attack is, and the list of all: each file in a folder of this one that has an `ATTACK`."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.attacks.grounds.ground import Ground

FOLDERS = ("network", "container", "downloads", "messages", "page", "tokens")


@dataclass(frozen=True)
class Attack:
    """One way to carry data out, or to get more than is one's own.

    `attempt` gives whether it worked. `recorded` is the kind of the audit event and a part of its reason or subject; where nothing can be recorded,
    `unrecorded` says why: the kernel refuses inside the container, and no part outside of it sees that.
    """

    channel: str
    attempt: Callable[[Ground], bool]
    recorded: tuple[str, str] | None = None
    unrecorded: str = ""
    name: str = ""
    says: str = ""


def catalogue() -> list[Attack]:
    """All attacks, by folder and name."""
    found = []
    for folder in FOLDERS:
        for path in sorted((Path(__file__).parent / folder).glob("*.py")):
            module = importlib.import_module(f"tests.attacks.{folder}.{path.stem}")
            attack: Attack = module.ATTACK
            assert bool(attack.recorded) != bool(attack.unrecorded), f"{path}: what is recorded, or why nothing is"
            found.append(
                Attack(
                    attack.channel,
                    attack.attempt,
                    attack.recorded,
                    attack.unrecorded,
                    name=f"{folder}/{path.stem}",
                    says=(module.__doc__ or "").strip(),
                )
            )
    return found
