"""Sessions: one person's running container in one project, what it showed, and what was told of it."""

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

    `bytes_out` is what it showed to a browser, all in all. `paused_at`, `pause_reason` (a rule of `policy.meter`) and `pause_facts`
    (`kind`, `shown`, `limit` in bytes, `why`) stand until a security officer releases the pause, also when the session was
    stopped meanwhile. `metered_from` is the last release: what was shown before it counts towards no threshold. `frozen`: the
    container was, or is about to be, frozen by the warden.
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
    paused_at: Mapped[datetime | None]
    pause_reason: Mapped[str] = mapped_column(default="")
    pause_facts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    metered_from: Mapped[datetime | None]
    frozen: Mapped[bool] = mapped_column(default=False)


class Traffic(Base):
    """Bytes that a session showed to a browser in one hour (`hour`: its begin, UTC), by kind (`policy.meter.kind_of`).

    `released` of them were shown before a pause was released, and count towards no threshold any more.
    """

    __tablename__ = "traffic"

    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id"), primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    released: Mapped[int] = mapped_column(BigInteger, default=0)


class Notice(Base):
    """Something that the security officer is told. `spread`: its deliveries were written, one for each channel set up."""

    __tablename__ = "notices"

    id: Mapped[int] = mapped_column(primary_key=True)
    created: Mapped[datetime] = mapped_column(default=utcnow)
    kind: Mapped[str]
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id"), index=True)
    body: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    spread: Mapped[bool] = mapped_column(default=False, index=True)


class Delivery(Base):
    """A notice on its way through one channel (`webhook`, `email`); `sent` once the other side has taken it."""

    __tablename__ = "deliveries"

    notice_id: Mapped[int] = mapped_column(ForeignKey("notices.id"), primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    sent: Mapped[datetime | None] = mapped_column(index=True)
    tries: Mapped[int] = mapped_column(default=0)
    next_try: Mapped[datetime] = mapped_column(default=utcnow)
    last_error: Mapped[str] = mapped_column(default="")
