# SPDX-License-Identifier: EUPL-1.2
"""Deliveries over time since an announcement was published: how many had left, how many arrived."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import ColumnElement, Connection, func, select

from channels.base import ChannelName
from hub.announcement import Announcement
from hub.delivery import REACHED, DeliveryState
from hub.ledger.tables import delivery, run
from hub.reports.costs import mine
from subscribers.tables import to_ms

POINTS: Final = 60
_SHOWN: Final = 98  # of a hundred: the last few may take days, and would flatten the rest
_MS: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Curve:
    """`after` are waits since publication, ascending; each channel has as many counts, of all that
    had left (`handed_over`) or arrived (`received`) by then. The last wait is that of the very
    last message: the step before it may be far shorter. Empty where nothing left yet."""

    after: tuple[timedelta, ...]
    handed_over: Mapping[ChannelName, tuple[int, ...]]
    received: Mapping[ChannelName, tuple[int, ...]]


EMPTY: Final = Curve((), {}, {})


def curve(conn: Connection, announcement: Announcement) -> Curve:
    """At most `POINTS` steps, two grouped scans of its deliveries: for a report, not for a page
    that refreshes."""
    where = mine(conn, announcement.id)
    if where is None or announcement.published is None:
        return EMPTY
    start = to_ms(announcement.published)
    reached = (where, delivery.c.state.in_(sorted(REACHED)))
    count, last = conn.execute(select(func.count(), func.max(delivery.c.at)).where(*reached)).one()
    if not count:
        return EMPTY
    rank = min(count * _SHOWN // 100, count - 1)
    most = select(delivery.c.at).where(*reached).order_by(delivery.c.at).offset(rank).limit(1)
    width = max((conn.execute(most).scalar_one() - start) // (POINTS - 2), 0) + 1
    left = func.coalesce(delivery.c.since, delivery.c.at)
    went = _buckets(conn, reached, left, start, width)
    came = (where, delivery.c.state == DeliveryState.DELIVERED)
    arrived = _buckets(conn, came, delivery.c.at, start, width)
    after = [(step + 1) * width * _MS for step in range(POINTS - 1)]
    steps = 1 + max(step for found in (went, arrived) for by in found.values() for step in by)
    shown = after[: min(steps, POINTS - 1)]
    if steps > len(shown):
        shown.append(max((last - start) * _MS, shown[-1] + _MS))
    return Curve(
        tuple(shown),
        {name: _sums(by, len(shown)) for name, by in went.items()},
        {name: _sums(by, len(shown)) for name, by in arrived.items()},
    )


def _buckets(
    conn: Connection,
    where: Sequence[ColumnElement[bool]],
    moment: ColumnElement[int],
    start: int,
    width: int,
) -> Mapping[ChannelName, Mapping[int, int]]:
    """How many in each step, by channel; whatever is later than the last stands in the last."""
    step = (moment - start) // width
    query = (
        select(run.c.channel, step.label("step"), func.count().label("n"))
        .select_from(delivery)
        .join(run, run.c.id == delivery.c.run)
        .where(*where)
        .group_by(run.c.channel, step)
    )
    found: dict[ChannelName, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for row in conn.execute(query):
        found[ChannelName(row.channel)][min(max(row.step, 0), POINTS - 1)] += row.n
    return found


def _sums(by_step: Mapping[int, int], steps: int) -> tuple[int, ...]:
    total, sums = 0, []
    for step in range(steps):
        total += by_step.get(step, 0)
        sums.append(total)
    return tuple(sums)
