"""Sessions: one person's running container in one project."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from ngc_workbench.model.base import Base, utcnow


class Session(Base):
    """One start of a container. States: starting, running, paused, stopped (`policy.states`).

    The gateway routes from this table: `prefix` is the URL path that the container serves (`/user/<person>/<project>/`),
    `address` and `port` where it listens, `address` also the source address by which the gateway knows the session
    when the container calls. `network` and `container` are Docker's names. `mounts` is what was mounted, as audited.
    `ends` is when the session will be stopped because a view that it mounts was replaced.
    """

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(primary_key=True)
    person_name: Mapped[str] = mapped_column(ForeignKey("people.name"), index=True)
    project_name: Mapped[str] = mapped_column(ForeignKey("projects.name"), index=True)
    state: Mapped[str] = mapped_column(default="starting", index=True)
    prefix: Mapped[str]
    network: Mapped[str]
    subnet: Mapped[str]
    address: Mapped[str] = mapped_column(default="")
    port: Mapped[int] = mapped_column(default=0)
    container: Mapped[str] = mapped_column(default="")
    mounts: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    bytes_out: Mapped[int] = mapped_column(BigInteger, default=0)
    started: Mapped[datetime] = mapped_column(default=utcnow)
    ends: Mapped[datetime | None]
    stopped: Mapped[datetime | None]
    stop_reason: Mapped[str] = mapped_column(default="")
