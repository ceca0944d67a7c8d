# SPDX-License-Identifier: EUPL-1.2
"""What waits for a human: parked deliveries by announcement, channel and reason."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from channels.base import ChannelName, Reason
from hub.delivery import DeliveryState
from hub.ledger.tables import announcement, delivery, delivery_count, run
from hub.reports.health import Parked


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


@dataclass(frozen=True, slots=True)
class Waiting:
    """Deliveries of one channel that are tried again, or looked up, for one reason."""

    channel: ChannelName
    state: DeliveryState
    reason: Reason
    rows: int


def waiting_groups(conn: Connection, authority: int) -> Sequence[Waiting]:
    """What met an obstacle and is not given up: read from the counts alone."""
    counted = delivery_count.c
    rows = conn.execute(
        select(run.c.channel, counted.state, counted.reason, func.sum(counted.n).label("n"))
        .join_from(run, delivery_count, counted.run == run.c.id)
        .where(
            run.c.authority == authority,
            counted.state.in_([DeliveryState.READY, DeliveryState.DOUBT]),
            counted.reason.is_not(None),
            counted.reason != "",
            counted.n > 0,
        )
        .group_by(run.c.channel, counted.state, counted.reason)
        .order_by(run.c.channel, counted.state, counted.reason)
    )
    return [
        Waiting(ChannelName(row.channel), DeliveryState(row.state), Reason(row.reason), row.n)
        for row in rows
    ]


def parked_for(conn: Connection, authority: int, code: str, reason: Reason | None) -> Parked:
    """What is parked of one announcement ("" for all of the town's), for one reason or for any."""
    mine = select(run.c.id).where(run.c.authority == authority)
    if code:
        known = select(announcement.c.id).where(
            announcement.c.code == code, announcement.c.authority == authority
        )
        mine = mine.where(run.c.announcement.in_(known))
    query = select(func.count(), func.count().filter(delivery.c.maybe)).where(
        delivery.c.state == DeliveryState.PARKED, delivery.c.run.in_(mine)
    )
    if reason is not None:
        query = query.where(delivery.c.reason == reason)
    rows, maybe = conn.execute(query).one()
    return Parked(rows, maybe)
