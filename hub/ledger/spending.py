# SPDX-License-Identifier: EUPL-1.2
"""What was taken from a channel's monthly budget: a row a post, so that a restart forgets none."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select

from channels.base import ChannelName
from hub.ledger.tables import spending


@dataclass(frozen=True, slots=True)
class Spent:
    """Posts, and millionths of the currency they are billed in."""

    posts: int
    cost: int


def spent(conn: Connection, channel: ChannelName, month: str) -> Spent:
    """What a month ("2026-11") has cost so far, with what is being posted."""
    mine = (spending.c.channel == channel, spending.c.month == month)
    counted = select(func.count(), func.coalesce(func.sum(spending.c.cost), 0)).where(*mine)
    posts, cost = conn.execute(counted).one()
    return Spent(posts, cost)


def spend(conn: Connection, channel: ChannelName, month: str, delivery: int, cost: int) -> None:
    """Take one post's cost; a post that is tried again costs once."""
    give_back(conn, delivery)
    row = {"delivery": delivery, "channel": channel, "month": month, "cost": cost}
    conn.execute(insert(spending).values(**row))


def give_back(conn: Connection, delivery: int) -> None:
    """It did not leave."""
    conn.execute(delete(spending).where(spending.c.delivery == delivery))
