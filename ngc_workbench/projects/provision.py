"""Provisioning a project, and changes that end what it was given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ngc_workbench import people
from ngc_workbench.audit import AuditLog
from ngc_workbench.errors import Conflict, InputError, NotFound
from ngc_workbench.genomes import Cohort
from ngc_workbench.model import Approval, Membership, Project, Release, utcnow
from ngc_workbench.policy.names import slug
from ngc_workbench.policy.purpose import Facts
from ngc_workbench.policy.states import PROJECT, move
from ngc_workbench.policy.terms import purpose_terms as read_purpose
from ngc_workbench.projects.folders import make_folders
from ngc_workbench.projects.purposes import judge_project, stated
from ngc_workbench.pseudonyms import current_version
from ngc_workbench.settings import Settings


def provision(
    db: Session,
    log: AuditLog,
    settings: Settings,
    *,
    actor: str,
    name: str,
    title: str,
    purpose: str,
    ethics_approval: str,
    members: Sequence[str],
    lead: str,
    releases: Sequence[tuple[str, str]],
    valid_until: date,
    cohorts: Mapping[tuple[str, str], Mapping[str, Any]] | None = None,
    purpose_terms: Sequence[Mapping[str, Any]] = (),
    facts: Facts | None = None,
    accept_conditions: str = "",
) -> Project:
    """Makes an active project with its members, approvals and folders; its views are built after (`genomes.build_view`).

    `releases` are (dataset, release) pairs; `cohorts` say for some of them how much is approved (`genomes.Cohort.record`;
    else all). `purpose_terms` state the purpose in DUO terms, `facts` what else the matching asks; see `grant`. All or nothing:
    the caller's transaction holds every row. The caller has checked that `actor` may provision. Raises InputError, NotFound
    (person, release), Conflict (the name is taken), Refused (the purpose; the caller records it, `purposes.recorded`).
    """
    slug(name, "project")
    for label, value in (("title", title), ("purpose", purpose), ("ethics approval", ethics_approval)):
        if not value.strip():
            raise InputError(f"The {label} is missing.", "A project needs title, purpose and ethics approval.")
    if lead not in members:
        raise InputError("The project lead is not among the members.", "Name the lead as a member too.")
    if not releases:
        raise InputError("The project was given no data.", "Name at least one dataset and release.")
    if not set(cohorts or ()) <= set(releases):
        raise InputError("A cohort is given for a release that is not asked for.", "Name the release as well.")
    if db.get(Project, name) is not None:
        raise Conflict(
            f"There is a project {name} already.",
            "Choose another name; if only its data is missing: `ngc-workbench views build`.",
        )

    project = Project(
        name=name, title=title, purpose=purpose, ethics_approval=ethics_approval, state="active",
        key_version=current_version(settings), terms=[one.stored() for one in read_purpose(purpose_terms)],
    )  # fmt: skip
    for member in dict.fromkeys(members):
        person = people.get(db, member)
        if "researcher" not in person.roles:
            raise InputError(f"{member} is not a researcher.", "Members of a project hold the role researcher.")
        project.members.append(Membership(person_name=member, lead=member == lead))
    db.add(project)
    log.append(
        db, "project.provisioned", actor=actor, decision="allow", reason="role.holds", project=name, subject=name,
        details={"members": list(dict.fromkeys(members)), "lead": lead, "purpose": purpose, "ethics_approval": ethics_approval},
    )  # fmt: skip
    for pair in releases:
        grant(
            db, log, actor=actor, project=project, dataset=pair[0], release=pair[1], valid_until=valid_until,
            reference=ethics_approval, cohort=(cohorts or {}).get(pair, {}), facts=facts, accept_conditions=accept_conditions,
        )  # fmt: skip
    db.flush()
    # Folders last: they are made again when missing, so a kill between them and the commit leaves nothing wrong.
    for member in dict.fromkeys(members):
        make_folders(settings, name, member)
    return project


def grant(
    db: Session,
    log: AuditLog,
    *,
    actor: str,
    project: Project,
    dataset: str,
    release: str,
    valid_until: date,
    reference: str,
    cohort: Mapping[str, Any],
    facts: Facts | None = None,
    accept_conditions: str = "",
) -> Approval:
    """Approves a project for a published release, or a part of it; the newest approval is the one that counts.

    The project's purpose must fit the dataset's terms; `accept_conditions` says why what only a person can judge holds.
    The caller has checked that `actor` may. Raises InputError (the date), NotFound (no such published release), Refused
    (`purpose.refused`, `purpose.conditional`; the caller records it).
    """
    if valid_until < utcnow().date():
        raise InputError("The approval would end before today.", "Give a later date.")
    row = db.scalar(select(Release).where(Release.dataset_name == dataset, Release.name == release))
    if row is None or row.state != "published":
        raise NotFound(
            f"There is no published release {dataset}/{release}.", "`ngc-workbench release list` shows what there is."
        )
    stated_facts = facts or Facts()
    found = judge_project(db, project, dataset, stated_facts, valid_until)
    fits = found.decision(accepted=bool(accept_conditions.strip())).or_refuse()
    approval = Approval(
        release_id=row.id, approved_by=actor, reference=reference, valid_until=valid_until, cohort=dict(cohort)
    )
    project.approvals.append(approval)
    log.append(
        db, "approval.granted", actor=actor, decision="allow", reason="ethics.approved", project=project.name,
        subject=f"{dataset}/{release}",
        details={
            "valid_until": valid_until.isoformat(), "reference": reference,
            # A list of people is named by its hash: who is on it stays in the custodian zone.
            "cohort": Cohort.of(cohort).describe(), "cohort_list": str(cohort.get("people", "")),
            "purpose": fits.reason, "purpose_terms": [one["term"] for one in project.terms], "facts": stated(stated_facts),
            "conditions": list(found.conditions), "conditions_accepted": accept_conditions.strip() if found.conditions else "",
        },
    )  # fmt: skip
    return approval


def change_state(db: Session, log: AuditLog, *, actor: str, name: str, target: str, reason: str) -> Project:
    """Suspends, resumes or closes a project. Running sessions are stopped by the warden within a minute.

    Raises NotFound, and Refused when the move is not in the table of states.
    """
    project = db.get(Project, name)
    if project is None:
        raise NotFound(f"There is no project {name}.", "`ngc-workbench project list` shows what there is.")
    move(PROJECT, project.state, target).or_refuse()
    log.append(
        db, "project.changed", actor=actor, decision="allow", reason="state.move", project=name, subject=name,
        details={"from": project.state, "to": target, "why": reason},
    )  # fmt: skip
    project.state = target
    return project


def end_membership(db: Session, log: AuditLog, *, actor: str, name: str, person: str, reason: str) -> None:
    """Ends a membership now. Raises NotFound."""
    membership = db.scalar(select(Membership).where(Membership.project_name == name, Membership.person_name == person))
    if membership is None:
        raise NotFound(f"{person} is not a member of a project {name}.")
    membership.until = utcnow()
    log.append(
        db, "project.changed", actor=actor, decision="allow", reason="membership.ended", project=name, subject=person,
        details={"why": reason},
    )  # fmt: skip


def withdraw_approval(
    db: Session, log: AuditLog, *, actor: str, name: str, dataset: str, release: str, reason: str
) -> None:
    """Withdraws a project's approvals for one release now. Raises NotFound."""
    found = db.scalars(
        select(Approval)
        .join(Release, Approval.release_id == Release.id)
        .where(
            Approval.project_name == name,
            Release.dataset_name == dataset,
            Release.name == release,
            Approval.withdrawn.is_(None),
        )
    ).all()
    if not found:
        raise NotFound(f"Project {name} has no approval for {dataset}/{release}.")
    for approval in found:
        approval.withdrawn = utcnow()
    log.append(
        db, "approval.withdrawn", actor=actor, decision="allow", reason="approval.withdrawn", project=name,
        subject=f"{dataset}/{release}", details={"why": reason},
    )  # fmt: skip
