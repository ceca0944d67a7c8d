# SPDX-License-Identifier: EUPL-1.2
"""What became of an announcement: its counts, how long it took, and how many people it reached."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, case, func, select

from hub.announcement import Announcement, State
from hub.delivery import REACHED
from hub.ledger import announcements, stand_ins
from hub.ledger.tables import announcement as announcement_table
from hub.ledger.tables import delivery, run
from hub.reports.progress import ChannelProgress, progress
from subscribers.crier import crier_of
from subscribers.tables import from_ms


@dataclass(frozen=True, slots=True)
class Summary:
    """An announcement with its progress; `elapsed` runs from publication to its end, or to now.

    `finished` is None while anything may still leave; `approved_by` where somebody had to.
    `elsewhere` counts the messages sent on another channel than the first, for want of certain
    arrival there.
    """

    announcement: Announcement
    approved_by: str | None
    finished: datetime | None
    elapsed: timedelta | None
    channels: tuple[ChannelProgress, ...]
    elsewhere: int = 0


@dataclass(frozen=True, slots=True)
class Reach:
    """People, each counted once over all channels, and how long they waited for their message. The
    town's own account is nobody.

    A delay runs from publication to the provider's last word; None where nobody was reached.
    """

    people: int
    reached: int
    median: timedelta | None
    slowest_in_twenty: timedelta | None  # 95 % had it by then


def summary(conn: Connection, announcement_id: int, now: datetime) -> Summary:
    """A few small reads, however many people it went to.

    Raises `sqlalchemy.exc.NoResultFound`.
    """
    announcement = announcements.by_id(conn, announcement_id)
    row = conn.execute(
        select(announcement_table.c.finished, announcement_table.c.approved_by).where(
            announcement_table.c.id == announcement_id
        )
    ).one()
    match announcement.state:
        case State.FINISHED:
            end = row.finished
        case State.CANCELLED:
            end = announcement.cancelled_at
        case _:
            end = None
    start = announcement.published
    return Summary(
        announcement=announcement,
        approved_by=row.approved_by,
        finished=end,
        elapsed=None if start is None else (end or now) - start,
        channels=progress(conn, announcement_id),
        elsewhere=stand_ins.how_many(conn, announcement_id),
    )


def sent_elsewhere(conn: Connection, announcement_id: int) -> int:
    """How many messages were sent on another channel than the first."""
    return stand_ins.how_many(conn, announcement_id)


_REACHED: Final = delivery.c.state.in_(sorted(REACHED))


def reach(conn: Connection, announcement: Announcement) -> Reach:
    """People and delays, from the deliveries themselves: a scan, for a report and not for a
    page that refreshes."""
    rows = conn.execute(
        select(run.c.id, run.c.first_delivery).where(
            run.c.announcement == announcement.id, run.c.first_delivery.is_not(None)
        )
    ).all()
    if not rows or announcement.published is None:
        return Reach(0, 0, None, None)
    mine = and_(
        delivery.c.run.in_([row.id for row in rows]),
        delivery.c.id >= min(row.first_delivery for row in rows),
    )
    somebody = delivery.c.subscriber != (crier_of(conn, announcement.authority) or 0)
    who = func.count(case((somebody, delivery.c.subscriber)).distinct())
    told = func.count(case((and_(somebody, _REACHED), delivery.c.subscriber)).distinct())
    arrived = func.sum(case((_REACHED, 1), else_=0))
    people, reached, arrivals = conn.execute(select(who, told, arrived).where(mine)).one()
    return Reach(
        people,
        reached,
        _delay(conn, mine, announcement.published, arrivals * 50 // 100) if arrivals else None,
        _delay(conn, mine, announcement.published, arrivals * 95 // 100) if arrivals else None,
    )


def _delay(
    conn: Connection, mine: ColumnElement[bool], published: datetime, rank: int
) -> timedelta:
    """The wait of the arrival that `rank` others preceded."""
    at = select(delivery.c.at).where(mine, _REACHED).order_by(delivery.c.at).offset(rank).limit(1)
    return from_ms(conn.execute(at).scalar_one()) - published
