# SPDX-License-Identifier: EUPL-1.2
"""How many people a town tells, by theme, place and channel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, exists, func, or_, select

from channels.base import ChannelName
from subscribers.catalogue import Catalogue
from subscribers.crier import crier_of
from subscribers.tables import subscriber, subscriber_zone, subscription


@dataclass(frozen=True, slots=True)
class People:
    """`total` counts each person with a subscription once; so does each theme's own number beside
    its channels'. Zones are what people asked for, None being the whole town."""

    total: int
    themes: Mapping[int, int]
    by_channel: Mapping[tuple[int, ChannelName], int]
    zones: Mapping[int | None, int]
    channels: Mapping[ChannelName, int]


def people(conn: Connection, catalogue: Catalogue, place: int | None = None) -> People:
    """The subscribers of a town; with `place` (a zone's number) those whom an announcement for it
    reaches. The town's own account on X is nobody."""
    mine = _mine(conn, catalogue, place)
    asks = _asking(conn, catalogue, mine if place is not None else ())
    theme, channel = subscription.c.theme, subscription.c.channel
    cells = select(theme, channel, func.count()).where(*asks).group_by(theme, channel)
    who = func.count(subscription.c.subscriber.distinct())
    themed = select(theme, who).where(*asks).group_by(theme)
    everybody, *ways = conn.execute(_by_person(asks)).one()
    return People(
        total=everybody,
        themes={row[0]: row[1] for row in conn.execute(themed)},
        by_channel={(row[0], ChannelName(row[1])): row[2] for row in conn.execute(cells)},
        zones=_zones(conn, mine),
        channels={name: n for name, n in zip(ChannelName, ways, strict=True) if n},
    )


def _asking(
    conn: Connection, catalogue: Catalogue, mine: Sequence[ColumnElement[bool]]
) -> Sequence[ColumnElement[bool]]:
    """The subscriptions of a town, whose themes are its own: its people need not be asked, but
    where only some of them are meant."""
    found: list[ColumnElement[bool]] = [subscription.c.theme.in_(catalogue.themes)]
    crier = crier_of(conn, catalogue.authority)
    if crier is not None:
        found.append(subscription.c.subscriber != crier)
    if mine:
        found.append(subscription.c.subscriber.in_(select(subscriber.c.id).where(*mine)))
    return found


def _by_person(asks: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """How many people, then how many on each channel: each counts once."""
    has = [
        func.max(case((subscription.c.channel == name.value, 1), else_=0)).label(name.value)
        for name in ChannelName
    ]
    each = select(*has).where(*asks).group_by(subscription.c.subscriber).subquery()
    return select(func.count(), *(func.coalesce(func.sum(way), 0) for way in each.c))


def total(conn: Connection, catalogue: Catalogue) -> int:
    """How many people subscribe to anything of the town's: for a page opened often."""
    mine = (*_mine(conn, catalogue, None), _asks())
    return int(conn.execute(select(func.count()).select_from(subscriber).where(*mine)).scalar_one())


def _asks() -> ColumnElement[bool]:
    """Whether a person has a subscription at all."""
    theirs = select(1).where(subscription.c.subscriber == subscriber.c.id)
    return exists(theirs.correlate(subscriber))


def _mine(
    conn: Connection, catalogue: Catalogue, place: int | None
) -> Sequence[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [subscriber.c.authority == catalogue.authority]
    crier = crier_of(conn, catalogue.authority)
    if crier is not None:
        found.append(subscriber.c.id != crier)
    if place is not None:
        lives = select(1).where(subscriber_zone.c.subscriber == subscriber.c.id)
        reach = subscriber_zone.c.zone.in_(catalogue.zone_reach([place]))
        found.append(
            or_(
                ~exists(lives.correlate(subscriber)),
                exists(lives.where(reach).correlate(subscriber)),
            )
        )
    return found


def _zones(conn: Connection, mine: Sequence[ColumnElement[bool]]) -> Mapping[int | None, int]:
    query = (
        select(subscriber_zone.c.zone, func.count())
        .select_from(subscriber)
        .outerjoin(subscriber_zone, subscriber_zone.c.subscriber == subscriber.c.id)
        .where(and_(*mine), _asks())
        .group_by(subscriber_zone.c.zone)
    )
    return {row[0]: row[1] for row in conn.execute(query)}
