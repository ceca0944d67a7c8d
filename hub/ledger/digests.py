# SPDX-License-Identifier: EUPL-1.2
"""What waits for a digest, which digest carries it, and the statements that link the two."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    text,
)

from hub.delivery import DeliveryState
from hub.ledger import announcements, deliveries
from hub.ledger.database import AnyRow
from hub.ledger.runs import Run
from hub.ledger.tables import delivery, digest_item, run
from subscribers.tables import to_ms

_LINKED: Final = exists(select(1).where(digest_item.c.item == delivery.c.id))
# Written out, not bound: SQLite takes a partial index only for a condition it can read.
_GATHERS: Final = delivery.c.state == literal_column("'digest'")
_ITEMS: Final = select(
    *(delivery.c.id, delivery.c.run, delivery.c.subscriber, delivery.c.contact_point),
    *(delivery.c.state, delivery.c.reason, delivery.c.due, run.c.announcement, run.c.paused),
).join_from(delivery, run, run.c.id == delivery.c.run)


def made(conn: Connection, authority: int, day: str) -> bool:
    """Whether the digests of this day (``2026-11-23``) were begun."""
    found = announcements.by_source_key(conn, authority, announcements.DIGEST, day)
    return found is not None


def _waiting(digest: Run, until: datetime) -> Sequence[Any]:
    """Conditions: of this authority and channel, gathered by no digest yet, born by `until`."""
    theirs = select(run.c.id).where(
        run.c.authority == digest.authority, run.c.channel == digest.channel
    )
    return (
        _GATHERS,
        delivery.c.run.in_(theirs),
        delivery.c.due <= to_ms(until),  # of whom is asked here: whoever has it may be erased
        ~_LINKED,
    )


def page_end(conn: Connection, digest: Run, until: datetime, people: int) -> int | None:
    """The highest number of the next so many people who have something waiting; None: nobody."""
    nexts = (
        select(delivery.c.subscriber)
        .where(*_waiting(digest, until), delivery.c.subscriber > digest.cursor)
        .distinct()
        .order_by(delivery.c.subscriber)
        .limit(people)
        .subquery()
    )
    end: int | None = conn.execute(select(func.max(nexts.c.subscriber))).scalar_one()
    return end


def waiting(conn: Connection, digest: Run, until: datetime, end: int) -> Sequence[AnyRow]:
    """What these people have waiting: (id, run, subscriber, contact_point, state, reason, due,
    announcement, paused), in the order it was planned."""
    mine = (delivery.c.subscriber > digest.cursor, delivery.c.subscriber <= end)
    return conn.execute(_ITEMS.where(*_waiting(digest, until), *mine).order_by(delivery.c.id)).all()


_LINK: Final = text("""
INSERT INTO digest_item (digest, item)
SELECT g.id, i.id FROM delivery i JOIN delivery g
  ON g.subscriber = i.subscriber AND g.run = :run AND g.contact_point = i.contact_point
WHERE i.id IN (SELECT value FROM json_each(:items))
""")


def carry(
    conn: Connection, digest: Run, items: Collection[int], now: datetime
) -> tuple[int, int | None]:
    """One message for each person and contact point these items wait for, and the link from each
    item to it. Returns how many messages and the first number."""
    listed = json.dumps(list(items))
    at = to_ms(now)
    wanted = select(text("value")).select_from(text("json_each(:items)")).params(items=listed)
    messages = (
        select(
            literal(digest.id),
            delivery.c.subscriber,
            delivery.c.contact_point,
            literal(0),
            literal(str(DeliveryState.READY)),
            literal(""),
            literal(at),
            literal(at),
        )
        .where(delivery.c.id.in_(wanted))
        .distinct()
        .order_by(delivery.c.subscriber, delivery.c.contact_point)
    )
    planned = deliveries.plan_rows(conn, digest.id, messages)
    conn.execute(_LINK, {"run": digest.id, "items": listed})
    return planned


def carried(conn: Connection, messages: Collection[int]) -> Sequence[AnyRow]:
    """The items of these digest messages: as `waiting` says, with `digest`."""
    return conn.execute(
        _ITEMS.add_columns(digest_item.c.digest)
        .join(digest_item, digest_item.c.item == delivery.c.id)
        .where(digest_item.c.digest.in_(list(messages)))
        .order_by(delivery.c.id)
    ).all()


def drop(conn: Connection, items: Collection[int]) -> None:
    """These items are in no digest any more."""
    conn.execute(digest_item.delete().where(digest_item.c.item.in_(list(items))))


def of_runs_or_carrying(runs: Select[tuple[int]]) -> ColumnElement[bool]:
    """A condition on deliveries: they are of these runs, or a digest that carries what is of them.

    What a digest carries is never meant itself: it is sent again with its digest.
    """
    item = delivery.alias("carried")
    # Asked of each row in question: a list of all carriers would walk through every delivery.
    carries = exists(
        select(1)
        .select_from(digest_item.join(item, item.c.id == digest_item.c.item))
        .where(digest_item.c.digest == delivery.c.id, item.c.run.in_(runs))
        .correlate(delivery)
    )
    return and_(~_LINKED, or_(delivery.c.run.in_(runs), carries))


def announced_to(
    conn: Connection, digest_announcement: int, subscriber: int, channel: str
) -> Sequence[int]:
    """The announcements that this person's digest of that day carried on this channel."""
    item, message = delivery.alias("item"), delivery.alias("message")
    of_item, of_digest = run.alias("of_item"), run.alias("of_digest")
    found = conn.execute(
        select(of_item.c.announcement)
        .join_from(message, of_digest, of_digest.c.id == message.c.run)
        .join(digest_item, digest_item.c.digest == message.c.id)
        .join(item, item.c.id == digest_item.c.item)
        .join(of_item, of_item.c.id == item.c.run)
        .where(
            message.c.subscriber == subscriber,
            of_digest.c.announcement == digest_announcement,
            of_digest.c.channel == channel,
        )
        .distinct()
        .order_by(of_item.c.announcement)
    ).scalars()
    return list(found)
