"""Datasets, their releases, the individuals in them, and the views made of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ngc_workbench.model.base import Base, utcnow


class Dataset(Base):
    """A named collection of genomes. `terms` are the DUO terms under which it may be used (`policy.purpose`)."""

    __tablename__ = "datasets"

    name: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(default="")
    description: Mapped[str] = mapped_column(default="")
    terms: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    created: Mapped[datetime] = mapped_column(default=utcnow)


class Release(Base):
    """An immutable version of a dataset. States: building, published, withdrawn (`policy.states`).

    `manifest` is the release's own manifest.json: counts, hashes of parts and sources, tool versions.
    """

    __tablename__ = "releases"
    __table_args__ = (UniqueConstraint("dataset_name", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    dataset_name: Mapped[str] = mapped_column(ForeignKey("datasets.name"))
    name: Mapped[str]
    state: Mapped[str] = mapped_column(default="building")
    manifest: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created: Mapped[datetime] = mapped_column(default=utcnow)
    published: Mapped[datetime | None]
    withdrawn: Mapped[datetime | None]


class Individual(Base):
    """A person whose genome is held. Custodian zone: ids are random, names are sealed.

    `cpr_tag` and `sample_tag` are keyed hashes (for look-up), `sealed` is the authenticated encryption of sample name and
    CPR number, so that a clinical finding finds its way back to the patient.
    """

    __tablename__ = "individuals"
    __table_args__ = (UniqueConstraint("dataset_name", "sample_tag"),)

    internal_id: Mapped[str] = mapped_column(primary_key=True)
    dataset_name: Mapped[str] = mapped_column(ForeignKey("datasets.name"), index=True)
    sample_tag: Mapped[str]
    cpr_tag: Mapped[str | None] = mapped_column(index=True)
    sealed: Mapped[bytes]


class OptOut(Base):
    """An entry of the tissue-use register: data of this person may not be used for research.

    `tag` is the keyed hash of the CPR number; that of the sample's name stands in where a dataset came without CPR
    numbers. `sealed` is what the tag was made of, for a change of keys. `source` is `command` or `register`; `by` is
    `self`, or `guardian` for a child. `ended` is when the person opted in again: releases made before stay without them.
    """

    __tablename__ = "opt_outs"

    tag: Mapped[str] = mapped_column(primary_key=True)
    sealed: Mapped[bytes | None]
    source: Mapped[str] = mapped_column(default="command")
    by: Mapped[str] = mapped_column(default="self")
    recorded: Mapped[datetime] = mapped_column(default=utcnow)
    ended: Mapped[datetime | None]


class View(Base):
    """What one project may see of one release: a folder of files under the project's own pseudonyms.

    `folder` is relative to the project's folder below `views_dir`. `digest` is the content digest over the view's
    files, taken when it was verified. `cut` is the key of the cut whose genotypes it shares; empty: the release's own.
    A view that was replaced has `retired` set.
    """

    __tablename__ = "views"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_name: Mapped[str] = mapped_column(ForeignKey("projects.name"), index=True)
    release_id: Mapped[int] = mapped_column(ForeignKey("releases.id"), index=True)
    folder: Mapped[str]
    people: Mapped[int]
    variants: Mapped[int]
    digest: Mapped[str]
    cut: Mapped[str] = mapped_column(default="")
    created: Mapped[datetime] = mapped_column(default=utcnow)
    retired: Mapped[datetime | None]

    release: Mapped[Release] = relationship()
