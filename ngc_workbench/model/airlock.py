"""Export requests, their files and the votes on them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ngc_workbench.model.base import Base, utcnow


class ExportRequest(Base):
    """A wish to take files out. States as in DESIGN: draft … released (`policy.states`)."""

    __tablename__ = "export_requests"

    id: Mapped[str] = mapped_column(primary_key=True)
    project_name: Mapped[str] = mapped_column(ForeignKey("projects.name"), index=True)
    requester: Mapped[str] = mapped_column(ForeignKey("people.name"), index=True)
    purpose: Mapped[str]
    state: Mapped[str] = mapped_column(default="draft", index=True)
    created: Mapped[datetime] = mapped_column(default=utcnow)
    submitted: Mapped[datetime | None]
    decided: Mapped[datetime | None]

    files: Mapped[list[ExportFile]] = relationship(back_populates="request", order_by="ExportFile.id")
    votes: Mapped[list[Vote]] = relationship(back_populates="request", order_by="Vote.id")


class ExportFile(Base):
    """One submitted file: its name as the requester gave it, and the hash of the copy that was taken.

    `verdict` is what the checks say: pass, review (a person must look with care) or block. `findings` holds the
    findings as `airlock.checks` gives them. `released` is set once a copy may be downloaded.
    """

    __tablename__ = "export_files"
    __table_args__ = (UniqueConstraint("request_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[str] = mapped_column(ForeignKey("export_requests.id"), index=True)
    name: Mapped[str]
    sha256: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    description: Mapped[str] = mapped_column(default="")
    verdict: Mapped[str] = mapped_column(default="")
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    released: Mapped[datetime | None]
    downloads: Mapped[int] = mapped_column(default=0)

    request: Mapped[ExportRequest] = relationship(back_populates="files")


class Vote(Base):
    """One checker's vote. `seen` is the digest over the files' hashes that the checker was shown."""

    __tablename__ = "votes"
    __table_args__ = (UniqueConstraint("request_id", "checker"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[str] = mapped_column(ForeignKey("export_requests.id"), index=True)
    checker: Mapped[str] = mapped_column(ForeignKey("people.name"))
    approve: Mapped[bool]
    reason: Mapped[str]
    seen: Mapped[str]
    cast: Mapped[datetime] = mapped_column(default=utcnow)

    request: Mapped[ExportRequest] = relationship(back_populates="votes")
