"""The genome store: cohorts, cuts, opt-outs that end, purposes, versions of keys, sessions with an announced end.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_NEW: dict[str, dict[str, tuple[sa.types.TypeEngine[Any], str | None]]] = {
    "datasets": {"description": (sa.String(), ""), "terms": (sa.JSON(), "[]")},
    "releases": {"withdrawn": (_MOMENT, None)},
    "opt_outs": {
        "sealed": (sa.LargeBinary(), None),
        "source": (sa.String(), "command"),
        "by": (sa.String(), "self"),
        "ended": (_MOMENT, None),
    },
    "views": {"cut": (sa.String(), "")},
    "projects": {"terms": (sa.JSON(), "[]"), "key_version": (sa.Integer(), "1")},
    "approvals": {"cohort": (sa.JSON(), "{}")},
    "sessions": {"ends": (_MOMENT, None)},
}
"""New columns by table: type, and what rows that are there already get (None: nothing)."""


def upgrade() -> None:
    """Adds columns alone; what is there keeps its meaning."""
    for table, columns in _NEW.items():
        with op.batch_alter_table(table) as altered:
            for name, (kind, value) in columns.items():
                altered.add_column(sa.Column(name, kind, nullable=value is None, server_default=value))
        # The default was for the rows that are there; new ones get theirs from the model.
        with op.batch_alter_table(table) as altered:
            for name, (_, value) in columns.items():
                if value is not None:
                    altered.alter_column(name, server_default=None)


def downgrade() -> None:
    """Takes them away again."""
    for table, columns in reversed(_NEW.items()):
        with op.batch_alter_table(table) as altered:
            for name in columns:
                altered.drop_column(name)
