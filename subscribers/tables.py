# SPDX-License-Identifier: EUPL-1.2
"""The people's tables. `hub.ledger` opens the database; these rooms take its connection.

Times are whole milliseconds since 1970 in UTC (`Instant`). Only `subscribers` writes here.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


def to_ms(moment: datetime) -> int:
    """An aware datetime as whole milliseconds since 1970."""
    return (moment - EPOCH) // _MS


def from_ms(ms: int) -> datetime:
    """Milliseconds since 1970 as an aware datetime in UTC."""
    return EPOCH + ms * _MS


class Instant(TypeDecorator[datetime]):
    """An aware datetime, kept as whole milliseconds."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else to_ms(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else from_ms(value)


# SQLite gives rowids (and AUTOINCREMENT) only to INTEGER; PostgreSQL wants BIGINT.
Id = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

authority = Table(
    "authority",
    metadata,
    Column("id", Id, primary_key=True),
    Column("key", String(64), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("timezone", String(64), nullable=False),
    Column("language", String(8), nullable=False),
)

theme = Table(
    "theme",
    metadata,
    Column("id", Id, primary_key=True),
    Column("authority", ForeignKey("authority.id"), nullable=False),
    Column("key", String(64), nullable=False),
    Column("parent", ForeignKey("theme.id")),
    Column("names", JSON, nullable=False),  # {"fr": …, "en": …}
    Column("about", JSON, nullable=False, server_default="{}"),  # a few words more, by language
    Column("advised", Boolean, nullable=False, server_default="0"),  # shown first, and as such
    Column("position", Integer, nullable=False, default=0),
    Column("archived", Boolean, nullable=False, default=False),
    UniqueConstraint("authority", "key"),
)

zone = Table(
    "zone",
    metadata,
    Column("id", Id, primary_key=True),
    Column("authority", ForeignKey("authority.id"), nullable=False),
    Column("key", String(64), nullable=False),
    Column("parent", ForeignKey("zone.id")),
    Column("level", String(16), nullable=False),  # town, district, street, building
    Column("names", JSON, nullable=False),
    Column("area", JSON),  # GeoJSON Polygon or MultiPolygon, longitude first (RFC 7946)
    Column("position", Integer, nullable=False, default=0),
    Column("archived", Boolean, nullable=False, default=False),
    UniqueConstraint("authority", "key"),
)

subscriber = Table(
    "subscriber",
    metadata,
    Column("id", Id, primary_key=True),
    Column("authority", ForeignKey("authority.id"), nullable=False),
    Column("language", String(8), nullable=False),
    Column("timezone", String(64), nullable=False),
    Column("quiet_start", Integer),  # minutes after midnight, local; both or neither
    Column("quiet_end", Integer),
    Column("urgent_breaks_quiet", Boolean, nullable=False, default=True),
    Column("paused_until", Instant),
    Column("pause_keeps_urgent", Boolean, nullable=False, default=True),
    Column("channel_order", JSON, nullable=False),  # ["sms", "email", …]
    Column("import_key", String(64)),  # who this is in the file they came from
    Column("created", Instant, nullable=False),
    UniqueConstraint("authority", "import_key"),
    sqlite_autoincrement=True,  # a number is never given to a second person
)

contact_point = Table(
    "contact_point",
    metadata,
    Column("id", Id, primary_key=True),
    Column("subscriber", ForeignKey("subscriber.id", ondelete="CASCADE"), nullable=False),
    Column("channel", String(8), nullable=False),
    Column("address", Text, nullable=False),
    Column("keys", JSON),  # web push: p256dh and auth, base64url
    Column("label", Text),  # "Firefox, this device"
    Column("position", Integer, nullable=False, default=0),
    Column("verified_at", Instant),
    Column("suspended_at", Instant),
    Column("suspended_reason", String(32)),
    Column("created", Instant, nullable=False),
    UniqueConstraint("subscriber", "channel", "address"),
    Index(None, "channel", "address"),
    sqlite_autoincrement=True,
)

subscription = Table(
    "subscription",
    metadata,
    Column("theme", ForeignKey("theme.id"), primary_key=True),
    Column("channel", String(8), primary_key=True),
    Column("subscriber", ForeignKey("subscriber.id", ondelete="CASCADE"), primary_key=True),
    Column("cadence", String(8), nullable=False),  # now, daily, weekly
    Index(None, "subscriber"),
    sqlite_with_rowid=False,
)

subscriber_zone = Table(  # no row: the whole town
    "subscriber_zone",
    metadata,
    Column("subscriber", ForeignKey("subscriber.id", ondelete="CASCADE"), primary_key=True),
    Column("zone", ForeignKey("zone.id"), primary_key=True),
    Index(None, "zone", "subscriber"),
    sqlite_with_rowid=False,
)

consent = Table(
    "consent",
    metadata,
    Column("id", Id, primary_key=True),
    Column("subscriber", ForeignKey("subscriber.id", ondelete="CASCADE"), nullable=False),
    Column("source", Text, nullable=False),  # "web", "paper form", "import fichier-2026.csv"
    Column("text_version", String(64), nullable=False),
    Column("given_at", Instant, nullable=False),
    Column("withdrawn_at", Instant),
    Column("recorded_by", Text),
    Column("recorded_at", Instant, nullable=False),
    Index(None, "subscriber"),
)

suppression = Table(  # an address we must not use, whoever it belongs to; hashed, never the address
    "suppression",
    metadata,
    Column("channel", String(8), primary_key=True),
    Column("address_hash", String(64), primary_key=True),
    Column("reason", String(32), nullable=False),
    Column("since", Instant, nullable=False),
    Column("until", Instant),
)

challenge = Table(  # a proof asked of somebody, and the count by which the doors are kept
    "challenge",
    metadata,
    Column("id", Id, primary_key=True),
    Column("authority", ForeignKey("authority.id"), nullable=False),
    Column("purpose", String(16), nullable=False),  # confirm, sign_in, test
    Column("channel", String(8), nullable=False),
    Column("subscriber", ForeignKey("subscriber.id", ondelete="CASCADE")),  # none: nobody known
    Column("contact_point", ForeignKey("contact_point.id", ondelete="CASCADE")),
    Column("nonce", String(32), nullable=False),  # what its code and link are derived from
    Column("contact_hash", String(64), nullable=False),  # keyed, as in `suppression`
    Column("origin", String(64), nullable=False),  # keyed hash of the block of addresses it is from
    Column("prefix", String(16), nullable=False),  # a number without its last four digits
    Column("created", Instant, nullable=False),
    Column("expires", Instant, nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("used_at", Instant),
    Column("sent", Boolean, nullable=False),  # a message left for it: it counts in the budget
    Index(None, "contact_hash", "created"),
    Index(None, "origin", "created"),
    Index(None, "prefix", "created"),
    Index(None, "channel", "sent", "created"),
    Index(None, "created"),
    Index(None, "subscriber"),
    Index(None, "contact_point"),
    sqlite_autoincrement=True,  # codes and links name it
)

draft = Table(  # the answers of somebody who is subscribing, for half an hour
    "draft",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("authority", ForeignKey("authority.id"), nullable=False),
    Column("document", JSON, nullable=False),
    Column("created", Instant, nullable=False),
    Column("expires", Instant, nullable=False),
    Index(None, "expires"),
)

session = Table(  # a citizen's visit to their own pages
    "session",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("subscriber", ForeignKey("subscriber.id", ondelete="CASCADE"), nullable=False),
    Column("created", Instant, nullable=False),
    Column("expires", Instant, nullable=False),
    Column("undo", JSON(none_as_null=True)),  # what they stopped last, to take it back
    Index(None, "subscriber"),
    Index(None, "expires"),
)

tally = Table(  # what is counted and never written down: who follows the town on X
    "tally",
    metadata,
    Column("authority", ForeignKey("authority.id"), primary_key=True),
    Column("name", String(32), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("n", Integer, nullable=False),
)
