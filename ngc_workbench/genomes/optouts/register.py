"""Taking in an extract of the tissue-use register: all of it, in one transaction, or nothing.

Each import is one event with counts and the file's hash. People whose genome is in the store have an event of their
own, too; for the others (a register is far larger than the store) the import's event holds a hash over their tags.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from ngc_workbench import people
from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database
from ngc_workbench.genomes import store
from ngc_workbench.genomes.optouts.birth import born
from ngc_workbench.genomes.optouts.held import holdings
from ngc_workbench.genomes.optouts.register_file import Extract, UnusableExtract, digest_of, read_extract
from ngc_workbench.model import Individual, OptOut, utcnow
from ngc_workbench.policy.optouts import Entry, apply, ends_by_absence, may_end
from ngc_workbench.pseudonyms import Keyring
from ngc_workbench.pseudonyms.cpr import normalise_cpr
from ngc_workbench.settings import Settings

_EVERY = 5_000
"""Lines after which progress is told."""
_ACTION = "genomes.optout"


@dataclass(frozen=True)
class Imported:
    """What an import changed.

    `opted_out`: people who are out from now on; `again`: of these, who had opted in before; `ended`: people whose
    entry ended, `absent` of these because a full extract no longer lists them; `kept_guardian`: entries of a guardian
    that stand although the extract lacks them; `unchanged`: people of whom the extract says what was known;
    `individuals`: how often people who changed are in the store; `views`: views that hold somebody who is out.
    """

    lines: int
    opted_out: int
    again: int
    ended: int
    absent: int
    kept_guardian: int
    unchanged: int
    individuals: int
    views: int


@dataclass
class _Change:
    """What happens to one entry; `before` is None when there was none."""

    before: Entry | None
    after: Entry


def import_register(
    settings: Settings,
    database: Database,
    log: AuditLog,
    *,
    path: Path,
    full: bool,
    actor: str,
    encoding: str = "utf-8",
    confirmed: bool = False,
    progress: Callable[[str], None] = store.quiet,
) -> Imported:
    """Applies an extract. `full`: it lists everybody who is in the register; else the changes since some day.

    Taking in the same file twice changes nothing. Raises Refused (role, or a full extract that would end many entries
    and is not `confirmed`; recorded), InputError, UnusableExtract (recorded).
    """
    people.require(database, log, actor, _ACTION, kind="optout.imported")
    today = datetime.now(ZoneInfo("Europe/Copenhagen")).date()
    progress("Reading the extract")
    try:
        extract = read_extract(path, encoding=encoding, today=today)
    except UnusableExtract as error:
        with database.writing() as db:
            log.append(
                db, "optout.imported", actor=actor, decision="deny", reason="optout.faults",
                details={"faults": len(error.faults), "sha256": digest_of(path)},
            )  # fmt: skip
        raise
    keyring = Keyring.of(settings)
    numbers = _tagged(keyring, extract, progress)
    sealed = _sealed(database, keyring, numbers, progress)
    with database.writing() as db:
        decision = people.holds(people.get(db, actor), _ACTION).or_refuse()
        _adopt(db, keyring)
        rows = {row.tag: row for row in db.execute(select(OptOut.__table__))}
        before = {tag: Entry(row.recorded, row.by, row.source, row.ended) for tag, row in rows.items()}
        progress("Comparing with the entries that are held")
        changes = _said(extract, numbers, before)
        absent, kept = (
            _absent(keyring, before, {tag: rows[tag].sealed for tag in rows}, numbers, today) if full else ([], 0)
        )
        standing = sum(entry.stands and entry.source == "register" for entry in before.values())
        verdict = may_end(standing=standing, ending=len(absent), confirmed=confirmed)
        if verdict:
            now = utcnow()
            for tag in absent:
                changes[tag] = _Change(before[tag], replace(before[tag], ended=now))
            _write(db, changes, sealed)
            imported = _record(settings, db, log, actor, decision.reason, extract, full, changes, len(absent), kept)
        else:
            log.append(
                db, "optout.imported", actor=actor, decision="deny", reason=verdict.reason,
                details={"standing": standing, "ending": len(absent), "sha256": extract.sha256},
            )  # fmt: skip
    verdict.or_refuse()
    return imported


def _tagged(keyring: Keyring, extract: Extract, progress: Callable[[str], None]) -> dict[str, str]:
    """Tag to number, of everybody in the extract."""
    numbers = {}
    for at, cpr in enumerate(extract.statements):
        if at % _EVERY == 0:
            progress(f"Hashing numbers: {at} of {len(extract.statements)}")
        numbers[keyring.cpr_tag(cpr)] = cpr
    return numbers


def _sealed(
    database: Database, keyring: Keyring, numbers: dict[str, str], progress: Callable[[str], None]
) -> dict[str, bytes]:
    """The sealed numbers of those who have none yet; made before the transaction, which others wait for."""
    with database.reading() as db:
        have = set(db.scalars(select(OptOut.tag).where(OptOut.sealed.is_not(None))))
    sealed = {}
    for at, (tag, cpr) in enumerate(numbers.items()):
        if at % _EVERY == 0:
            progress(f"Sealing numbers: {at} of {len(numbers)}")
        if tag not in have:
            sealed[tag] = keyring.seal({"cpr": cpr})
    return sealed


def _adopt(db: Session, keyring: Keyring) -> None:
    """Turns entries by sample into entries by number where the number is known by now, so that both can't disagree."""
    known = db.execute(
        select(OptOut, Individual)
        .join(Individual, Individual.sample_tag == OptOut.tag)
        .where(Individual.cpr_tag.is_not(None))
    ).all()
    for entry, individual in known:
        sealed = keyring.seal({"cpr": normalise_cpr(str(keyring.unseal(individual.sealed)["cpr"]))})
        other = db.get(OptOut, individual.cpr_tag)
        if other is None:
            db.add(
                OptOut(
                    tag=individual.cpr_tag, sealed=sealed, source=entry.source, by=entry.by, recorded=entry.recorded,
                    ended=entry.ended,
                )
            )  # fmt: skip
        else:
            other.source = "command"
            other.recorded = max(other.recorded, entry.recorded)
            other.ended = None if other.ended is None or entry.ended is None else max(other.ended, entry.ended)
        db.execute(delete(OptOut).where(OptOut.tag == entry.tag))
        db.flush()


def _said(extract: Extract, numbers: dict[str, str], before: dict[str, Entry]) -> dict[str, _Change]:
    """The entry of each person in the extract, before and after it."""
    changes = {}
    for tag, cpr in numbers.items():
        first = before.get(tag)
        entry = first
        for statement in extract.statements[cpr]:
            entry = apply(entry, statement)
        if entry is not None:
            changes[tag] = _Change(first, _settled(first, entry))
    return changes


def _settled(before: Entry | None, after: Entry) -> Entry:
    """The entry as it is kept: an extract that tells a whole history again moves neither its begin nor its end."""
    if before is None or before.stands != after.stands:
        return after
    if before.ended is not None and after.ended is not None:
        return replace(before, ended=max(before.ended, after.ended))
    return replace(before, by=after.by)


def _absent(
    keyring: Keyring,
    before: dict[str, Entry],
    sealed: dict[str, bytes | None],
    numbers: dict[str, str],
    today: date,
) -> tuple[list[str], int]:
    """Tags of entries that end because the extract lacks them, and how many of a guardian stay."""
    ending, kept = [], 0
    for tag, entry in before.items():
        if tag in numbers or entry.source != "register" or not entry.stands:
            continue
        content = sealed[tag]
        day = None
        if entry.by == "guardian" and content is not None:
            day = born(str(keyring.unseal(content)["cpr"]))
        if ends_by_absence(entry, day, today):
            ending.append(tag)
        else:
            kept += 1
    return ending, kept


def _write(db: Session, changes: dict[str, _Change], sealed: dict[str, bytes]) -> None:
    new, moved = [], []
    for tag, change in changes.items():
        row = {
            "tag": tag, "by": change.after.by, "source": change.after.source, "recorded": change.after.recorded,
            "ended": change.after.ended,
        }  # fmt: skip
        if change.before is None:
            new.append({**row, "sealed": sealed[tag]})
        elif change.before != change.after:
            moved.append(row)
    if new:
        db.execute(insert(OptOut), new)
    if moved:
        db.execute(update(OptOut), moved)
    filling = [{"tag": tag, "sealed": sealed[tag]} for tag in changes.keys() & sealed.keys() if changes[tag].before]
    if filling:
        db.execute(update(OptOut), filling)
    db.expire_all()


def _record(
    settings: Settings,
    db: Session,
    log: AuditLog,
    actor: str,
    reason: str,
    extract: Extract,
    full: bool,
    changes: dict[str, _Change],
    absent: int,
    kept: int,
) -> Imported:
    """The events, and what the caller is told."""
    changed = {tag: change for tag, change in changes.items() if change.before != change.after}
    out = {tag for tag, change in changed.items() if change.after.stands and not _stood(change)}
    ended = {tag for tag, change in changed.items() if not change.after.stands and _stood(change)}
    again = {tag for tag in out if changed[tag].before is not None}
    held = _in_store(db, changed)
    views = len(holdings(settings, db))
    imported = Imported(
        lines=extract.lines, opted_out=len(out), again=len(again), ended=len(ended), absent=absent, kept_guardian=kept,
        unchanged=len(changes) - len(changed), individuals=sum(held.values()), views=views,
    )  # fmt: skip
    log.append(
        db, "optout.imported", actor=actor, decision="allow", reason=reason,
        details={
            "full": full, "sha256": extract.sha256, "tags_sha256": _digest(changed), "guardian_kept": kept,
            **{name: value for name, value in vars(imported).items() if name != "kept_guardian"},
        },
    )  # fmt: skip
    for tag in sorted(held):
        change = changed[tag]
        log.append(
            db, "optout.recorded", actor=actor, decision="allow", reason=reason, subject=tag,
            details={
                "individuals": held[tag], "from": "register",
                "state": "opted out" if change.after.stands else "ended", "by": change.after.by,
            },
        )  # fmt: skip
    return imported


def _stood(change: _Change) -> bool:
    return change.before is not None and change.before.stands


def _in_store(db: Session, tags: Iterable[str]) -> dict[str, int]:
    """How many individuals of the store each entry is about; those about none are left out."""
    wanted = set(tags)
    found: dict[str, int] = {}
    for tag in db.scalars(select(Individual.cpr_tag).where(Individual.cpr_tag.is_not(None))):
        if tag in wanted and tag is not None:
            found[tag] = found.get(tag, 0) + 1
    return found


def _digest(tags: Iterable[str]) -> str:
    """SHA-256 over the sorted tags, a line feed after each."""
    return hashlib.sha256("".join(f"{tag}\n" for tag in sorted(tags)).encode()).hexdigest()
