"""The meter: traffic by hour and kind, thresholds of projects, pauses, notices to the security officer.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_NEW: dict[str, dict[str, tuple[sa.types.TypeEngine[Any], Any]]] = {
    "projects": {"limits": (sa.JSON(), "{}")},
    "sessions": {
        "paused_at": (_MOMENT, None),
        "pause_reason": (sa.String(), ""),
        "pause_facts": (sa.JSON(), "{}"),
        "metered_from": (_MOMENT, None),
        "frozen": (sa.Boolean(), sa.false()),
    },
}
"""New columns by table: type, and what rows that are there already get (None: nothing)."""


def upgrade() -> None:
    """Adds columns and tables; bytes that were counted before stand in the hour of the session's start, and count for nothing."""
    for table, columns in _NEW.items():
        with op.batch_alter_table(table) as altered:
            for name, (kind, value) in columns.items():
                altered.add_column(sa.Column(name, kind, nullable=value is None, server_default=value))
        # The default was for the rows that are there; new ones get theirs from the model.
        with op.batch_alter_table(table) as altered:
            for name, (_, value) in columns.items():
                if value is not None:
                    altered.alter_column(name, server_default=None)
    traffic = op.create_table(
        "traffic",
        sa.Column("session_id", sa.String(), nullable=False),
        sa.Column("hour", _MOMENT, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("released", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name="fk_traffic_session_id_sessions"),
        sa.PrimaryKeyConstraint("session_id", "hour", "kind", name="pk_traffic"),
    )
    op.create_table(
        "notices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created", _MOMENT, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("session_id", sa.String(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("spread", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name="fk_notices_session_id_sessions"),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
    )
    op.create_index("ix_notices_session_id", "notices", ["session_id"])
    op.create_index("ix_notices_spread", "notices", ["spread"])
    op.create_table(
        "deliveries",
        sa.Column("notice_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("sent", _MOMENT, nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try", _MOMENT, nullable=False),
        sa.Column("last_error", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.id"], name="fk_deliveries_notice_id_notices"),
        sa.PrimaryKeyConstraint("notice_id", "channel", name="pk_deliveries"),
    )
    op.create_index("ix_deliveries_sent", "deliveries", ["sent"])
    sessions = sa.table(
        "sessions", sa.column("id", sa.String), sa.column("started", _MOMENT), sa.column("bytes_out", sa.BigInteger)
    )
    connection = op.get_bind()
    counted = connection.execute(sa.select(sessions).where(sessions.c.bytes_out > 0)).all()
    if counted:
        connection.execute(
            sa.insert(traffic),
            [
                {"session_id": row.id, "hour": row.started.replace(minute=0, second=0, microsecond=0), "kind": "other",
                 "bytes": row.bytes_out, "released": row.bytes_out}
                for row in counted
            ],
        )  # fmt: skip


def downgrade() -> None:
    """Takes them away again."""
    for table in ("deliveries", "notices", "traffic"):
        op.drop_table(table)
    for table, columns in reversed(_NEW.items()):
        with op.batch_alter_table(table) as altered:
            for name in columns:
                altered.drop_column(name)
