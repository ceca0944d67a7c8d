# SPDX-License-Identifier: EUPL-1.2
"""The ledger's tables (ENGINE.md section 3).

No foreign key leads from here to people: a delivery remembers a subscriber's number, and erasing
the person leaves it pointing at nobody. Times are milliseconds since 1970 (`subscribers.tables`).
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from subscribers.tables import Id, Instant
from subscribers.tables import metadata as people

metadata = MetaData(naming_convention=people.naming_convention)

announcement = Table(
    "announcement",
    metadata,
    Column("id", Id, primary_key=True),
    Column("code", String(12), nullable=False, unique=True),
    Column("authority", BigInteger, nullable=False),
    Column("source", String(80), nullable=False),  # "api:3", "hook:vigicrues", "cli", …
    Column("source_key", String(255), nullable=False),
    Column(
        "sha256", String(64), nullable=False
    ),  # of what was asked, to tell a repeat from a clash
    Column("kind", String(16), nullable=False),
    Column("first", BigInteger),  # head of the correction chain
    Column("urgency", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("document", JSON, nullable=False),  # words and targets, see ledger.announcements
    Column("author", Text, nullable=False),
    Column("approved_by", Text),
    Column("created", Instant, nullable=False),
    Column("publish_at", Instant),
    Column("published", Instant),
    Column("release_at", Instant),  # the end of the undo delay, while it waits for it
    Column("expires", Instant),
    Column("cancelled_at", Instant),
    Column("finished", Instant),
    Column("promised", BigInteger),  # millionths its SMS were foreseen to cost, when approved
    UniqueConstraint("authority", "source", "source_key"),  # posted twice is one, for ever
    Index(None, "state"),
    Index(None, "first"),
    # what the public pages ask at each visit, answered without a look at the rows themselves
    Index("ix_announcement_published", "authority", "published", "cancelled_at", "source"),
    sqlite_autoincrement=True,  # Message-IDs name it: never given twice, not even after a restore
)

run = Table(
    "run",
    metadata,
    Column("id", Id, primary_key=True),
    Column("announcement", BigInteger, nullable=False),
    Column("channel", String(8), nullable=False),
    Column("authority", BigInteger, nullable=False),
    Column("lane", Integer, nullable=False),
    Column("kind", String(16), nullable=False, server_default="announcement"),  # or digest
    Column("state", String(12), nullable=False),  # planning, open, done
    Column("paused", Boolean, nullable=False, server_default="0"),
    Column("parts", Integer, nullable=False, server_default="1"),  # posts of an X thread
    Column("cursor", BigInteger, nullable=False, server_default="0"),
    Column("until", BigInteger, nullable=False),  # highest subscriber id at acceptance
    Column("planner", BigInteger),  # the lease that plans
    Column("planned", Integer, nullable=False, server_default="0"),
    Column("first_delivery", BigInteger),  # where a listing of this run begins
    Column("retired", Instant),  # from then on its rows are erased; its counts stay
    UniqueConstraint("announcement", "channel"),
    Index(None, "state"),
)

delivery = Table(
    "delivery",
    metadata,
    Column("id", Id, primary_key=True),
    Column("run", BigInteger, nullable=False),
    Column("subscriber", BigInteger, nullable=False),
    Column("contact_point", BigInteger, nullable=False),
    Column("part", Integer, nullable=False, server_default="0"),  # which post of a thread
    Column("state", String(12), nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("lease", BigInteger),
    Column("round", Integer, nullable=False, server_default="0"),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("crashes", Integer, nullable=False, server_default="0"),
    Column("maybe", Boolean, nullable=False, server_default="0"),  # a copy may have left unrecorded
    Column("reason", String(32), nullable=False, server_default=""),
    Column("provider", String(32)),
    Column("ref", Text),
    Column("since", BigInteger),  # first reserved
    Column("at", BigInteger, nullable=False),  # last moved
    Column(
        "fallback_of", BigInteger
    ),  # the delivery on another channel that this one stands in for
    UniqueConstraint("subscriber", "run", "contact_point", "part"),
    Index("ix_delivery_ready", "run", "due", "id", sqlite_where=text("state = 'ready'")),
    Index("ix_delivery_reserved", "lease", sqlite_where=text("state = 'reserved'")),
    Index("ix_delivery_doubt", "due", sqlite_where=text("state = 'doubt'")),
    Index("ix_delivery_digest", "subscriber", sqlite_where=text("state = 'digest'")),
    Index("ix_delivery_parked", "run", "id", sqlite_where=text("state = 'parked'")),
    Index("ix_delivery_fallback_of", "fallback_of", sqlite_where=text("fallback_of IS NOT NULL")),
    Index("uq_delivery_ref", "provider", "ref", unique=True, sqlite_where=text("ref IS NOT NULL")),
    sqlite_autoincrement=True,  # receipts name it
)

attempt = Table(
    "attempt",
    metadata,
    Column("id", Id, primary_key=True),
    Column("delivery", BigInteger, nullable=False, index=True),
    Column("round", Integer, nullable=False),
    Column("code", String(64), nullable=False),
    Column("detail", Text, nullable=False, server_default=""),  # no address, no text
    Column("ref", Text),
    Column("at", BigInteger, nullable=False),
)

receipt = Table(
    "receipt",
    metadata,
    Column("id", Id, primary_key=True),
    Column("delivery", BigInteger, nullable=False),
    Column("round", Integer, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("code", String(64), nullable=False),
    Column("ref", Text),
    Column("at", BigInteger, nullable=False),
    Column("reason", String(32), nullable=False, server_default=""),
    Column(
        "dead", Boolean, nullable=False, server_default="0"
    ),  # the address is (a code table says)
    Column("folded", Boolean, nullable=False, server_default="0"),
    UniqueConstraint("delivery", "round", "rank", "code"),
    Index("ix_receipt_unfolded", "delivery", sqlite_where=text("folded = 0")),
)

digest_item = Table(
    "digest_item",
    metadata,
    Column("digest", BigInteger, primary_key=True),
    Column("item", BigInteger, primary_key=True),
    Index("uq_digest_item_item", "item", unique=True),  # told once, in one message
    sqlite_with_rowid=False,
)

delivery_count = Table(
    "delivery_count",
    metadata,
    Column("run", BigInteger, primary_key=True),
    Column("state", String(12), primary_key=True),
    Column("reason", String(32), primary_key=True),
    Column("n", Integer, nullable=False),
    sqlite_with_rowid=False,
)

lease = Table(
    "lease",
    metadata,
    Column("id", Id, primary_key=True),
    Column("process", Text, nullable=False),
    Column("started", Instant, nullable=False),
    Column("boot", String(64)),  # which start of the machine `alive_until` counts from
    Column("alive_until", BigInteger),  # milliseconds on the machine's steady clock
    Column("dead", Boolean, nullable=False, server_default="0"),
)

recurrence = Table(  # an announcement that comes again; each time is an announcement of its own
    "recurrence",
    metadata,
    Column("id", Id, primary_key=True),
    Column("code", String(12), nullable=False, unique=True),
    Column("authority", BigInteger, nullable=False),
    Column("document", JSON, nullable=False),  # the submission, as it was asked
    Column("rule", JSON, nullable=False),
    Column("source", String(80), nullable=False),
    Column("source_key", String(255), nullable=False),
    Column("author", Text, nullable=False),
    Column("next", Instant),  # None: over
    Column("created", Instant, nullable=False),
    Column("ended", Instant),
    UniqueConstraint("authority", "source", "source_key"),
)

channel_switch = Table(  # no row: the channel is in use
    "channel_switch",
    metadata,
    Column("channel", String(8), primary_key=True),
    Column("paused_at", Instant),
    Column("paused_by", Text),
)

spending = Table(  # what each post took from the month's budget; given back where it stayed
    "spending",
    metadata,
    Column("delivery", BigInteger, primary_key=True),
    Column("channel", String(8), nullable=False),
    Column("month", String(7), nullable=False),  # of the town's calendar, "2026-11"
    Column("cost", BigInteger, nullable=False),  # in millionths
    Index(None, "channel", "month"),
)

restored = Table(  # a backup that was put back: nothing leaves until somebody released it
    "restored",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("backup_of", Instant, nullable=False),
    Column("released_at", Instant),
    Column("released_by", Text),
)

kept_address = Table(  # of somebody erased while in doubt, until the provider has been asked
    "kept_address",
    metadata,
    Column("delivery", BigInteger, primary_key=True),
    Column("address", Text, nullable=False),
    Column("language", String(8), nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("authority", BigInteger),
    Column("actor", Text, nullable=False),
    Column("verb", String(32), nullable=False),
    Column("object", Text, nullable=False),
    Column("detail", JSON, nullable=False),
    Column("digest", String(64)),  # of this line and the one before: a chain (hub.ledger.audit)
    Index(None, "object"),
    Index(None, "authority", "at"),
)

api_key = Table(
    "api_key",
    metadata,
    Column("id", Id, primary_key=True),
    Column("authority", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    Column("themes", JSON),  # keys and all below them; None is every theme
    Column("highest_urgency", String(16), nullable=False),
    Column("may_publish", Boolean, nullable=False, server_default="0"),
    Column("may_enrol", Boolean, nullable=False, server_default="0"),  # a desk's: publishes nothing
    Column("created", Instant, nullable=False),
    Column("revoked", Instant),
    UniqueConstraint("authority", "name"),
)

desk_visit = Table(  # staff at the page where they subscribe people, opened with a desk's key
    "desk_visit",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("key", BigInteger, nullable=False),
    Column("officer", Text, nullable=False),  # who is at the desk, as they wrote it
    Column("created", Instant, nullable=False),
    Column("seen", Instant, nullable=False),
    Column("expires", Instant, nullable=False),
    Index(None, "expires"),
)

source = Table(
    "source",
    metadata,
    Column("id", Id, primary_key=True),
    Column("authority", BigInteger, nullable=False),
    Column("key", String(64), nullable=False, unique=True),
    Column("sealed_secret", LargeBinary, nullable=False),
    Column("themes", JSON),
    Column("highest_urgency", String(16), nullable=False),
    Column("may_publish", Boolean, nullable=False, server_default="0"),
    Column("drafts", Boolean, nullable=False, server_default="0"),  # to be written on, not asked
    Column("mapping", JSON, nullable=False, server_default="{}"),  # field of ours -> rule
    Column("created", Instant, nullable=False),
    Column("revoked", Instant),
)
