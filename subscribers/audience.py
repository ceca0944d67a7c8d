# SPDX-License-Identifier: EUPL-1.2
"""The people an announcement should reach on one channel, in pages for the planner.

Everything is one plain SELECT in subscriber order, so the planner can put it into an
INSERT ... SELECT without a person passing through Python.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    and_,
    exists,
    func,
    literal,
    or_,
    select,
    union,
)

from channels.base import ChannelName
from subscribers.preferences import Cadence
from subscribers.subscriptions import cadence_rank
from subscribers.tables import contact_point, subscriber_zone, subscription


@dataclass(frozen=True, slots=True)
class AudienceQuery:
    """Who is meant, on one channel.

    `theme_lineage` and `zones` are `Catalogue.theme_lineage` and `Catalogue.zone_reach` of what
    the officer chose (None: everybody). `digestible` is false for urgent and important messages:
    everybody's cadence is then "now".
    """

    authority: int
    theme_lineage: tuple[int, ...]
    zones: tuple[int, ...] | None
    channel: ChannelName
    digestible: bool


def page_end(
    conn: Connection, query: AudienceQuery, after: int, until: int, limit: int
) -> int | None:
    """The highest number of the next page: at most `limit` people with `after` < number <=
    `until`; None when there is nobody left.

    Each theme of the lineage gives its next `limit` people in order, and the page is the first
    `limit` of them all: a page costs its own size, however many people follow.
    """
    nexts = [
        select(
            _asked(query, subscription, (theme,), after, until)
            .order_by(subscription.c.subscriber)
            .limit(limit)
            .subquery()
        )
        for theme in query.theme_lineage
    ]
    merged = union(*nexts).subquery()
    page = select(merged.c.subscriber).order_by(merged.c.subscriber).limit(limit).subquery()
    end: int | None = conn.execute(select(func.max(page.c.subscriber))).scalar_one()
    return end


def page_statement(
    query: AudienceQuery, after: int, until: int
) -> Select[tuple[int, int, str, bool]]:
    """The deliveries of everybody with `after` < number <= `until`, in subscriber order.

    Columns: subscriber, contact_point, cadence ("now", "daily", "weekly"; the most immediate of
    the subscriptions that match) and duplicate (somebody with a lower number, in this same
    audience, is told at the same address). One row a person, but for web push: one a device.
    """
    people = _people(query, after, until)
    usable = contact_point.alias("used")
    cadence = people.c.cadence if query.digestible else literal(Cadence.NOW.value)
    return (
        select(
            people.c.subscriber.label("subscriber"),
            usable.c.id.label("contact_point"),
            cadence.label("cadence"),
            _told_already(query, usable).label("duplicate"),
        )
        .join_from(people, usable, usable.c.subscriber == people.c.subscriber)
        .where(_chosen(query.channel, usable))
        .order_by(people.c.subscriber)
    )


def _people(query: AudienceQuery, after: int, until: int) -> FromClause:
    """Each person once, with their most immediate cadence.

    Of several subscriptions that match, the row without a better one is kept. A GROUP BY would
    say so more shortly, but SQLite then stores the groups and may scan every contact point.
    """
    rows = _asked(query, subscription, query.theme_lineage, after, until)
    rows = rows.add_columns(subscription.c.cadence)
    if len(query.theme_lineage) > 1:
        better = subscription.alias("better")
        mine, theirs = cadence_rank(subscription), cadence_rank(better)
        rival = select(1).where(
            better.c.subscriber == subscription.c.subscriber,
            better.c.channel == query.channel.value,
            better.c.theme.in_(query.theme_lineage),
            or_(theirs < mine, and_(theirs == mine, better.c.theme < subscription.c.theme)),
        )
        rows = rows.where(~exists(rival.correlate(subscription)))
    return rows.subquery("people")


def _asked(
    query: AudienceQuery, table: FromClause, themes: Sequence[int], after: int, until: int
) -> Select[tuple[int]]:
    return select(table.c.subscriber).where(
        _matches(query, table, themes), table.c.subscriber > after, table.c.subscriber <= until
    )


def _matches(query: AudienceQuery, table: FromClause, themes: Sequence[int]) -> ColumnElement[bool]:
    """Asked for one of `themes` on the channel, and lives where it happens."""
    theme = table.c.theme == themes[0] if len(themes) == 1 else table.c.theme.in_(themes)
    asked = and_(theme, table.c.channel == query.channel.value)
    if query.zones is None:
        return asked
    lives = subscriber_zone.alias()
    mine = select(1).where(lives.c.subscriber == table.c.subscriber).correlate(table)
    return and_(asked, or_(~exists(mine), exists(mine.where(lives.c.zone.in_(query.zones)))))


def _usable(channel: ChannelName, point: FromClause) -> ColumnElement[bool]:
    return and_(
        point.c.channel == channel.value,
        point.c.verified_at.is_not(None),
        point.c.suspended_at.is_(None),
    )


def _chosen(channel: ChannelName, point: FromClause) -> ColumnElement[bool]:
    """Usable, and the one this person is told on: any device for web push, else the first."""
    if channel is ChannelName.WEBPUSH:
        return _usable(channel, point)
    better = contact_point.alias()
    before = or_(
        better.c.position < point.c.position,
        and_(better.c.position == point.c.position, better.c.id < point.c.id),
    )
    rival = and_(better.c.subscriber == point.c.subscriber, _usable(channel, better), before)
    return and_(_usable(channel, point), ~exists(select(1).where(rival).correlate(point)))


def _told_already(query: AudienceQuery, point: FromClause) -> ColumnElement[bool]:
    """Whether a person with a lower number is told at the same address in the same run."""
    theirs, asked = contact_point.alias("theirs"), subscription.alias("asked")
    matches = _matches(query, asked, query.theme_lineage)
    # Nested, not joined: without statistics SQLite would walk every subscription for each row.
    subscribed = select(1).where(asked.c.subscriber == theirs.c.subscriber, matches)
    told = select(1).where(
        theirs.c.address == point.c.address,
        theirs.c.subscriber < point.c.subscriber,
        _chosen(query.channel, theirs),
        exists(subscribed.correlate(theirs)),
    )
    return exists(told.correlate(point))
