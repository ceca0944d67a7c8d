# SPDX-License-Identifier: EUPL-1.2
"""What the delivery guarantees keep: timed leases, late evidence, fallback, digests, recurrence."""

from typing import Any

import sqlalchemy as sa
from alembic import op

import subscribers.tables

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INSTANT = subscribers.tables.Instant


def upgrade() -> None:
    # a number is never given twice, not even after a restore: receipts and Message-IDs name them
    numbered: dict[str, Any] = {
        "recreate": "always",
        "table_kwargs": {"sqlite_autoincrement": True},
    }
    with op.batch_alter_table("announcement", **numbered):
        pass
    with op.batch_alter_table("run") as table:
        table.add_column(sa.Column("retired", _INSTANT()))
    with op.batch_alter_table("delivery", **numbered) as table:
        table.add_column(sa.Column("fallback_of", sa.BigInteger()))
        table.create_index(
            "ix_delivery_fallback_of",
            ["fallback_of"],
            sqlite_where=sa.text("fallback_of IS NOT NULL"),
        )
    _index_digests("subscriber")
    op.create_index("uq_digest_item_item", "digest_item", ["item"], unique=True)
    with op.batch_alter_table("lease") as table:
        table.drop_column("alive_until")
        table.add_column(sa.Column("boot", sa.String(64)))
        table.add_column(sa.Column("alive_until", sa.BigInteger()))
    with op.batch_alter_table("receipt") as table:
        table.add_column(sa.Column("reason", sa.String(32), nullable=False, server_default=""))
        table.add_column(sa.Column("dead", sa.Boolean(), nullable=False, server_default="0"))
        table.create_index("ix_receipt_unfolded", ["delivery"], sqlite_where=sa.text("folded = 0"))
    op.create_table(
        "recurrence",
        sa.Column("id", _ID, nullable=False),
        sa.Column("code", sa.String(12), nullable=False),
        sa.Column("authority", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("rule", sa.JSON(), nullable=False),
        sa.Column("source", sa.String(80), nullable=False),
        sa.Column("source_key", sa.String(255), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("next", _INSTANT()),
        sa.Column("created", _INSTANT(), nullable=False),
        sa.Column("ended", _INSTANT()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recurrence")),
        sa.UniqueConstraint("code", name=op.f("uq_recurrence_code")),
        sa.UniqueConstraint(
            "authority",
            "source",
            "source_key",
            name=op.f("uq_recurrence_authority_source_source_key"),
        ),
    )
    op.create_table(
        "channel_switch",
        sa.Column("channel", sa.String(8), nullable=False),
        sa.Column("paused_at", _INSTANT()),
        sa.Column("paused_by", sa.Text()),
        sa.PrimaryKeyConstraint("channel", name=op.f("pk_channel_switch")),
    )
    op.create_table(
        "kept_address",
        sa.Column("delivery", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.PrimaryKeyConstraint("delivery", name=op.f("pk_kept_address")),
    )
    op.create_table(
        "spending",
        sa.Column("delivery", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.String(8), nullable=False),
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("delivery", name=op.f("pk_spending")),
    )
    op.create_index("ix_spending_channel_month", "spending", ["channel", "month"])
    op.create_table(
        "restored",
        sa.Column("id", _ID, nullable=False),
        sa.Column("at", _INSTANT(), nullable=False),
        sa.Column("backup_of", _INSTANT(), nullable=False),
        sa.Column("released_at", _INSTANT()),
        sa.Column("released_by", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_restored")),
    )


def _index_digests(column: str) -> None:
    """What waits for a digest is gathered a person at a time."""
    op.drop_index("ix_delivery_digest", "delivery")
    waits = sa.text("state = 'digest'")
    op.create_index("ix_delivery_digest", "delivery", [column], sqlite_where=waits)


def downgrade() -> None:
    op.drop_index("uq_digest_item_item", "digest_item")
    _index_digests("due")
    for name in ("spending", "restored", "kept_address", "channel_switch", "recurrence"):
        op.drop_table(name)
    with op.batch_alter_table("receipt") as table:
        table.drop_index("ix_receipt_unfolded")
        table.drop_column("dead")
        table.drop_column("reason")
    with op.batch_alter_table("lease") as table:
        table.drop_column("alive_until")
        table.drop_column("boot")
        table.add_column(sa.Column("alive_until", _INSTANT()))
    with op.batch_alter_table("delivery") as table:
        table.drop_index("ix_delivery_fallback_of")
        table.drop_column("fallback_of")
    with op.batch_alter_table("run") as table:
        table.drop_column("retired")
