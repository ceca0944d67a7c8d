# SPDX-License-Identifier: EUPL-1.2
"""What the officers' console keeps: people of the town hall, their sessions, what they write.

The same rules as `hub.ledger.tables`, whose metadata these tables join.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from hub.ledger.tables import metadata
from subscribers.tables import Id, Instant

__all__ = ["metadata"]  # all of it, these tables too; they are imported by their names

officer = Table(
    "officer",
    metadata,
    Column("id", Id, primary_key=True),
    Column("authority", BigInteger, nullable=False),
    Column("email", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("roles", JSON, nullable=False),  # role -> theme keys, or null for every theme
    Column("password_hash", Text),  # none until the invitation was taken up
    Column("language", String(8)),
    Column("sealed_totp", LargeBinary),
    Column("totp_step", BigInteger),  # the last one used: a code opens once (RFC 6238 section 5.2)
    Column("recovery", JSON, nullable=False, server_default="[]"),  # hashes of unused codes
    Column("created", Instant, nullable=False),
    Column("seen", Instant),
    Column("disabled", Instant),
    UniqueConstraint("authority", "email"),
)

officer_session = Table(
    "officer_session",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("officer", BigInteger, nullable=False),
    Column("stage", String(8), nullable=False),  # second: a second proof is asked; open
    Column("created", Instant, nullable=False),
    Column("seen", Instant, nullable=False),
    Column("expires", Instant, nullable=False),
    Column("challenge", LargeBinary),  # of the passkey that is being asked for
    Column("tries", Integer, nullable=False, server_default="0"),  # of the second proof, wrong
    Index(None, "officer"),
    Index(None, "expires"),
)

office_link = Table(  # an invitation, a forgotten password: a link that works once
    "office_link",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("officer", BigInteger, nullable=False),
    Column("purpose", String(12), nullable=False),  # invitation, reset
    Column("created", Instant, nullable=False),
    Column("expires", Instant, nullable=False),
    Column("used_at", Instant),
    Index(None, "officer"),
    Index(None, "expires"),
)

passkey = Table(
    "passkey",
    metadata,
    Column("id", Id, primary_key=True),
    Column("officer", BigInteger, nullable=False),
    Column("credential", LargeBinary, nullable=False, unique=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("label", Text, nullable=False),
    Column("created", Instant, nullable=False),
    Column("used", Instant),
    Index(None, "officer"),
)

composition = Table(  # what an officer is writing; its code becomes the announcement's
    "composition",
    metadata,
    Column("id", Id, primary_key=True),
    Column("code", String(12), nullable=False, unique=True),
    Column("authority", BigInteger, nullable=False),
    Column("document", JSON, nullable=False),  # the form's fields, as they were typed
    Column("version", Integer, nullable=False, server_default="1"),
    Column("state", String(12), nullable=False),  # writing, submitted, dropped
    Column("author", BigInteger, nullable=False),
    Column("editors", JSON, nullable=False, server_default="[]"),  # officers who changed it
    Column("announcement", BigInteger),  # once it was submitted
    Column("submitted", JSON),  # the document as approval was asked for it
    Column("former", JSON),  # as it was asked for the time before, to show what changed
    Column("returned_by", BigInteger),
    Column("returned_reason", Text, nullable=False, server_default=""),
    Column("created", Instant, nullable=False),
    Column("changed", Instant, nullable=False),
    Column("changed_by", BigInteger, nullable=False),
    Index(None, "authority", "state", "changed"),
    Index(None, "announcement"),
)

attachment = Table(
    "attachment",
    metadata,
    Column("id", Id, primary_key=True),
    Column("authority", BigInteger, nullable=False),
    Column("code", String(12), nullable=False),  # of the composition and its announcement
    Column("name", Text, nullable=False),
    Column("media_type", String(64), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("said", Text, nullable=False, server_default=""),  # the same in words, for everybody
    Column("created", Instant, nullable=False),
    Index(None, "code"),
)

model = Table(  # a text with blanks, to begin from
    "model",
    metadata,
    Column("id", Id, primary_key=True),
    Column("authority", BigInteger, nullable=False),
    Column("key", String(64), nullable=False),
    Column("document", JSON, nullable=False),
    Column("position", Integer, nullable=False, server_default="0"),
    Column("changed", Instant, nullable=False),
    Column("archived", Instant),
    UniqueConstraint("authority", "key"),
)

payload = Table(  # what a source posted lately, and what became of it
    "payload",
    metadata,
    Column("id", Id, primary_key=True),
    Column("source", BigInteger, nullable=False),
    Column("at", Instant, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("status", Integer, nullable=False),
    Column("said", Text, nullable=False, server_default=""),  # the refusal, where it was one
    Column("code", String(12)),  # the announcement it became
    Index(None, "source", "id"),
)

identity = Table(  # how the town looks, over hub.toml
    "identity",
    metadata,
    Column("authority", BigInteger, primary_key=True, autoincrement=False),
    Column("accent", String(7)),
    Column("logo", LargeBinary),
    Column("logo_type", String(32)),
    Column("contact", Text),
    Column("changed", Instant, nullable=False),
)

town_text = Table(  # a page of the portal in the town's own words, over the house's
    "town_text",
    metadata,
    Column("authority", BigInteger, primary_key=True),
    Column("name", String(32), primary_key=True),
    Column("language", String(8), primary_key=True),
    Column("text", Text, nullable=False),
    Column("changed", Instant, nullable=False),
    Column("changed_by", Text, nullable=False),
)

letter = Table(  # what the hub writes to an officer (decision 0042); no address stands in it
    "letter",
    metadata,
    Column("id", Id, primary_key=True),
    Column("authority", BigInteger, nullable=False),
    Column("officer", BigInteger),  # none: to whoever may approve, found out before it leaves
    Column("kind", String(12), nullable=False),
    Column("context", JSON, nullable=False),
    Column("state", String(8), nullable=False),  # waiting, sent, dropped, failed
    Column("created", Instant, nullable=False),
    Column("due", Instant, nullable=False),  # not before; then the next try
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("reason", String(32), nullable=False, server_default=""),  # of the last try
    Column("ended", Instant),
    Index(None, "state", "due"),
    Index(None, "officer", "created"),
)

measure = Table(  # what an announcement came to once it ended; it outlives the deliveries
    "measure",
    metadata,
    Column("announcement", BigInteger, primary_key=True, autoincrement=False),
    Column("authority", BigInteger, nullable=False),
    Column("published", Instant, nullable=False),
    Column("measured", Instant, nullable=False),
    Column("stamp", String(64), nullable=False),  # of the counts it was taken from
    Column("document", JSON, nullable=False),  # see ledger.measures
    Index(None, "authority", "published"),
)

assumption = Table(  # what the comparison with paper supposes, where it is not the house's
    "assumption",
    metadata,
    Column("authority", BigInteger, primary_key=True, autoincrement=False),
    Column("name", String(32), primary_key=True),
    Column("value", BigInteger, nullable=False),  # in thousandths
)
