# SPDX-License-Identifier: EUPL-1.2
"""Addresses we must not use, whoever they belong to, remembered as keyed hashes only."""

import hashlib
import hmac
from collections.abc import Collection
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, delete, insert, select

from channels.base import ChannelName
from subscribers.tables import suppression


class SuppressionReason(StrEnum):
    """Why an address is not used."""

    DO_NOT_CONTACT = "do_not_contact"  # the person asked, often with their erasure
    DEAD_ADDRESS = "dead_address"
    COMPLAINT = "complaint"  # marked as spam


def address_hash(key: bytes, channel: ChannelName, address: str) -> str:
    """HMAC-SHA256 of a normalised address, in hexadecimal.

    Keyed, because ten digits are guessed in a second (CNIL: a plain hash of a number is still
    the number). Losing the key forgets every suppression.
    """
    return hmac.digest(key, f"{channel}:{address}".encode(), hashlib.sha256).hex()


def suppress(
    conn: Connection,
    channel: ChannelName,
    hashed: str,
    reason: SuppressionReason,
    *,
    now: datetime,
    until: datetime | None = None,
) -> None:
    """Stop using the address behind `hashed` (see `address_hash`), for ever where `until` is
    None. The latest word replaces the one before, but for do-not-contact, which only `lift`
    ends."""
    asked = select(suppression.c.reason).where(_row(channel, hashed))
    if (
        conn.execute(asked).scalar_one_or_none() == SuppressionReason.DO_NOT_CONTACT
        and reason is not SuppressionReason.DO_NOT_CONTACT
    ):
        return
    lift(conn, channel, hashed)
    row = {
        "channel": channel.value,
        "address_hash": hashed,
        "reason": reason.value,
        "since": now,
        "until": until,
    }
    conn.execute(insert(suppression).values(row))


def is_suppressed(conn: Connection, channel: ChannelName, hashed: str, now: datetime) -> bool:
    """Whether the address behind `hashed` may not be used at `now`."""
    return bool(suppressed_among(conn, channel, [hashed], now))


def suppressed_among(
    conn: Connection, channel: ChannelName, hashes: Collection[str], now: datetime
) -> frozenset[str]:
    """Those of `hashes` that may not be used at `now`, in one look."""
    current = suppression.c.until.is_(None) | (suppression.c.until > now)
    query = select(suppression.c.address_hash).where(
        suppression.c.channel == channel.value, suppression.c.address_hash.in_(hashes), current
    )
    return frozenset(conn.execute(query).scalars())


def reason_of(conn: Connection, channel: ChannelName, hashed: str) -> SuppressionReason | None:
    """Why the address behind `hashed` is on the list; None where it is not."""
    why = conn.execute(select(suppression.c.reason).where(_row(channel, hashed)))
    found = why.scalar_one_or_none()
    return None if found is None else SuppressionReason(found)


def lift(conn: Connection, channel: ChannelName, hashed: str) -> bool:
    """Use the address again, because its owner asked. True where it was suppressed."""
    return conn.execute(delete(suppression).where(_row(channel, hashed))).rowcount > 0


def _row(channel: ChannelName, hashed: str) -> ColumnElement[bool]:
    return (suppression.c.channel == channel.value) & (suppression.c.address_hash == hashed)
