# SPDX-License-Identifier: EUPL-1.2
"""Whom a message would reach and what they would have done with it, counted in one statement.

People alike in everything `preferences.decide` asks are one group, so the very rule of the send
foresees it. `audience` plans page by page, this counts a whole town at once; a test holds both
against the same rules in plain Python.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    exists,
    false,
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
"""Who would be told on one channel: its name, the person, the rank of their cadence, and whether
somebody else is told at the same address."""

_PERSON: Final = "person"  # these two stand where a channel's name does
_PLACE: Final = "place"
_A_MOMENT: Final = timedelta(seconds=1)


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
    whole town; somebody in two zones counts in both."""

    groups: Sequence[Alike]
    people: int
    by_zone: Mapping[int | None, int]


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
    groups = _groups(everybody, at)
    reached = (
        select(everybody.c.subscriber)
        .distinct()
        .join_from(everybody, subscriber, subscriber.c.id == everybody.c.subscriber)
        .where(not_(_silent(at, urgent=urgent)), true() if but is None else subscriber.c.id != but)
        .cte("reached")
    )
    blank = [null() for _ in range(len(groups.selected_columns) - 3)]
    people = select(literal(_PERSON), null(), *blank, func.count()).select_from(reached)
    lives = reached.outerjoin(subscriber_zone, subscriber_zone.c.subscriber == reached.c.subscriber)
    place = subscriber_zone.c.zone
    places = select(literal(_PLACE), place, *blank, func.count()).select_from(lives).group_by(place)
    rows: Sequence[Any] = conn.execute(union_all(groups, people, places)).all()
    return Foreseen(
        groups=[_alike(at, *row) for row in rows if row[0] not in (_PERSON, _PLACE)],
        people=next(row[-1] for row in rows if row[0] == _PERSON),
        by_zone={row[1]: row[-1] for row in rows if row[0] == _PLACE},
    )


def asked(query: AudienceQuery) -> Told:
    """Everybody of `audience.page_statement`, of the whole town at once."""
    people = _people(query)
    used = contact_point.alias("used")
    nth = func.row_number().over(partition_by=used.c.address, order_by=people.c.subscriber)
    return (
        select(
            literal(query.channel.value).label("channel"),
            people.c.subscriber,
            (people.c.rank if query.digestible else literal(0)).label("rank"),
            (nth > 1).label("duplicate"),
        )
        .join_from(people, used, used.c.subscriber == people.c.subscriber)
        .where(usable(used, query.channel))
    )


def missed(conn: Connection, query: AudienceQuery) -> Unreached:
    """Those who asked and whom this channel cannot reach."""
    people = _people(query)
    theirs = contact_point.alias("theirs")
    has = select(1).where(
        theirs.c.subscriber == people.c.subscriber, theirs.c.channel == query.channel.value
    )
    verified = has.where(theirs.c.verified_at.is_not(None))
    good = verified.where(theirs.c.suspended_at.is_(None))
    why = case(
        (exists(verified.correlate(people)), 2), (exists(has.correlate(people)), 1), else_=0
    ).label("why")
    few = select(why).select_from(people).where(~exists(good.correlate(people))).subquery()
    tally = select(few.c.why, func.count()).group_by(few.c.why)
    found = {row[0]: row[1] for row in conn.execute(tally)}
    return Unreached(found.get(2, 0), found.get(1, 0), found.get(0, 0))


def _people(query: AudienceQuery) -> Any:
    return (
        select(subscription.c.subscriber, func.min(cadence_rank(subscription)).label("rank"))
        .where(
            subscription.c.theme.in_(query.theme_lineage),
            subscription.c.channel == query.channel.value,
            _lives_there(query.zones),
        )
        .group_by(subscription.c.subscriber)
        .subquery("people")
    )


def usable(used: Any, channel: ChannelName) -> ColumnElement[bool]:
    """Whether a contact point is what its person is told on: any device, else the first address."""
    good = and_(
        used.c.channel == channel.value,
        used.c.verified_at.is_not(None),
        used.c.suspended_at.is_(None),
    )
    if channel is ChannelName.WEBPUSH:
        return good
    better = contact_point.alias("better")
    before = or_(
        better.c.position < used.c.position,
        and_(better.c.position == used.c.position, better.c.id < used.c.id),
    )
    rival = select(1).where(
        better.c.subscriber == used.c.subscriber,
        better.c.channel == channel.value,
        better.c.verified_at.is_not(None),
        better.c.suspended_at.is_(None),
        before,
    )
    return and_(good, ~exists(rival.correlate(used)))


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
    each = (
        select(
            everybody.c.channel,
            everybody.c.rank,
            everybody.c.duplicate,
            subscriber.c.language,
            subscriber.c.timezone,
            subscriber.c.quiet_start,
            subscriber.c.quiet_end,
            subscriber.c.urgent_breaks_quiet,
            _paused(at).label("paused"),
            subscriber.c.pause_keeps_urgent,
        )
        .join_from(everybody, subscriber, subscriber.c.id == everybody.c.subscriber)
        .subquery("each")
    )
    return select(*each.c, func.count()).group_by(*each.c)


def _paused(at: datetime) -> ColumnElement[bool]:
    until = subscriber.c.paused_until
    return case((and_(until.is_not(None), until > at), true()), else_=false())


def _silent(at: datetime, *, urgent: bool) -> ColumnElement[bool]:
    paused = and_(subscriber.c.paused_until.is_not(None), subscriber.c.paused_until > at)
    return and_(paused, not_(subscriber.c.pause_keeps_urgent)) if urgent else paused


def _alike(  # noqa: PLR0917 (a row, in the order it was selected)
    at: datetime,
    channel: str,
    rank: int,
    duplicate: bool,
    language: str,
    timezone: str,
    quiet_start: int | None,
    quiet_end: int | None,
    breaks: bool,
    paused: bool,
    keeps: bool,
    count: int,
) -> Alike:
    wants = Preference(
        verified=True,
        suspended=False,
        subscribed=True,
        cadence=CADENCES[rank],
        quiet=QuietHours.stored(quiet_start, quiet_end, timezone),
        urgent_breaks_quiet=bool(breaks),
        paused_until=at + _A_MOMENT if paused else None,
        pause_keeps_urgent=bool(keeps),
    )
    return Alike(ChannelName(channel), language, wants, bool(duplicate), count)
