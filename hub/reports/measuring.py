# SPDX-License-Identifier: EUPL-1.2
"""What an announcement came to, taken from its deliveries while they are there."""

from collections.abc import Mapping

from sqlalchemy import Connection, func, select

from hub.announcement import Announcement
from hub.delivery import REACHED
from hub.ledger import announcements
from hub.ledger.measures import Measure, Told
from hub.ledger.tables import delivery, run
from hub.reports.costs import Tariff, costs, mine
from hub.reports.progress import ChannelProgress, progress
from hub.reports.summary import Reach, reach
from subscribers.catalogue import load_catalogue
from subscribers.crier import crier_of
from subscribers.tables import subscriber_zone


def measure(conn: Connection, number: int, tariff: Tariff) -> Measure:
    """Of a published announcement; a few scans of its deliveries, so away from any page.

    Where the deliveries were erased already (a ledger older than this table), people and costs are
    what the counts allow to say: the channel that carried most. Raises
    `sqlalchemy.exc.NoResultFound`.
    """
    about = announcements.by_id(conn, number)
    assert about.published is not None
    catalogue = load_catalogue(conn, about.authority)
    by_channel = {each.channel: each for each in progress(conn, number)}
    if _erased(conn, number):
        people = max((each.total for each in by_channel.values()), default=0)
        told = max((each.handed_over for each in by_channel.values()), default=0)
        found = Reach(people, told, None, None)
        spent = {
            name: (
                each.handed_over,
                _flat(tariff.of_one(about, catalogue, name, catalogue.language), each),
            )
            for name, each in by_channel.items()
        }
    else:
        found = reach(conn, about)
        spent = {
            each.channel: (each.billed, each.cost) for each in costs(conn, about, tariff, catalogue)
        }
    return Measure(
        announcement=number,
        authority=about.authority,
        published=about.published,
        people=found.people,
        reached=found.reached,
        median=found.median,
        slowest_in_twenty=found.slowest_in_twenty,
        channels={name: _told(each, *spent[name]) for name, each in by_channel.items()},
        zones=_zones(conn, about),
    )


def _flat(each: int | None, channel: ChannelProgress) -> int | None:
    return None if each is None else each * channel.handed_over


def _told(channel: ChannelProgress, billed: int, cost: int | None) -> Told:
    return Told(
        planned=channel.total,
        handed_over=channel.handed_over,
        received=channel.received,
        failed=channel.failed,
        not_sent=channel.not_sent,
        billed=billed,
        cost=cost,
    )


def _erased(conn: Connection, number: int) -> bool:
    retired = (run.c.announcement == number, run.c.retired.is_not(None))
    return conn.execute(select(run.c.id).where(*retired).limit(1)).first() is not None


def _zones(conn: Connection, about: Announcement) -> Mapping[int | None, int]:
    """People reached, by the zones they follow today."""
    where, crier = mine(conn, about.id), crier_of(conn, about.authority)
    if where is None:
        return {}
    told = (
        select(delivery.c.subscriber)
        .where(
            where,
            delivery.c.state.in_(sorted(REACHED)),
            delivery.c.subscriber != (crier or 0),
        )
        .distinct()
        .subquery()
    )
    lives = told.outerjoin(subscriber_zone, subscriber_zone.c.subscriber == told.c.subscriber)
    tally = select(subscriber_zone.c.zone, func.count()).select_from(lives)
    return {row[0]: row[1] for row in conn.execute(tally.group_by(subscriber_zone.c.zone))}
