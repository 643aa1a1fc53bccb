"""People who log in."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import JSON
from sqlalchemy.orm import Mapped, mapped_column

from ngc_workbench.model.base import Base, utcnow


class Person(Base):
    """One person, as the identity provider knows them.

    `roles` holds names of `policy.roles`. `assurance` and `methods` are the `acr` and `amr` claims of the last
    login: what the person has proved, not what they may do. `training_until` is the last day on which their
    mandatory training counts.
    """

    __tablename__ = "people"

    name: Mapped[str] = mapped_column(primary_key=True)
    full_name: Mapped[str]
    research_group: Mapped[str] = mapped_column(default="")
    roles: Mapped[list[str]] = mapped_column(JSON, default=list)
    assurance: Mapped[str] = mapped_column(default="")
    methods: Mapped[list[str]] = mapped_column(JSON, default=list)
    training_until: Mapped[date | None]
    disabled: Mapped[bool] = mapped_column(default=False)
    last_login: Mapped[datetime | None]
    created: Mapped[datetime] = mapped_column(default=utcnow)
