# SPDX-License-Identifier: EUPL-1.2
"""What an announcement will cost before it leaves: readers by language, and one copy's price."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

from sqlalchemy import Connection, func, select

from channels.base import EmailText, PostText, PushText, SmsText, Text
from subscribers.audience import AudienceQuery, page_statement
from subscribers.tables import subscriber
from templates import gsm

_EVERYBODY = 2**62


@dataclass(frozen=True, slots=True)
class Prices:
    """What a provider takes: for an SMS segment, a post, a letter. 0 is a price nobody set."""

    each: float
    with_link: float  # for a post; elsewhere the same as `each`
    currency: str


def readers(conn: Connection, query: AudienceQuery) -> Mapping[str, int]:
    """The messages a channel will carry, by the language of who reads them.

    Their sum is `audience.counts(...).deliveries` of the same query.
    """
    page = page_statement(query, 0, _EVERYBODY).order_by(None).subquery()
    tally = (
        select(subscriber.c.language, func.count())
        .join_from(page, subscriber, subscriber.c.id == page.c.subscriber)
        .where(~page.c.duplicate)
        .group_by(subscriber.c.language)
        .order_by(subscriber.c.language)
    )
    return {row[0]: row[1] for row in conn.execute(tally)}


def cost_of_one(text: Text, prices: Prices) -> float | None:
    """The cost of one copy, or None where its price is not set."""
    match text:
        case SmsText():
            cost = gsm.segments(text.body).count * prices.each
        case PostText():
            cost = sum(prices.with_link if "://" in post else prices.each for post in text.posts)
        case EmailText() | PushText():
            cost = prices.each
        case _:  # pragma: no cover
            assert_never(text)
    return cost or None
