# SPDX-License-Identifier: EUPL-1.2
"""What a month has cost a town so far on a channel, with what is still on its way."""

from datetime import datetime

from sqlalchemy import Connection, select

from channels.base import ChannelName
from hub.ledger import announcements, measures, promises
from hub.ledger.announcements import UNSEEN
from hub.ledger.tables import announcement
from hub.reports.costs import MILLION, Tariff, besides
from hub.reports.progress import ChannelProgress, progress
from subscribers.catalogue import load_catalogue


def spent(  # noqa: PLR0917 (whose, on which channel, when, at which price)
    conn: Connection,
    authority: int,
    channel: ChannelName,
    start: datetime,
    end: datetime,
    tariff: Tariff,
) -> int:
    """Millionths of the channel's currency for what was published in [start, end): what ended as it
    was measured; what goes on as if all of it left, in the town's language; codes and digests one
    message each; SMS approved and still to leave in it as they were foreseen. Counts alone, never
    the deliveries.
    """
    theirs = (
        announcement.c.authority == authority,
        announcement.c.published >= start,
        announcement.c.published < end,
        announcement.c.source.not_in(UNSEEN),
    )
    numbers = list(conn.execute(select(announcement.c.id).where(*theirs)).scalars())
    measured = measures.load(conn, numbers)
    total = 0
    for each in measured.values():
        told = each.channels.get(channel)
        total += (told.cost or 0) if told else 0
    catalogue, leaving = load_catalogue(conn, authority), [n for n in numbers if n not in measured]
    promised = promises.of(conn, leaving) if channel is ChannelName.SMS else {}
    for number in leaving:
        about = announcements.by_id(conn, number)
        for run in (each for each in progress(conn, number) if each.channel is channel):
            one = tariff.of_one(about, catalogue, channel, catalogue.language)
            cost = _on_its_way(run) * (one or 0)
            total += max(cost, promised.get(number, 0)) if run.planning else cost
    if channel is ChannelName.SMS:
        total += promises.to_leave(conn, authority, start, end)
    prices = tariff.prices.get(channel)
    beside = besides(conn, authority, start, end).get(channel, 0)
    return total + beside * round((prices.each if prices else 0.0) * MILLION)


def _on_its_way(run: ChannelProgress) -> int:
    return run.total - run.not_sent - run.failed
