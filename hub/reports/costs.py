# SPDX-License-Identifier: EUPL-1.2
"""What an announcement cost: every message the provider took, at the price of its text.

A message that was not delivered is billed all the same (UX.md 6): Twilio bills what it took. What
a digest carried cost nothing of its own; the digest did.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select

from channels.base import ChannelName, PostText, Text
from hub.announcement import Announcement
from hub.delivery import REACHED, DeliveryState
from hub.ledger.announcements import UNSEEN
from hub.ledger.database import AnyRow
from hub.ledger.tables import announcement as announcement_table
from hub.ledger.tables import delivery, delivery_count, digest_item, run
from hub.pricing import Prices, cost_of_one
from subscribers.catalogue import Catalogue
from subscribers.tables import subscriber

MILLION: Final = 1_000_000
Printed = Callable[[Announcement, Catalogue, ChannelName, str], Text | None]
"""An announcement's text on a channel for a reader of a language; None where it prints no more."""


@dataclass(frozen=True, slots=True)
class Tariff:
    """What messages cost now: prices, and the texts that say how many segments each takes."""

    prices: Mapping[ChannelName, Prices]
    printed: Printed

    def of_one(
        self,
        announcement: Announcement,
        catalogue: Catalogue,
        channel: ChannelName,
        language: str,
        part: int = 0,
    ) -> int | None:
        """One message in millionths, or one post of a thread; None where no price is set."""
        if not self.prices_at_all(channel):
            return None
        prices = self.prices[channel]
        text = self.printed(announcement, catalogue, channel, language)
        if text is None:  # a template was changed since: the least it can have cost
            return round(prices.each * MILLION)
        if isinstance(text, PostText):
            text = PostText(text.posts[part : part + 1])
        return round((cost_of_one(text, prices) or 0) * MILLION)

    def prices_at_all(self, channel: ChannelName) -> bool:
        """Whether somebody set what a message of this channel costs."""
        prices = self.prices.get(channel)
        return prices is not None and bool(prices.each or prices.with_link)

    def currency(self, channel: ChannelName) -> str:
        """Of the channel's price: euros, but for X."""
        prices = self.prices.get(channel)
        return prices.currency if prices else "EUR"


@dataclass(frozen=True, slots=True)
class Cost:
    """One channel's: how many messages were billed, and their cost in millionths of `currency`;
    None where no price is set."""

    channel: ChannelName
    billed: int
    cost: int | None
    currency: str


def costs(
    conn: Connection, announcement: Announcement, tariff: Tariff, catalogue: Catalogue
) -> tuple[Cost, ...]:
    """By channel, in the order its runs were made. A scan of its deliveries: for a report, and for
    the measure that is kept. Whoever was erased since counts in the town's language.
    """
    billed: dict[ChannelName, Counter[tuple[str, int]]] = defaultdict(Counter)
    for row in _billed(conn, announcement.id):
        key = row.language or catalogue.language, row.part
        billed[ChannelName(row.channel)][key] += row.n
    found = []
    for channel in _channels(conn, announcement.id):
        total = 0
        for (language, part), n in billed[channel].items():
            total += n * (tariff.of_one(announcement, catalogue, channel, language, part) or 0)
        known = total if tariff.prices_at_all(channel) else None
        currency = tariff.currency(channel)
        found.append(Cost(channel, billed[channel].total(), known, currency))
    return tuple(found)


def _channels(conn: Connection, number: int) -> list[ChannelName]:
    mine = select(run.c.channel).where(run.c.announcement == number).order_by(run.c.id)
    return [ChannelName(name) for name in conn.execute(mine).scalars()]


TAKEN: Final = or_(
    delivery.c.state.in_(sorted(REACHED)),
    and_(delivery.c.state == DeliveryState.FAILED, delivery.c.ref.is_not(None)),
)
"""The provider has it, or had it and failed: it gave a reference, and bills it."""


def mine(conn: Connection, number: int) -> ColumnElement[bool] | None:
    """Where an announcement's deliveries stand; None where it has none (any more)."""
    rows = conn.execute(
        select(run.c.id, run.c.first_delivery).where(
            run.c.announcement == number, run.c.first_delivery.is_not(None)
        )
    ).all()
    if not rows:
        return None
    return and_(
        delivery.c.run.in_([row.id for row in rows]),
        delivery.c.id >= min(row.first_delivery for row in rows),
    )


def _billed(conn: Connection, number: int) -> Iterable[AnyRow]:
    """Rows of channel, language (None: nobody's any more), part and n."""
    where = mine(conn, number)
    if where is None:
        return ()
    gathered = exists(select(1).where(digest_item.c.item == delivery.c.id).correlate(delivery))
    language = subscriber.c.language
    query = (
        select(run.c.channel, language, delivery.c.part, func.count().label("n"))
        .select_from(delivery)
        .join(run, run.c.id == delivery.c.run)
        .join(subscriber, subscriber.c.id == delivery.c.subscriber, isouter=True)
        .where(where, TAKEN, ~gathered)
        .group_by(run.c.channel, language, delivery.c.part)
    )
    return conn.execute(query).all()


# --------------------------------------------------------------------------- beside announcements


def besides(
    conn: Connection, authority: int, start: datetime, end: datetime
) -> Mapping[ChannelName, int]:
    """Messages of [start, end) that tell no announcement: digests, codes, links, trials. Their
    texts are personal and not kept, so each counts as one, by the counts alone."""
    sent = (DeliveryState.ACCEPTED, DeliveryState.DELIVERED)
    query = (
        select(run.c.channel, func.sum(delivery_count.c.n))
        .join_from(announcement_table, run, run.c.announcement == announcement_table.c.id)
        .join(delivery_count, delivery_count.c.run == run.c.id)
        .where(
            announcement_table.c.authority == authority,
            announcement_table.c.published >= start,
            announcement_table.c.published < end,
            announcement_table.c.source.in_(UNSEEN),
            delivery_count.c.state.in_(sent),
        )
        .group_by(run.c.channel)
    )
    return {ChannelName(name): int(n) for name, n in conn.execute(query)}
