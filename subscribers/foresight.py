# SPDX-License-Identifier: EUPL-1.2
"""Whom a message would reach and what they would have done with it, counted in one statement.

People alike in everything `preferences.decide` asks are one group, so the very rule of the send
foresees it. `audience` plans page by page, this counts a whole town at once; a test holds both
against the same rules in plain Python.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    exists,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    true,
    union_all,
)

from channels.base import ChannelName
from subscribers.audience import AudienceQuery
from subscribers.preferences import Preference, QuietHours
from subscribers.subscriptions import CADENCES, cadence_rank
from subscribers.tables import contact_point, subscriber, subscriber_zone, subscription

Told = Select[tuple[str, int, int, bool]]
"""Who asked to be told on one channel: its name, the person, the rank of their cadence (none where
it cannot reach them), and whether somebody else is told at the same address."""

_ALIKE, _PERSON, _PLACE, _MISSED = range(4)  # what a row of the one statement tells of
_A_MOMENT: Final = timedelta(seconds=1)
_A_DAY: Final = 2048  # more than the minutes of a day: two of them make one number
_NO_QUIET: Final = -1
_BREAKS, _PAUSED, _KEEPS, _FLAGS = 4, 2, 1, 8
_WAYS: Final = len(ChannelName) * len(CADENCES)


@dataclass(frozen=True, slots=True)
class Alike:
    """`count` contact points of one channel whose people read one language and want the same.

    `duplicate`: somebody else is told at the same address.
    """

    channel: ChannelName
    language: str
    preference: Preference
    duplicate: bool
    count: int


@dataclass(frozen=True, slots=True)
class Unreached:
    """Subscribed people a channel cannot reach, each counted once, under what comes nearest to
    reaching them."""

    suspended: int
    unverified: int
    no_contact_point: int


@dataclass(frozen=True, slots=True)
class Foreseen:
    """`people`, each once over all channels; `by_zone` by the zones they asked for, None being the
    whole town; somebody in two zones counts in both. `missed` has the channels that cannot reach
    somebody who asked."""

    groups: Sequence[Alike]
    people: int
    by_zone: Mapping[int | None, int]
    missed: Mapping[ChannelName, Unreached]


def foresee(
    conn: Connection,
    told: Sequence[Told],
    at: datetime,
    *,
    urgent: bool = False,
    but: int | None = None,
) -> Foreseen:
    """Count who would be told by a message that leaves `at`, one `told` a channel.

    Who takes a break is in a group, but is not one of the `people` reached; an `urgent` message
    reaches those who let it. `but` is no person: the town crier.
    """
    everybody = union_all(*told).cte("told")
    somebody = select(everybody.c.subscriber).where(everybody.c.rank.is_not(None))
    reached = (
        select(subscriber.c.id)
        .where(subscriber.c.id.in_(somebody), not_(_silent(at, urgent=urgent)))
        .where(true() if but is None else subscriber.c.id != but)
        .cte("reached")
    )
    people = select(literal(_PERSON), null(), null(), null(), func.count())
    lives = reached.outerjoin(subscriber_zone, subscriber_zone.c.subscriber == reached.c.id)
    place = subscriber_zone.c.zone
    places = select(literal(_PLACE), place, null(), null(), func.count())
    parts = (
        _groups(everybody, at),
        people.select_from(reached),
        places.select_from(lives).group_by(place),
        _missed(everybody),
    )
    found = defaultdict[int, list[Any]](list)
    row: Any  # of five columns, each of several types
    for row in conn.execute(union_all(*parts)):
        found[row[0]].append(row[1:])
    return Foreseen(
        groups=[_alike(at, *row) for row in found[_ALIKE]],
        people=found[_PERSON][0][-1],
        by_zone={row[0]: row[-1] for row in found[_PLACE]},
        missed=_unreached(found[_MISSED]),
    )


def _unreached(rows: Sequence[Sequence[Any]]) -> Mapping[ChannelName, Unreached]:
    lost = defaultdict[ChannelName, list[int]](lambda: [0, 0, 0])
    for why, channel, _, count in rows:
        lost[ChannelName(channel)][why] = count
    return {name: Unreached(*counts) for name, counts in lost.items()}


def asked(query: AudienceQuery) -> Told:
    """Everybody of `audience.page_statement`, of the whole town at once, and those it misses.

    Which of several good addresses is used matters only where two people share one: it is asked of
    those few.
    """
    people, used = _people(query), contact_point.alias("used")
    theirs = and_(used.c.subscriber == people.c.subscriber, _good(used, query.channel))
    every_point = query.channel is ChannelName.WEBPUSH
    reached = used.c.id.is_not(None) if every_point else exists().where(theirs).correlate(people)
    same = _doubled(query)
    told = select(
        literal(query.channel.value).label("channel"),
        people.c.subscriber,
        case((reached, people.c.rank if query.digestible else 0)).label("rank"),
        (
            used.c.id.in_(select(same.c.id))
            if every_point
            else people.c.subscriber.in_(select(same.c.subscriber))
        ).label("duplicate"),
    )
    return told.select_from(people.outerjoin(used, theirs) if every_point else people)


def _doubled(query: AudienceQuery) -> CTE:
    """The contact points at whose address somebody with a lower number is told already."""
    used, other = contact_point.alias("shared"), contact_point.alias("other")
    several = (
        select(other.c.address)
        .where(other.c.channel == query.channel.value)
        .group_by(other.c.address)
        .having(func.count() > 1)
    )
    wants = exists().where(subscription.c.subscriber == used.c.subscriber, _matches(query))
    nth = func.row_number().over(partition_by=used.c.address, order_by=used.c.subscriber)
    rows = (
        select(used.c.id, used.c.subscriber, nth.label("nth"))
        .where(usable(used, query.channel), used.c.address.in_(several), wants.correlate(used))
        .subquery()
    )
    twice = select(rows.c.id, rows.c.subscriber).where(rows.c.nth > 1)
    return twice.cte(f"doubled_{query.channel.value}")


def _missed(everybody: Any) -> Select[Any]:
    """Those who asked and whom the channel cannot reach, by what comes nearest to it."""
    theirs = contact_point.alias("theirs")
    has = exists().where(
        theirs.c.subscriber == everybody.c.subscriber, theirs.c.channel == everybody.c.channel
    )
    verified = has.where(theirs.c.verified_at.is_not(None))
    why = case((verified.correlate(everybody), 0), (has.correlate(everybody), 1), else_=2)
    few = (
        select(everybody.c.channel, why.label("why"))
        .where(everybody.c.rank.is_(None))
        .subquery("few")
    )
    told = select(literal(_MISSED), few.c.why, few.c.channel, null(), func.count())
    return told.group_by(few.c.channel, few.c.why)


def _people(query: AudienceQuery) -> Any:
    rank = cadence_rank(subscription)
    rows = select(subscription.c.subscriber, rank.label("rank")).where(_matches(query))
    if len(query.theme_lineage) > 1:
        rows = select(subscription.c.subscriber, func.min(rank).label("rank"))
        rows = rows.where(_matches(query)).group_by(subscription.c.subscriber)
    return rows.subquery("people")


def _matches(query: AudienceQuery) -> ColumnElement[bool]:
    theme = subscription.c.theme
    lineage = query.theme_lineage
    return and_(
        theme == lineage[0] if len(lineage) == 1 else theme.in_(lineage),
        subscription.c.channel == query.channel.value,
        _lives_there(query.zones),
    )


def usable(used: Any, channel: ChannelName) -> ColumnElement[bool]:
    """Whether a contact point is what its person is told on: any device, else the first address."""
    good = _good(used, channel)
    if channel is ChannelName.WEBPUSH:
        return good
    better = contact_point.alias("better")
    before = or_(
        better.c.position < used.c.position,
        and_(better.c.position == used.c.position, better.c.id < used.c.id),
    )
    rival = select(1).where(
        better.c.subscriber == used.c.subscriber, _good(better, channel), before
    )
    return and_(good, ~exists(rival.correlate(used)))


def _good(point: Any, channel: ChannelName) -> ColumnElement[bool]:
    return and_(
        point.c.channel == channel.value,
        point.c.verified_at.is_not(None),
        point.c.suspended_at.is_(None),
    )


def _lives_there(zones: tuple[int, ...] | None) -> ColumnElement[bool]:
    """Who named no place is told of all; one list of those who live elsewhere costs less than
    asking of each."""
    if zones is None:
        return true()
    here = func.max(case((subscriber_zone.c.zone.in_(zones), 1), else_=0))
    elsewhere = (
        select(subscriber_zone.c.subscriber)
        .group_by(subscriber_zone.c.subscriber)
        .having(here == 0)
    )
    return subscription.c.subscriber.not_in(elsewhere)


def _groups(everybody: Any, at: datetime) -> Select[Any]:
    """A database sorts what it groups: all that is no word is told in one number, not in ten
    columns. `_alike` reads it."""
    ranks = {name.value: place for place, name in enumerate(ChannelName)}
    way = case(ranks, value=everybody.c.channel) * len(CADENCES) + everybody.c.rank
    same = case((everybody.c.duplicate, 1), else_=0)
    each = (
        select(
            ((_wish(at) * _WAYS + way) * 2 + same).label("number"),
            subscriber.c.language,
            subscriber.c.timezone,
        )
        .join_from(everybody, subscriber, subscriber.c.id == everybody.c.subscriber)
        .where(everybody.c.rank.is_not(None))
        .subquery("each")
    )
    columns = each.c
    told = select(literal(_ALIKE), columns.number, columns.language, columns.timezone, func.count())
    return told.group_by(columns.number, columns.language, columns.timezone)


def _wish(at: datetime) -> ColumnElement[int]:
    until, person = subscriber.c.paused_until, subscriber.c
    flags: ColumnElement[int] = (
        case((person.urgent_breaks_quiet, _BREAKS), else_=0)
        + case((and_(until.is_not(None), until > at), _PAUSED), else_=0)
        + case((person.pause_keeps_urgent, _KEEPS), else_=0)
    )
    quiet = func.coalesce(person.quiet_start * _A_DAY + person.quiet_end, _NO_QUIET)
    return quiet * _FLAGS + flags


def _silent(at: datetime, *, urgent: bool) -> ColumnElement[bool]:
    paused = and_(subscriber.c.paused_until.is_not(None), subscriber.c.paused_until > at)
    return and_(paused, not_(subscriber.c.pause_keeps_urgent)) if urgent else paused


def _alike(at: datetime, number: int, language: str, timezone: str, count: int) -> Alike:
    rest, duplicate = divmod(number, 2)
    wish, way = divmod(rest, _WAYS)
    channel, rank = divmod(way, len(CADENCES))
    quiet, flags = divmod(wish, _FLAGS)
    wants = Preference(
        verified=True,
        suspended=False,
        subscribed=True,
        cadence=CADENCES[rank],
        quiet=None if quiet == _NO_QUIET else QuietHours(*divmod(quiet, _A_DAY), timezone),
        urgent_breaks_quiet=bool(flags & _BREAKS),
        paused_until=at + _A_MOMENT if flags & _PAUSED else None,
        pause_keeps_urgent=bool(flags & _KEEPS),
    )
    return Alike(tuple(ChannelName)[channel], language, wants, bool(duplicate), count)
