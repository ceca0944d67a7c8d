# SPDX-License-Identifier: EUPL-1.2
"""What is not kept longer than it serves: addresses nobody confirmed, consents long withdrawn."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, select

from subscribers.tables import consent, contact_point, subscriber, suppression

_LATELY: Final = timedelta(days=30)


def unverified(conn: Connection, before: datetime, limit: int) -> int:
    """Erase addresses added before then that nobody confirmed, and whoever is left without any.

    Returns how many addresses went, of `limit` at most.
    """
    old = (contact_point.c.verified_at.is_(None), contact_point.c.created < before)
    rows = conn.execute(
        select(contact_point.c.id, contact_point.c.subscriber).where(*old).limit(limit)
    ).all()
    conn.execute(delete(contact_point).where(contact_point.c.id.in_([row.id for row in rows])))
    _nobody_left(conn, sorted({row.subscriber for row in rows}))
    return len(rows)


def _nobody_left(conn: Connection, people: Sequence[int]) -> None:
    """What hangs on a person goes with them (the tables say so themselves)."""
    reachable = select(contact_point.c.id).where(contact_point.c.subscriber == subscriber.c.id)
    conn.execute(delete(subscriber).where(subscriber.c.id.in_(people), ~reachable.exists()))


def abandoned(conn: Connection, before: datetime, limit: int) -> int:
    """Erase people who subscribed before then and never gave an address: notifications on a device
    that were not turned on. Returns how many, `limit` at most.

    Not those of long ago: somebody who took their last device back has a consent to show.
    """
    reachable = select(contact_point.c.id).where(contact_point.c.subscriber == subscriber.c.id)
    lately = subscriber.c.created.between(before - _LATELY, before)
    idle = select(subscriber.c.id).where(lately, ~reachable.exists()).limit(limit)
    return conn.execute(delete(subscriber).where(subscriber.c.id.in_(idle))).rowcount


def withdrawn(conn: Connection, before: datetime, limit: int) -> int:
    """Erase proofs of consents that ended before then. Returns how many, `limit` at most."""
    old = select(consent.c.id).where(consent.c.withdrawn_at < before).limit(limit)
    return conn.execute(delete(consent).where(consent.c.id.in_(old))).rowcount


def lapsed(conn: Connection, now: datetime, limit: int) -> int:
    """Erase suppressions whose time is over. Returns how many, `limit` at most."""
    hashes = select(suppression.c.address_hash).where(suppression.c.until <= now).limit(limit)
    over = (suppression.c.until <= now, suppression.c.address_hash.in_(hashes))
    return conn.execute(delete(suppression).where(*over)).rowcount
