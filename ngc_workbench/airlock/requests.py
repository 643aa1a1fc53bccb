"""An export request's way: submitted, checking, in review, approved and released, or rejected.

Each decision, the move that follows from it and the event that records both are one transaction. A refusal is recorded in a transaction of its own,
then raised. What takes long (copying, checking, hashing) happens outside transactions; a kill there leaves the request in a
state from which `resume` goes on.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from ngc_workbench.airlock import facts
from ngc_workbench.airlock.checks import check_file, verdict
from ngc_workbench.airlock.outbox import store
from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database
from ngc_workbench.errors import InputError, IntegrityError, NotFound, WorkbenchError
from ngc_workbench.model import ExportFile, ExportRequest, Project, Vote, utcnow
from ngc_workbench.policy import Decision, deny
from ngc_workbench.policy import airlock as policy
from ngc_workbench.policy.states import EXPORT, move
from ngc_workbench.projects import folders
from ngc_workbench.settings import Settings

_log = logging.getLogger(__name__)
_LONGEST_TEXT = 4000


@dataclass(frozen=True)
class Wanted:
    """A file of the outbox that somebody wants to take out, and what they say it is."""

    name: str
    description: str = ""


def _move(request: ExportRequest, target: str) -> None:
    move(EXPORT, request.state, target).or_refuse()
    request.state = target


def _refuse(
    db: Session, log: AuditLog, decision: Decision, *, actor: str, project: str, request_id: str = "", step: str
) -> None:
    if not decision:
        log.append(
            db, "export.refused", actor=actor, decision="deny", reason=decision.reason, project=project, subject=request_id,
            details={"step": step},
        )  # fmt: skip


def submit(
    database: Database,
    log: AuditLog,
    settings: Settings,
    *,
    project: str,
    person: str,
    files: Sequence[Wanted],
    purpose: str,
) -> ExportRequest:
    """Copies the files out of the person's outbox and makes a request of them, in state submitted.

    All or nothing: on any error no request exists. The caller then runs `run_checks`.

    Raises Refused (recorded), InputError, NotFound (file), Conflict (a file changed meanwhile), Unavailable (disk).
    """
    if not purpose.strip():
        raise InputError("The purpose is missing.", "Say in a sentence what the files are for.")
    if len(purpose) > _LONGEST_TEXT or any(len(file.description) > _LONGEST_TEXT for file in files):
        raise InputError(f"A text is longer than {_LONGEST_TEXT} characters.", "Shorten it.")
    # Asked twice: before anything is copied, and again in the transaction that makes the request.
    _may_request(database, log, person, project).or_refuse()
    copies = store(settings)
    with copies.taking(folders(settings, project, person).outbox, [file.name for file in files]) as (taken, keep):
        with database.writing() as db:
            decision = _decide_request(db, log, person, project)
            if decision:
                keep()
                request = ExportRequest(
                    id=secrets.token_hex(8),
                    project_name=project,
                    requester=person,
                    purpose=purpose.strip(),
                    state="draft",
                )
                _move(request, "submitted")
                request.submitted = utcnow()
                request.files = [
                    ExportFile(
                        name=copy.name,
                        sha256=copy.sha256,
                        size=copy.size,
                        description=file.description.strip(),
                        findings=[],
                    )
                    for copy, file in zip(taken, files, strict=True)
                ]
                db.add(request)
                db.flush()
                log.append(
                    db, "export.submitted", actor=person, decision="allow", reason=decision.reason, project=project, subject=request.id,
                    details={"files": [file.name for file in request.files], "sha256": [file.sha256 for file in request.files],
                             "bytes": sum(file.size for file in request.files), "purpose": request.purpose},
                )  # fmt: skip
        decision.or_refuse()
    return request


def _decide_request(db: Session, log: AuditLog, person: str, project: str) -> Decision:
    found = db.get(Project, project)
    decision = policy.may_request(facts.requester(db, person, project), found.state if found else None)
    _refuse(db, log, decision, actor=person, project=project, step="submit")
    return decision


def _may_request(database: Database, log: AuditLog, person: str, project: str) -> Decision:
    with database.writing() as db:
        return _decide_request(db, log, person, project)


def run_checks(database: Database, log: AuditLog, settings: Settings, request_id: str) -> ExportRequest:
    """Runs the checks on a submitted request and puts it before the checkers. A request that went on meanwhile is left as it is.

    Raises NotFound, IntegrityError (a stored copy changed; recorded, and the request stays in checking).
    """
    with database.writing() as db:
        request = facts.find(db, request_id)
        if request.state not in ("submitted", "checking"):
            return request
        _move(request, "checking")
        files = [(file.id, file.name, file.sha256) for file in request.files]
        context = facts.context(db, settings, request.project_name)
        project = request.project_name
    copies = store(settings)
    results = {}
    for file_id, name, sha256 in files:
        try:
            path = copies.verified(sha256)
        except IntegrityError:
            _record_damage(database, log, "airlock", project, request_id, sha256)
            raise
        results[file_id] = [finding.as_json() for finding in check_file(path, name, context)]
    with database.writing() as db:
        request = facts.find(db, request_id)
        if request.state != "checking":  # another worker was quicker; the copies and so the findings are the same
            return request
        for file in request.files:
            file.findings = results[file.id]
            file.verdict = verdict(file.findings)
        _move(request, "in_review")
        log.append(
            db, "export.checked", actor="airlock", project=request.project_name, subject=request.id,
            details={"verdicts": [f"{file.name}: {file.verdict}" for file in request.files],
                     "rules": sorted({str(finding["rule"]) for file in request.files for finding in file.findings})},
        )  # fmt: skip
    return request


def resume(database: Database, log: AuditLog, settings: Settings) -> list[str]:
    """Goes on with requests that a kill left in submitted or checking, and sweeps copies that no request refers to.

    Returns the ids of the requests that are in review now. One that fails is logged, and the others go on.
    """
    with database.reading() as db:
        waiting = db.scalars(select(ExportRequest.id).where(ExportRequest.state.in_(("submitted", "checking")))).all()
        kept = set(db.scalars(select(ExportFile.sha256)))
    store(settings).sweep(kept)
    done = []
    for request_id in waiting:
        try:
            run_checks(database, log, settings, request_id)
        except WorkbenchError:
            _log.exception("request %s stays in checking", request_id)
        else:
            done.append(request_id)
    return done


def vote(
    database: Database,
    log: AuditLog,
    settings: Settings,
    *,
    request_id: str,
    checker: str,
    approve: bool,
    reason: str,
    seen: str,
) -> ExportRequest:
    """Casts a vote, and decides the request when it was the deciding one.

    `seen` is the digest (`policy.airlock.digest`) of the files that the checker was shown. On approval the files without a blocking
    finding are released; the others stay withheld. Raises Refused (recorded), NotFound, InputError.
    """
    if len(reason) > _LONGEST_TEXT:
        raise InputError(f"A reason is longer than {_LONGEST_TEXT} characters.", "Shorten it.")
    with database.writing() as db:
        request = facts.find(db, request_id)
        known = facts.facts(db, request)
        decision = policy.may_vote(
            facts.checker(db, checker, request.project_name), known, approve=approve, reason=reason, seen=seen
        )
        _refuse(db, log, decision, actor=checker, project=request.project_name, request_id=request.id, step="vote")
        if decision:
            request.votes.append(Vote(checker=checker, approve=approve, reason=reason.strip(), seen=seen))
            db.flush()
            log.append(
                db, "export.voted", actor=checker, decision="allow", reason=decision.reason, project=request.project_name, subject=request.id,
                details={"approve": approve, "why": reason.strip(), "seen": seen},
            )  # fmt: skip
            _settle(db, log, request, settings.checkers_needed)
    decision.or_refuse()
    return request


def _settle(db: Session, log: AuditLog, request: ExportRequest, needed: int) -> None:
    result = policy.outcome([vote.approve for vote in request.votes], needed)
    if result == "open":
        return
    now = utcnow()
    request.decided = now
    _move(request, result)
    if result == "approved":
        for file in request.files:
            if file.verdict in ("pass", "review"):
                file.released = now
        _move(request, "released")
    log.append(
        db, "export.decided", actor="airlock", decision="allow" if result == "approved" else "deny", reason=f"votes.{result}",
        project=request.project_name, subject=request.id,
        details={"released": [f"{file.name} {file.sha256}" for file in request.files if file.released],
                 "withheld": [f"{file.name} {file.sha256}" for file in request.files if not file.released],
                 "checker": [vote.checker for vote in request.votes]},
    )  # fmt: skip


def download(
    database: Database, log: AuditLog, settings: Settings, *, request_id: str, file_id: int, person: str
) -> tuple[Path, ExportFile]:
    """The path of a released file's copy, hashed again just now, and its record; the download is counted and recorded.

    Raises Refused (recorded), NotFound, IntegrityError (the stored copy differs from what was reviewed; recorded).
    """
    with database.writing() as db:
        request, file, decision = _decide_download(db, log, request_id, file_id, person)
        project, sha256 = request.project_name, file.sha256
    decision.or_refuse()
    try:
        path = store(settings).verified(sha256)
    except IntegrityError:
        _record_damage(database, log, person, project, request_id, sha256)
        raise
    with database.writing() as db:
        # Asked again: the release may have been revoked while the copy was hashed.
        request, file, decision = _decide_download(db, log, request_id, file_id, person)
        if decision:
            file.downloads += 1
            log.append(
                db, "export.downloaded", actor=person, decision="allow", reason=decision.reason, project=project, subject=request.id,
                details={"file": file.name, "sha256": file.sha256, "bytes": file.size},
            )  # fmt: skip
    decision.or_refuse()
    return path, file


def _decide_download(
    db: Session, log: AuditLog, request_id: str, file_id: int, person: str
) -> tuple[ExportRequest, ExportFile, Decision]:
    request = facts.find(db, request_id)
    file = next((file for file in request.files if file.id == file_id), None)
    if file is None:
        raise NotFound("There is no such file in the request.", "Open the request again.")
    decision = policy.may_download(
        facts.requester(db, person, request.project_name),
        facts.facts(db, request),
        file_released=file.released is not None,
    )
    if decision and file.verdict == "block":
        # Can't be by the rules above; stands here so that no later change of them lets one out.
        decision = deny("download.blocked", "This file has a blocking finding.", "Its findings say what would mend it.")
    _refuse(db, log, decision, actor=person, project=request.project_name, request_id=request.id, step="download")
    return request, file, decision


def _record_damage(database: Database, log: AuditLog, actor: str, project: str, request_id: str, sha256: str) -> None:
    with database.writing() as db:
        log.append(
            db, "export.refused", actor=actor, decision="deny", reason="integrity.copy_differs", project=project, subject=request_id,
            details={"sha256": sha256},
        )  # fmt: skip
