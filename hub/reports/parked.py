# SPDX-License-Identifier: EUPL-1.2
"""What waits for a human: parked deliveries by announcement, channel and reason."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from channels.base import ChannelName, Reason
from hub.delivery import DeliveryState
from hub.ledger.tables import announcement, delivery, delivery_count, run


@dataclass(frozen=True, slots=True)
class ParkedGroup:
    """Deliveries of one announcement and channel, set aside for one reason."""

    code: str
    channel: ChannelName
    reason: Reason
    rows: int


def parked_groups(conn: Connection, authority: int) -> Sequence[ParkedGroup]:
    """Read from the counts alone, newest announcement first."""
    counted = delivery_count.c
    rows = conn.execute(
        select(announcement.c.code, run.c.channel, counted.reason, counted.n)
        .join_from(run, delivery_count, counted.run == run.c.id)
        .join(announcement, announcement.c.id == run.c.announcement)
        .where(
            run.c.authority == authority,
            counted.state == DeliveryState.PARKED,
            counted.n > 0,
        )
        .order_by(announcement.c.id.desc(), run.c.id, counted.reason)
    )
    return [
        ParkedGroup(row.code, ChannelName(row.channel), Reason(row.reason or Reason.UNKNOWN), row.n)
        for row in rows
    ]


def parked_ids(conn: Connection, authority: int, limit: int) -> Sequence[tuple[int, str, Reason]]:
    """(delivery, announcement's code, reason) of the first of them, oldest first."""
    rows = conn.execute(
        select(delivery.c.id, announcement.c.code, delivery.c.reason)
        .join_from(delivery, run, run.c.id == delivery.c.run)
        .join(announcement, announcement.c.id == run.c.announcement)
        .where(run.c.authority == authority, delivery.c.state == DeliveryState.PARKED)
        .order_by(delivery.c.id)
        .limit(limit)
    )
    return [(row.id, row.code, Reason(row.reason or Reason.UNKNOWN)) for row in rows]
