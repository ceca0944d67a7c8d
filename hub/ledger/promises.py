# SPDX-License-Identifier: EUPL-1.2
"""What announcements were foreseen to cost in SMS when they were approved, so that a month's money
is not promised twice. In millionths of the currency SMS are billed in."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from hub.announcement import State
from hub.ledger.tables import announcement as table

_TO_LEAVE = (State.WAITING, State.SCHEDULED)


def promise(conn: Connection, number: int, cost: int) -> None:
    """Keep what an announcement that is approved takes."""
    conn.execute(update(table).where(table.c.id == number).values(promised=cost))


def to_leave(conn: Connection, authority: int, start: datetime, end: datetime) -> int:
    """What was approved and is to leave in [start, end), all together."""
    when = func.coalesce(table.c.publish_at, table.c.release_at)
    mine = (
        table.c.authority == authority,
        table.c.state.in_(_TO_LEAVE),
        when >= start,
        when < end,
    )
    asked = select(func.coalesce(func.sum(table.c.promised), 0)).where(*mine)
    return int(conn.execute(asked).scalar_one())


def of(conn: Connection, numbers: Sequence[int]) -> Mapping[int, int]:
    """By announcement, where something was promised."""
    known = (table.c.id.in_(numbers), table.c.promised.is_not(None))
    asked = select(table.c.id, table.c.promised).where(*known)
    return {row.id: row.promised for row in conn.execute(asked)}
