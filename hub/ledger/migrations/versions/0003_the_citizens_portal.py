# SPDX-License-Identifier: EUPL-1.2
"""What the citizens' portal keeps: proofs asked for, drafts, visits, and words about themes."""

import sqlalchemy as sa
from alembic import op

import subscribers.tables

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INSTANT = subscribers.tables.Instant


def _person(
    table: str, *, nullable: bool = False
) -> tuple[sa.Column[int], sa.ForeignKeyConstraint]:
    return (
        sa.Column("subscriber", _ID, nullable=nullable),
        sa.ForeignKeyConstraint(
            ["subscriber"],
            ["subscriber.id"],
            name=op.f(f"fk_{table}_subscriber_subscriber"),
            ondelete="CASCADE",
        ),
    )


def _town(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["authority"], ["authority.id"], name=op.f(f"fk_{table}_authority_authority")
    )


def upgrade() -> None:
    with op.batch_alter_table("theme") as table:
        table.add_column(sa.Column("about", sa.JSON(), nullable=False, server_default="{}"))
        table.add_column(sa.Column("advised", sa.Boolean(), nullable=False, server_default="0"))
    op.create_index(
        "ix_announcement_published",
        "announcement",
        ["authority", "published", "cancelled_at", "source"],
    )
    _proofs()
    _visits()
    _desk()
    op.create_table(
        "tally",
        sa.Column("authority", _ID, nullable=False),
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        _town("tally"),
        sa.PrimaryKeyConstraint("authority", "name", "day", name=op.f("pk_tally")),
    )


def _proofs() -> None:
    op.create_table(
        "challenge",
        sa.Column("id", _ID, nullable=False),
        sa.Column("authority", _ID, nullable=False),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("channel", sa.String(8), nullable=False),
        *_person("challenge", nullable=True),
        sa.Column("contact_point", _ID),
        sa.Column("nonce", sa.String(32), nullable=False),
        sa.Column("contact_hash", sa.String(64), nullable=False),
        sa.Column("origin", sa.String(64), nullable=False),
        sa.Column("prefix", sa.String(16), nullable=False),
        sa.Column("created", _INSTANT(), nullable=False),
        sa.Column("expires", _INSTANT(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("used_at", _INSTANT()),
        sa.Column("sent", sa.Boolean(), nullable=False),
        _town("challenge"),
        sa.ForeignKeyConstraint(
            ["contact_point"],
            ["contact_point.id"],
            name=op.f("fk_challenge_contact_point_contact_point"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_challenge")),
        sqlite_autoincrement=True,
    )
    for first in ("contact_hash", "origin", "prefix"):
        op.create_index(f"ix_challenge_{first}_created", "challenge", [first, "created"])
    op.create_index(
        "ix_challenge_channel_sent_created", "challenge", ["channel", "sent", "created"]
    )
    op.create_index("ix_challenge_created", "challenge", ["created"])
    op.create_index("ix_challenge_subscriber", "challenge", ["subscriber"])
    op.create_index("ix_challenge_contact_point", "challenge", ["contact_point"])


def _visits() -> None:
    op.create_table(
        "draft",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("authority", _ID, nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("created", _INSTANT(), nullable=False),
        sa.Column("expires", _INSTANT(), nullable=False),
        _town("draft"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_draft")),
    )
    op.create_index("ix_draft_expires", "draft", ["expires"])
    op.create_table(
        "session",
        sa.Column("token_hash", sa.String(64), nullable=False),
        *_person("session"),
        sa.Column("created", _INSTANT(), nullable=False),
        sa.Column("expires", _INSTANT(), nullable=False),
        sa.Column("undo", sa.JSON(none_as_null=True)),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_session")),
    )
    op.create_index("ix_session_subscriber", "session", ["subscriber"])
    op.create_index("ix_session_expires", "session", ["expires"])


def _desk() -> None:
    with op.batch_alter_table("api_key") as table:
        table.add_column(sa.Column("may_enrol", sa.Boolean(), nullable=False, server_default="0"))
    op.create_table(
        "desk_visit",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("key", sa.BigInteger(), nullable=False),
        sa.Column("officer", sa.Text(), nullable=False),
        sa.Column("created", _INSTANT(), nullable=False),
        sa.Column("seen", _INSTANT(), nullable=False),
        sa.Column("expires", _INSTANT(), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_desk_visit")),
    )
    op.create_index("ix_desk_visit_expires", "desk_visit", ["expires"])


def downgrade() -> None:
    op.drop_column("api_key", "may_enrol")
    for name in ("desk_visit", "tally", "session", "draft", "challenge"):
        op.drop_table(name)
    op.drop_index("ix_announcement_published", "announcement")
    op.drop_column("theme", "advised")  # in place: people point at it
    op.drop_column("theme", "about")
