"""A new version of the master key, and everything that look-ups need brought under it.

Two stores change, the provider's and the database, and a kill may come between them. First the version is added: rows
still name the old one, and look-ups follow the rows, so nothing is different but for new projects, which may use it.
Then one transaction seals every row anew and makes its tags anew. A run that finds a newer version than the rows are
under finishes that rotation and adds none. Old versions stay: projects and backups hang on them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from ngc_workbench import people
from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database
from ngc_workbench.errors import Conflict, InputError, IntegrityError, NotFound
from ngc_workbench.model import Individual, OptOut, Project
from ngc_workbench.pseudonyms.held import Held, held
from ngc_workbench.pseudonyms.keyring import Keyring
from ngc_workbench.pseudonyms.keys import KeyProvider, MasterKeys, new_key
from ngc_workbench.pseudonyms.lock import KeyLock
from ngc_workbench.pseudonyms.providers import provider_of
from ngc_workbench.settings import Settings

_ACTION = "pseudonyms.rotate"
_EVERY = 5000


@dataclass(frozen=True)
class Rotated:
    """`version` is the new one; `individuals` and `opt_outs` were sealed anew. `finished`: a run before had added it."""

    version: int
    individuals: int
    opt_outs: int
    finished: bool


@dataclass(frozen=True)
class KeyVersion:
    """A version of the master key: when it was made (None: not kept), how many projects use it, and whether the rows
    (people, opt-outs) are under it.
    """

    version: int
    made: datetime | None
    projects: int
    rows: bool


def key_versions(settings: Settings, database: Database, log: AuditLog, *, actor: str) -> list[KeyVersion]:
    """The versions there are; none before the first key is made. Never the keys. Raises Refused without the role."""
    people.require(database, log, actor, _ACTION)
    keys = provider_of(settings).read()
    if keys is None:
        return []
    with database.reading() as db:
        rows = held(db)
        counted = select(Project.key_version, func.count()).group_by(Project.key_version)
        uses = {version: number for version, number in db.execute(counted)}  # noqa: C416  (a Row is no pair to a type checker)
    return [
        KeyVersion(
            version, keys.made[version], uses.get(version, 0),
            version in (rows.versions or {rows.version(keys.current)}),
        )
        for version in sorted(keys.versions)
    ]  # fmt: skip


def rotate(
    settings: Settings,
    database: Database,
    log: AuditLog,
    *,
    actor: str,
    reason: str,
    progress: Callable[[str], None] = lambda _: None,
) -> Rotated:
    """Adds a version of the master key and brings people and opt-outs under it.

    Raises Refused without the role (recorded), InputError without a reason, NotFound before the first key, Conflict
    while another command works with the keys or when an opt-out can't be brought along (recorded; nothing was changed),
    IntegrityError when a row is not what was written, and what the provider raises.
    """
    people.require(database, log, actor, _ACTION, kind="key.rotated")
    if not reason.strip():
        raise InputError("A rotation needs a reason.", "Say why, for instance: yearly, or a copy was lost.")
    lock = KeyLock(settings.custody_dir, exclusive=True)
    try:
        provider = provider_of(settings)
        old = provider.read()
        if old is None:
            raise NotFound("There is no master key yet.", "The first one is made with the first genomes or opt-outs.")
        with database.reading() as db:
            rows = held(db)
            # Before anything is changed: would all come along?
            missing = _Moving(db, old, old.current, lambda text: progress(f"Checking: {text}")).unknown
        if missing:
            _refuse(database, log, actor, missing)
        finished = _begun(old, rows)
        keys = old if finished else _added(provider, old)
        with database.writing() as db:
            # Asked again in the transaction that acts: a role may have been taken away since.
            people.holds(people.get(db, actor), _ACTION).or_refuse()
            moving = _Moving(db, keys, keys.current, lambda text: progress(f"Sealing anew: {text}"))
            if moving.unknown:
                raise Conflict("An opt-out came in while the key was rotated.", "Run the command again.")
            moving.write(db)
            log.append(
                db, "key.rotated", actor=actor, decision="allow", reason="role.holds", subject=f"version {keys.current}",
                details={
                    "purpose": reason.strip(), "individuals": len(moving.individuals), "opt_outs": len(moving.opt_outs),
                    "finished": finished,
                },
            )  # fmt: skip
    finally:
        lock.release()
    return Rotated(keys.current, len(moving.individuals), len(moving.opt_outs), finished)


def _begun(keys: MasterKeys, rows: Held) -> bool:
    """Whether a run before this one added the newest version and did not come to the rows."""
    behind = {version for version in rows.versions if version != keys.current}
    return bool(behind) and keys.current not in rows.versions and keys.current > 1


def _added(provider: KeyProvider, old: MasterKeys) -> MasterKeys:
    return provider.add(new_key(), old)


def _refuse(database: Database, log: AuditLog, actor: str, missing: int) -> None:
    with database.writing() as db:
        log.append(
            db, "key.rotated", actor=actor, decision="deny", reason="optout.unsealed", details={"opt_outs": missing}
        )
    raise Conflict(
        f"{missing} opt-outs were recorded before their numbers were kept sealed, and nobody in the store has them: under "
        "a new key they would be lost. Nothing was changed.",
        "Import the register's extract again (`ngc-workbench optout import FILE`), or record them again; then rotate.",
    )


class _Moving:
    """All rows under version `target`: worked out first, written in one go."""

    def __init__(self, db: Session, keys: MasterKeys, target: int, progress: Callable[[str], None]) -> None:
        self._rings = {version: Keyring(keys, version) for version in keys.versions}
        self._to = self._rings[target]
        self._by_tag: dict[str, dict[str, Any]] = {}
        self._progress = progress
        self.unknown = 0
        self.individuals = self._people(db)
        self.opt_outs = self._entries(db)

    def _people(self, db: Session) -> list[dict[str, Any]]:
        moved: list[dict[str, Any]] = []
        columns = (
            Individual.internal_id, Individual.dataset_name, Individual.sample_tag, Individual.cpr_tag, Individual.sealed,
        )  # fmt: skip
        for internal_id, dataset, sample_tag, cpr_tag, sealed in db.execute(select(*columns)):
            if len(moved) % _EVERY == 0:
                self._progress(f"{len(moved)} people")
            content = self._to.unseal(sealed)
            sample, cpr = str(content["sample"]), content.get("cpr")
            ring = self._rings[sealed[0]]
            _same(ring.sample_tag(dataset, sample), sample_tag)
            _same(ring.cpr_tag(cpr) if cpr else None, cpr_tag)
            self._by_tag[sample_tag] = {"dataset": dataset, "sample": sample}
            if cpr_tag is not None:
                self._by_tag[cpr_tag] = {"cpr": cpr}
            moved.append(
                {
                    "internal_id": internal_id,
                    "sample_tag": self._to.sample_tag(dataset, sample),
                    "cpr_tag": self._to.cpr_tag(cpr) if cpr else None,
                    "sealed": self._to.seal(content),
                }
            )
        return moved

    def _entries(self, db: Session) -> list[dict[str, Any]]:
        moved: list[dict[str, Any]] = []
        for tag, sealed in db.execute(select(OptOut.tag, OptOut.sealed)):
            if len(moved) % _EVERY == 0:
                self._progress(f"{len(moved)} opt-outs")
            if sealed is None:
                content = self._by_tag.get(tag)
                if content is None:
                    self.unknown += 1
                    continue
            else:
                content = self._to.unseal(sealed)
                _same(_tag(self._rings[sealed[0]], content), tag)
            moved.append({"old": tag, "new": _tag(self._to, content), "content": self._to.seal(content)})
        return moved

    def write(self, db: Session) -> None:
        """Writes all of it in the caller's transaction."""
        if self.individuals:
            db.execute(update(Individual), self.individuals)
        if self.opt_outs:
            # On the table itself: the tag is the primary key, and every other column of an entry stays as it is.
            table = OptOut.__table__
            moved = (
                update(OptOut)
                .where(table.c.tag == bindparam("old"))
                .values(tag=bindparam("new"), sealed=bindparam("content"))
            )
            db.connection().execute(moved, self.opt_outs)
        db.expire_all()


def _tag(ring: Keyring, content: dict[str, Any]) -> str:
    """The tag of an opt-out, from what is sealed with it."""
    if "cpr" in content:
        return ring.cpr_tag(str(content["cpr"]))
    return ring.sample_tag(str(content["dataset"]), str(content["sample"]))


def _same(made: str | None, stored: str | None) -> None:
    if made != stored:
        raise IntegrityError(
            "A tag in the database does not belong to the identity that is sealed beside it. Nothing was rotated.",
            "Stop, and call the security officer.",
        )
