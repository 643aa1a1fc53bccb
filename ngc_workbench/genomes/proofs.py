"""Proofs of a refresh: a file in the custodian zone that says what changed and what was counted afterwards.

    custody/proofs/<UTC time>-<n>.json

Its SHA-256 stands in the audit log, in the event of the refresh: who alters the file can't alter that.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ngc_workbench.audit import AuditEvent, Event
from ngc_workbench.errors import InputError, IntegrityError, NotFound
from ngc_workbench.genomes.store import plain_disk_errors
from ngc_workbench.model import utcnow
from ngc_workbench.settings import Settings


@dataclass(frozen=True)
class Proof:
    """A stored proof: its name, the hash that the audit log holds, and what it says."""

    name: str
    sha256: str
    content: dict[str, Any]


def folder(settings: Settings) -> Path:
    """Where proofs lie."""
    return settings.custody_dir / "proofs"


def write(settings: Settings, content: dict[str, Any]) -> Proof:
    """Stores a proof, whole or not at all, under a name that no other has; readable by its owner alone.

    Raises Unavailable when the disk is full.
    """
    place = folder(settings)
    raw = json.dumps(content, indent=1, sort_keys=True).encode() + b"\n"
    stamp = utcnow().strftime("%Y%m%dT%H%M%SZ")
    with plain_disk_errors():
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = place / f".draft-{secrets.token_hex(4)}"
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
            number = 1
            while True:
                path = place / f"{stamp}-{number}.json"
                try:
                    os.link(draft, path)
                    break
                except FileExistsError:
                    number += 1
        finally:
            draft.unlink(missing_ok=True)
        descriptor = os.open(place, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    return Proof(path.name, hashlib.sha256(raw).hexdigest(), content)


def read(settings: Settings, db: Session, name: str) -> Proof:
    """A proof by its name, or by a path of that name; compared with the hash in the audit log.

    Raises NotFound, InputError (no proof), IntegrityError (it is not the one that was recorded).
    """
    path = folder(settings) / Path(name).name
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise NotFound(
            "There is no such proof.", "`ngc-workbench views refresh` prints the names of proofs."
        ) from error
    digest = hashlib.sha256(raw).hexdigest()
    if recorded_hash(db, path.name) != digest:
        raise IntegrityError(
            "The proof is not the one that the audit log knows.",
            "Restore it from its backup; call the security officer.",
        )
    try:
        content: dict[str, Any] = json.loads(raw)
    except ValueError as error:
        raise InputError("That file is no proof.", "Name one of custody/proofs.") from error
    return Proof(path.name, digest, content)


def recorded_hash(db: Session, name: str) -> str | None:
    """The hash that the audit log holds for the proof of that name; None when it knows of none."""
    query = (
        select(AuditEvent.body)
        .where(AuditEvent.body.contains('"kind":"views.refreshed"'), AuditEvent.body.contains(name, autoescape=True))
        .order_by(AuditEvent.seq.desc())
    )
    for body in db.scalars(query):
        event = Event.from_body(body)
        if event.kind == "views.refreshed" and event.details.get("proof") == name:
            return str(event.details["sha256"])
    return None
