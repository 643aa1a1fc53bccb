"""The first schema: people, projects, genomes, sessions, the airlock, the audit log.

Revision ID: 0001
Revises: nothing
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes all tables."""
    op.create_table(
        "audit_events",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("leaf", sa.LargeBinary(length=32), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit_events"),
    )
    op.create_table(
        "audit_heads",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("signed", sa.DateTime(timezone=True), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit_heads"),
    )
    op.create_table(
        "audit_identities",
        sa.Column("tag", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("salt", sa.LargeBinary(length=16), nullable=False),
        sa.PrimaryKeyConstraint("tag", name="pk_audit_identities"),
        sa.UniqueConstraint("name", name="uq_audit_identities_name"),
    )
    op.create_table(
        "audit_tree",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.Column("last_leaf", sa.LargeBinary(length=32), nullable=False),
        sa.Column("last_time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_tree"),
    )
    op.create_table(
        "datasets",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_datasets"),
    )
    op.create_table(
        "opt_outs",
        sa.Column("tag", sa.String(), nullable=False),
        sa.Column("recorded", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tag", name="pk_opt_outs"),
    )
    op.create_table(
        "people",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("full_name", sa.String(), nullable=False),
        sa.Column("research_group", sa.String(), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("assurance", sa.String(), nullable=False),
        sa.Column("methods", sa.JSON(), nullable=False),
        sa.Column("training_until", sa.Date(), nullable=True),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("last_login", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_people"),
    )
    op.create_table(
        "projects",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("ethics_approval", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_projects"),
    )
    op.create_table(
        "export_requests",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project_name", sa.String(), nullable=False),
        sa.Column("requester", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["project_name"], ["projects.name"], name="fk_export_requests_project_name_projects"),
        sa.ForeignKeyConstraint(["requester"], ["people.name"], name="fk_export_requests_requester_people"),
        sa.PrimaryKeyConstraint("id", name="pk_export_requests"),
    )
    op.create_index("ix_export_requests_project_name", "export_requests", ["project_name"])
    op.create_index("ix_export_requests_requester", "export_requests", ["requester"])
    op.create_index("ix_export_requests_state", "export_requests", ["state"])
    op.create_table(
        "individuals",
        sa.Column("internal_id", sa.String(), nullable=False),
        sa.Column("dataset_name", sa.String(), nullable=False),
        sa.Column("sample_tag", sa.String(), nullable=False),
        sa.Column("cpr_tag", sa.String(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["dataset_name"], ["datasets.name"], name="fk_individuals_dataset_name_datasets"),
        sa.PrimaryKeyConstraint("internal_id", name="pk_individuals"),
        sa.UniqueConstraint("dataset_name", "sample_tag", name="uq_individuals_dataset_name"),
    )
    op.create_index("ix_individuals_cpr_tag", "individuals", ["cpr_tag"])
    op.create_index("ix_individuals_dataset_name", "individuals", ["dataset_name"])
    op.create_table(
        "memberships",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_name", sa.String(), nullable=False),
        sa.Column("person_name", sa.String(), nullable=False),
        sa.Column("lead", sa.Boolean(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_name"], ["people.name"], name="fk_memberships_person_name_people"),
        sa.ForeignKeyConstraint(["project_name"], ["projects.name"], name="fk_memberships_project_name_projects"),
        sa.PrimaryKeyConstraint("id", name="pk_memberships"),
        sa.UniqueConstraint("project_name", "person_name", name="uq_memberships_project_name"),
    )
    op.create_index("ix_memberships_person_name", "memberships", ["person_name"])
    op.create_table(
        "releases",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dataset_name", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("manifest", sa.JSON(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["dataset_name"], ["datasets.name"], name="fk_releases_dataset_name_datasets"),
        sa.PrimaryKeyConstraint("id", name="pk_releases"),
        sa.UniqueConstraint("dataset_name", "name", name="uq_releases_dataset_name"),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_name", sa.String(), nullable=False),
        sa.Column("project_name", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("prefix", sa.String(), nullable=False),
        sa.Column("network", sa.String(), nullable=False),
        sa.Column("subnet", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("container", sa.String(), nullable=False),
        sa.Column("mounts", sa.JSON(), nullable=False),
        sa.Column("bytes_out", sa.BigInteger(), nullable=False),
        sa.Column("started", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stopped", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stop_reason", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["person_name"], ["people.name"], name="fk_sessions_person_name_people"),
        sa.ForeignKeyConstraint(["project_name"], ["projects.name"], name="fk_sessions_project_name_projects"),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
    )
    op.create_index("ix_sessions_person_name", "sessions", ["person_name"])
    op.create_index("ix_sessions_project_name", "sessions", ["project_name"])
    op.create_index("ix_sessions_state", "sessions", ["state"])
    op.create_table(
        "approvals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_name", sa.String(), nullable=False),
        sa.Column("release_id", sa.Integer(), nullable=False),
        sa.Column("approved_by", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["approved_by"], ["people.name"], name="fk_approvals_approved_by_people"),
        sa.ForeignKeyConstraint(["project_name"], ["projects.name"], name="fk_approvals_project_name_projects"),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"], name="fk_approvals_release_id_releases"),
        sa.PrimaryKeyConstraint("id", name="pk_approvals"),
    )
    op.create_index("ix_approvals_project_name", "approvals", ["project_name"])
    op.create_table(
        "export_files",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("released", sa.DateTime(timezone=True), nullable=True),
        sa.Column("downloads", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"], ["export_requests.id"], name="fk_export_files_request_id_export_requests"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_export_files"),
        sa.UniqueConstraint("request_id", "name", name="uq_export_files_request_id"),
    )
    op.create_index("ix_export_files_request_id", "export_files", ["request_id"])
    op.create_table(
        "views",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_name", sa.String(), nullable=False),
        sa.Column("release_id", sa.Integer(), nullable=False),
        sa.Column("folder", sa.String(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("variants", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["project_name"], ["projects.name"], name="fk_views_project_name_projects"),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"], name="fk_views_release_id_releases"),
        sa.PrimaryKeyConstraint("id", name="pk_views"),
    )
    op.create_index("ix_views_project_name", "views", ["project_name"])
    op.create_index("ix_views_release_id", "views", ["release_id"])
    op.create_table(
        "votes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("checker", sa.String(), nullable=False),
        sa.Column("approve", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("seen", sa.String(), nullable=False),
        sa.Column("cast", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["checker"], ["people.name"], name="fk_votes_checker_people"),
        sa.ForeignKeyConstraint(["request_id"], ["export_requests.id"], name="fk_votes_request_id_export_requests"),
        sa.PrimaryKeyConstraint("id", name="pk_votes"),
        sa.UniqueConstraint("request_id", "checker", name="uq_votes_request_id"),
    )
    op.create_index("ix_votes_request_id", "votes", ["request_id"])


def downgrade() -> None:
    """Drops all tables, those that others refer to last; indexes go with their tables."""
    op.drop_table("votes")
    op.drop_table("views")
    op.drop_table("export_files")
    op.drop_table("approvals")
    op.drop_table("sessions")
    op.drop_table("releases")
    op.drop_table("memberships")
    op.drop_table("individuals")
    op.drop_table("export_requests")
    op.drop_table("projects")
    op.drop_table("people")
    op.drop_table("opt_outs")
    op.drop_table("datasets")
    op.drop_table("audit_tree")
    op.drop_table("audit_identities")
    op.drop_table("audit_heads")
    op.drop_table("audit_events")
