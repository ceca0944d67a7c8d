# SPDX-License-Identifier: EUPL-1.2
"""Where else a person can be told, in the order they prefer."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from channels.base import ChannelName
from subscribers.tables import contact_point, subscriber


@dataclass(frozen=True, slots=True)
class Point:
    """A contact point that may be used."""

    id: int
    subscriber: int
    channel: ChannelName
    address: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NextChannels:
    """The usable contact points of some people, and the order each wants their channels in."""

    _channels: Sequence[ChannelName]
    _orders: Mapping[int, Sequence[str]]
    _points: Mapping[tuple[int, ChannelName], Sequence[Point]]

    def points(self) -> list[Point]:
        """All of them."""
        return [point for points in self._points.values() for point in points]

    def after(self, person: int, channel: ChannelName) -> Sequence[Point]:
        """The contact points of their next channel: those they put after this one, then those
        they put nowhere, then those before it.

        Every device for web push, else one. Empty for who has no other channel, or is erased.
        """
        order = [str(each) for each in self._orders.get(person, ())]
        place = order.index(channel) + 1 if channel in order else 0
        before = order[:place]
        others = [each.value for each in self._channels if each.value not in before]
        for name in dict.fromkeys([*order[place:], *others, *before]):
            if name == channel or name not in set(self._channels):
                continue
            points = self._points.get((person, ChannelName(name)))
            if points:
                return points if name == ChannelName.WEBPUSH else points[:1]
        return ()


def of(conn: Connection, people: Collection[int], channels: Sequence[ChannelName]) -> NextChannels:
    """Where these people can be told on these channels: verified, and not suspended."""
    orders = conn.execute(
        select(subscriber.c.id, subscriber.c.channel_order).where(subscriber.c.id.in_(people))
    )
    rows = conn.execute(
        select(contact_point)
        .where(
            contact_point.c.subscriber.in_(people),
            contact_point.c.channel.in_([each.value for each in channels]),
            contact_point.c.verified_at.is_not(None),
            contact_point.c.suspended_at.is_(None),
        )
        .order_by(contact_point.c.position, contact_point.c.id)
    )
    points: dict[tuple[int, ChannelName], list[Point]] = {}
    for row in rows:
        point = Point(row.id, row.subscriber, ChannelName(row.channel), row.address)
        points.setdefault((point.subscriber, point.channel), []).append(point)
    return NextChannels(channels, {row.id: row.channel_order for row in orders}, points)


def sharing(
    conn: Connection, channel: ChannelName, addresses: Collection[str]
) -> Mapping[int, tuple[int, str]]:
    """Every contact point with one of these addresses: whose it is, and the address."""
    rows = conn.execute(
        select(contact_point.c.id, contact_point.c.subscriber, contact_point.c.address).where(
            contact_point.c.channel == channel.value, contact_point.c.address.in_(addresses)
        )
    )
    return {row.id: (row.subscriber, row.address) for row in rows}
