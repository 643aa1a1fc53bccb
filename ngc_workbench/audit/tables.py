"""The log's tables."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Integer, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from ngc_workbench.model import Base

# SQLite's own row number is an INTEGER of 64 bits.
_Number = BigInteger().with_variant(Integer, "sqlite")


class AuditEvent(Base):
    """One event: its number (from 1, without gaps), the hash of its leaf, and the leaf itself (RFC 8785 JSON)."""

    __tablename__ = "audit_events"

    seq: Mapped[int] = mapped_column(_Number, primary_key=True, autoincrement=False)
    leaf: Mapped[bytes] = mapped_column(LargeBinary(32))
    body: Mapped[str] = mapped_column(Text)


class AuditIdentity(Base):
    """The person behind a tag. The one place where the log knows a name.

    The tag is keyed with `salt` too: once the row is gone, not even the holder of the log's key can tell whether a
    tag was a given person's.
    """

    __tablename__ = "audit_identities"

    tag: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    salt: Mapped[bytes] = mapped_column(LargeBinary(16))


class AuditTree(Base):
    """One row: the tree's size and frontier, the last leaf, and the last event's time (microseconds since 1970)."""

    __tablename__ = "audit_tree"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    size: Mapped[int] = mapped_column(BigInteger)
    frontier: Mapped[bytes] = mapped_column(LargeBinary)
    last_leaf: Mapped[bytes] = mapped_column(LargeBinary(32))
    last_time: Mapped[int] = mapped_column(BigInteger)


class AuditHead(Base):
    """A signed head, as it stands in heads.jsonl: the file counts, this is its copy for pages and reports."""

    __tablename__ = "audit_heads"

    number: Mapped[int] = mapped_column(_Number, primary_key=True, autoincrement=False)
    size: Mapped[int] = mapped_column(BigInteger)
    signed: Mapped[datetime]
    line: Mapped[str] = mapped_column(Text)
