# SPDX-License-Identifier: EUPL-1.2
"""What an announcement will cost before it leaves: readers by language, and one copy's price."""

from collections.abc import Mapping

from sqlalchemy import Connection, func, select

from hub.pricing import Prices, cost_of_one
from subscribers.audience import AudienceQuery, page_statement
from subscribers.tables import subscriber

__all__ = ["Prices", "cost_of_one", "readers"]

_EVERYBODY = 2**62


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
