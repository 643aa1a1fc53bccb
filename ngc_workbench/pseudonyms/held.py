"""What the database holds under the master keys.

A sealed value begins with the version that it was sealed under, and the tags beside it are made under the same one:
a rotation changes both in one transaction. So the rows themselves say which version look-ups must use; there is no
second place that could disagree with them.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import LargeBinary, func, select
from sqlalchemy.orm import Session

from ngc_workbench.errors import IntegrityError
from ngc_workbench.model import Individual, OptOut


@dataclass(frozen=True)
class Held:
    """`versions`: those that sealed rows name. `unsealed`: there are opt-outs from before they were sealed. `samples`: some
    sealed values, to try the keys on.
    """

    versions: frozenset[int]
    unsealed: bool
    samples: tuple[bytes, ...]

    @property
    def anything(self) -> bool:
        """Whether anything hangs on a key."""
        return bool(self.versions) or self.unsealed

    def version(self, current: int) -> int:
        """The one version that the rows are under; `current` when there are none.

        Raises IntegrityError when there are several.
        """
        if len(self.versions) > 1:
            raise IntegrityError(
                "People and opt-outs are held under several versions of the master key, so a look-up could miss one.",
                "Call the security officer; `ngc-workbench pseudonym rotate` brings all under a new one.",
            )
        if self.versions:
            return min(self.versions)
        # Opt-outs were recorded unsealed before there was a second version.
        return 1 if self.unsealed else current


def held(db: Session) -> Held:
    """Looks; quick enough for each command (one pass over the sealed columns)."""
    versions: set[int] = set()
    samples: list[bytes] = []
    for column in (Individual.sealed, OptOut.sealed):
        first = func.substr(column, 1, 1, type_=LargeBinary)
        for begin in db.scalars(select(first).where(column.is_not(None)).distinct()):
            versions.add(begin[0] if begin else 0)
        sample = db.scalar(select(column).where(column.is_not(None)).limit(1))
        if sample is not None:
            samples.append(sample)
    unsealed = db.scalar(select(OptOut.tag).where(OptOut.sealed.is_(None)).limit(1)) is not None
    return Held(frozenset(versions), unsealed, tuple(samples))
