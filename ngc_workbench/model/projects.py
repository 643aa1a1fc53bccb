"""Projects, who is in them, and what they were approved for."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ngc_workbench.model.base import Base, utcnow
from ngc_workbench.model.people import Person


class Project(Base):
    """One approved piece of research. `name` is a slug (`policy.names`), also the name of its sessions.

    States: draft, submitted, approved, active, suspended, closed, archived, refused (`policy.states`). `terms` say its
    purpose in DUO terms (`policy.purpose`); `key_version` is the master key that its pseudonyms come from. `limits` are thresholds
    of its own in place of the installation's (`policy.meter`).
    """

    __tablename__ = "projects"

    name: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    purpose: Mapped[str]
    ethics_approval: Mapped[str]
    state: Mapped[str] = mapped_column(default="draft")
    region: Mapped[str] = mapped_column(default="")
    terms: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    key_version: Mapped[int] = mapped_column(default=1)
    limits: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created: Mapped[datetime] = mapped_column(default=utcnow)

    members: Mapped[list[Membership]] = relationship(back_populates="project", cascade="all, delete-orphan")
    approvals: Mapped[list[Approval]] = relationship(back_populates="project", cascade="all, delete-orphan")


class Membership(Base):
    """A person in a project. `lead` answers for the project. A membership that ended has `until` in the past."""

    __tablename__ = "memberships"
    __table_args__ = (UniqueConstraint("project_name", "person_name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_name: Mapped[str] = mapped_column(ForeignKey("projects.name"))
    person_name: Mapped[str] = mapped_column(ForeignKey("people.name"), index=True)
    lead: Mapped[bool] = mapped_column(default=False)
    since: Mapped[datetime] = mapped_column(default=utcnow)
    until: Mapped[datetime | None]

    project: Mapped[Project] = relationship(back_populates="members")
    person: Mapped[Person] = relationship()


class Approval(Base):
    """Leave for a project to use one release until a date (inclusive). `withdrawn` ends it at once.

    `cohort` says how much of the release (`genomes.cohort`): people, regions, fields; empty: all of it.
    """

    __tablename__ = "approvals"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_name: Mapped[str] = mapped_column(ForeignKey("projects.name"), index=True)
    release_id: Mapped[int] = mapped_column(ForeignKey("releases.id"))
    approved_by: Mapped[str] = mapped_column(ForeignKey("people.name"))
    reference: Mapped[str] = mapped_column(default="")
    cohort: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    valid_until: Mapped[date]
    created: Mapped[datetime] = mapped_column(default=utcnow)
    withdrawn: Mapped[datetime | None]

    project: Mapped[Project] = relationship(back_populates="approvals")
