# SPDX-License-Identifier: EUPL-1.2
"""What the officers' console keeps: sessions, what is being written, models, sources' bodies."""

import sqlalchemy as sa
from alembic import op

import subscribers.tables

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INSTANT = subscribers.tables.Instant


def upgrade() -> None:
    with op.batch_alter_table("officer") as table:
        table.add_column(sa.Column("language", sa.String(8)))
        table.add_column(sa.Column("sealed_totp", sa.LargeBinary()))
        table.add_column(sa.Column("totp_step", sa.BigInteger()))
        table.add_column(sa.Column("recovery", sa.JSON(), nullable=False, server_default="[]"))
        table.add_column(sa.Column("seen", _INSTANT()))
    with op.batch_alter_table("source") as table:
        table.add_column(sa.Column("drafts", sa.Boolean(), nullable=False, server_default="0"))
        table.add_column(sa.Column("mapping", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("announcement", sa.Column("release_at", _INSTANT()))
    op.add_column("audit", sa.Column("digest", sa.String(64)))
    op.create_index("ix_audit_authority_at", "audit", ["authority", "at"])
    _signing_in()
    _writing()
    _beside_it()
    _town()
    _letters()
    _figures()


def _letters() -> None:
    op.create_table(
        "letter",
        sa.Column("id", _ID, nullable=False),
        sa.Column("authority", sa.BigInteger(), nullable=False),
        sa.Column("officer", sa.BigInteger()),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("context", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("created", _INSTANT(), nullable=False),
        sa.Column("due", _INSTANT(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("reason", sa.String(32), nullable=False, server_default=""),
        sa.Column("ended", _INSTANT()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter")),
    )
    op.create_index("ix_letter_state_due", "letter", ["state", "due"])
    op.create_index("ix_letter_officer_created", "letter", ["officer", "created"])


def _figures() -> None:
    op.create_table(
        "measure",
        sa.Column("announcement", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("authority", sa.BigInteger(), nullable=False),
        sa.Column("published", _INSTANT(), nullable=False),
        sa.Column("measured", _INSTANT(), nullable=False),
        sa.Column("stamp", sa.String(64), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("announcement", name=op.f("pk_measure")),
    )
    op.create_index("ix_measure_authority_published", "measure", ["authority", "published"])
    op.create_table(
        "assumption",
        sa.Column("authority", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("authority", "name", name=op.f("pk_assumption")),
    )


def _signing_in() -> None:
    op.create_table(
        "officer_session",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("officer", sa.BigInteger(), nullable=False),
        sa.Column("stage", sa.String(8), nullable=False),
        sa.Column("created", _INSTANT(), nullable=False),
        sa.Column("seen", _INSTANT(), nullable=False),
        sa.Column("expires", _INSTANT(), nullable=False),
        sa.Column("challenge", sa.LargeBinary()),
        sa.Column("tries", sa.Integer(), nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_officer_session")),
    )
    op.create_table(
        "office_link",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("officer", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.String(12), nullable=False),
        sa.Column("created", _INSTANT(), nullable=False),
        sa.Column("expires", _INSTANT(), nullable=False),
        sa.Column("used_at", _INSTANT()),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_office_link")),
    )
    for table in ("officer_session", "office_link"):
        op.create_index(f"ix_{table}_officer", table, ["officer"])
        op.create_index(f"ix_{table}_expires", table, ["expires"])
    op.create_table(
        "passkey",
        sa.Column("id", _ID, nullable=False),
        sa.Column("officer", sa.BigInteger(), nullable=False),
        sa.Column("credential", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("created", _INSTANT(), nullable=False),
        sa.Column("used", _INSTANT()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkey")),
        sa.UniqueConstraint("credential", name=op.f("uq_passkey_credential")),
    )
    op.create_index("ix_passkey_officer", "passkey", ["officer"])


def _writing() -> None:
    op.create_table(
        "composition",
        sa.Column("id", _ID, nullable=False),
        sa.Column("code", sa.String(12), nullable=False),
        sa.Column("authority", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("author", sa.BigInteger(), nullable=False),
        sa.Column("editors", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("announcement", sa.BigInteger()),
        sa.Column("submitted", sa.JSON()),
        sa.Column("former", sa.JSON()),
        sa.Column("returned_by", sa.BigInteger()),
        sa.Column("returned_reason", sa.Text(), nullable=False, server_default=""),
        sa.Column("created", _INSTANT(), nullable=False),
        sa.Column("changed", _INSTANT(), nullable=False),
        sa.Column("changed_by", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_composition")),
        sa.UniqueConstraint("code", name=op.f("uq_composition_code")),
    )
    op.create_index(
        "ix_composition_authority_state_changed", "composition", ["authority", "state", "changed"]
    )
    op.create_index("ix_composition_announcement", "composition", ["announcement"])


def _beside_it() -> None:
    op.create_table(
        "attachment",
        sa.Column("id", _ID, nullable=False),
        sa.Column("authority", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.String(12), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.String(64), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False, server_default=""),
        sa.Column("created", _INSTANT(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
    )
    op.create_index("ix_attachment_code", "attachment", ["code"])
    op.create_table(
        "model",
        sa.Column("id", _ID, nullable=False),
        sa.Column("authority", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("changed", _INSTANT(), nullable=False),
        sa.Column("archived", _INSTANT()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model")),
        sa.UniqueConstraint("authority", "key", name=op.f("uq_model_authority_key")),
    )


def _town() -> None:
    op.create_table(
        "payload",
        sa.Column("id", _ID, nullable=False),
        sa.Column("source", sa.BigInteger(), nullable=False),
        sa.Column("at", _INSTANT(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False, server_default=""),
        sa.Column("code", sa.String(12)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payload")),
    )
    op.create_index("ix_payload_source_id", "payload", ["source", "id"])
    op.create_table(
        "identity",
        sa.Column("authority", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("accent", sa.String(7)),
        sa.Column("logo", sa.LargeBinary()),
        sa.Column("logo_type", sa.String(32)),
        sa.Column("contact", sa.Text()),
        sa.Column("changed", _INSTANT(), nullable=False),
        sa.PrimaryKeyConstraint("authority", name=op.f("pk_identity")),
    )
    op.create_table(
        "town_text",
        sa.Column("authority", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("changed", _INSTANT(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("authority", "name", "language", name=op.f("pk_town_text")),
    )


def downgrade() -> None:
    for name in (
        "letter",
        "assumption",
        "measure",
        "town_text",
        "identity",
        "payload",
        "model",
        "attachment",
        "composition",
        "passkey",
        "office_link",
        "officer_session",
    ):
        op.drop_table(name)
    op.drop_index("ix_audit_authority_at", "audit")
    op.drop_column("announcement", "release_at")
    op.drop_column("audit", "digest")
    op.drop_column("source", "mapping")
    op.drop_column("source", "drafts")
    for name in ("seen", "recovery", "totp_step", "sealed_totp", "language"):
        op.drop_column("officer", name)
