# SPDX-License-Identifier: EUPL-1.2
"""Which themes reach a person on which channel, how often, and how that stops."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, FromClause, case, delete, insert, select

from channels.base import ChannelName
from subscribers import consent
from subscribers.catalogue import Catalogue, Theme
from subscribers.preferences import Cadence
from subscribers.tables import subscription

CADENCES: Final = tuple(Cadence)  # most immediate first: a lower rank wins


def cadence_rank(table: FromClause = subscription) -> ColumnElement[int]:
    """A subscription's cadence as a number: the lower, the more immediate."""
    ranks = {cadence.value: rank for rank, cadence in enumerate(CADENCES)}
    return case(ranks, value=table.c.cadence)


def subscriptions_of(conn: Connection, person: int) -> tuple[tuple[int, ChannelName, Cadence], ...]:
    """What a person asked for, as (theme, channel, cadence), by theme then channel."""
    query = select(subscription.c.theme, subscription.c.channel, subscription.c.cadence)
    mine = query.where(subscription.c.subscriber == person)
    rows = conn.execute(mine.order_by(subscription.c.theme, subscription.c.channel))
    return tuple(
        (theme, ChannelName(channel), Cadence(cadence)) for theme, channel, cadence in rows
    )


def subscribe(
    conn: Connection,
    person: int,
    themes: Iterable[int],
    channel: ChannelName,
    *,
    cadence: Cadence,
    catalogue: Catalogue,
) -> None:
    """Have these themes reach a person on this channel at this cadence, replacing what they had
    for the same theme and channel. Raises `KeyError` for a theme of another authority."""
    wanted = sorted({catalogue.themes[theme].id for theme in themes})
    conn.execute(delete(subscription).where(_mine(person, wanted, channel)))
    rows = [
        {"subscriber": person, "theme": t, "channel": channel.value, "cadence": cadence.value}
        for t in wanted
    ]
    if rows:
        conn.execute(insert(subscription), rows)


def unsubscribe(
    conn: Connection,
    person: int,
    themes: Iterable[int],
    channel: ChannelName | None,
    *,
    catalogue: Catalogue,
    now: datetime,
) -> tuple[Theme, ...]:
    """Remove whatever made an announcement on `themes` reach a person: the subscription to a
    theme or to any wider one, on one channel or (None) on all.

    Returns the themes that stopped, which may be wider than those asked about. When nothing is
    left, consent ends too.
    """
    mine = _mine(person, catalogue.theme_lineage(themes), channel)
    stopped = set(conn.execute(select(subscription.c.theme).where(mine)).scalars())
    conn.execute(delete(subscription).where(mine))
    left = select(subscription.c.theme).where(subscription.c.subscriber == person).limit(1)
    if conn.execute(left).first() is None:
        consent.withdraw(conn, person, now)
    return tuple(theme for theme in catalogue.themes.values() if theme.id in stopped)


def drop(conn: Connection, person: int, themes: Iterable[int], channel: ChannelName) -> None:
    """Remove just these subscriptions, leaving wider themes and the consent as they are."""
    conn.execute(delete(subscription).where(_mine(person, sorted(set(themes)), channel)))


def stop_all(conn: Connection, person: int, now: datetime) -> None:
    """End every subscription and the consent: nothing reaches this person any more."""
    conn.execute(delete(subscription).where(subscription.c.subscriber == person))
    consent.withdraw(conn, person, now)


def _mine(person: int, themes: Sequence[int], channel: ChannelName | None) -> ColumnElement[bool]:
    mine = (subscription.c.subscriber == person) & subscription.c.theme.in_(themes)
    return mine if channel is None else mine & (subscription.c.channel == channel.value)
