# SPDX-License-Identifier: EUPL-1.2
"""A sending process's claim to life, and what becomes of its rows when it dies.

ENGINE.md 4.7 and 4.10.

Embedded: the lock on the data folder is the lease; wall time never ends it, only the death of the
process does. Whoever holds the lock may therefore declare every older lease dead.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Connection, select, tuple_, update

from channels.base import Reason
from hub.delivery import DeliveryState
from hub.ledger import deliveries
from hub.ledger.database import AnyRow
from hub.ledger.runs import Run, by_id
from hub.ledger.tables import delivery, lease
from subscribers.tables import to_ms

Wait = Callable[[Run], int]
"""How many milliseconds a row of this run stays in doubt before it is looked at."""

_PAGE = 1_000_000_000  # recovery takes all: nothing is sent before it is done


def take(conn: Connection, process: str, now: datetime) -> int:
    """A new lease."""
    result = conn.execute(lease.insert().values(process=process, started=now, dead=False))
    assert result.inserted_primary_key is not None
    return int(result.inserted_primary_key[0])


def touch(conn: Connection, lease_id: int) -> None:
    """Write a lease as it is: the commit that follows tells whether the disk still takes one."""
    conn.execute(update(lease).where(lease.c.id == lease_id).values(dead=lease.c.dead))


def bury(conn: Connection) -> None:
    """Mark every lease dead. Only for the holder of the folder's lock, before it takes its own."""
    conn.execute(update(lease).where(~lease.c.dead).values(dead=True))


def recover(conn: Connection, now: datetime, wait: Wait) -> int:
    """Put what dead leases had reserved into doubt. Returns how many rows."""
    dead = select(lease.c.id).where(lease.c.dead)
    return _doubt(
        conn,
        deliveries.rows_where(
            conn,
            delivery.c.state == DeliveryState.RESERVED,
            delivery.c.lease.in_(dead),
            limit=_PAGE,
        ),
        now,
        wait,
    )


def strays(conn: Connection, lease_id: int, held: set[int]) -> set[tuple[int, int]]:
    """(delivery, round) of what stands reserved under a living lease, outside its windows."""
    mine = select(delivery.c.id, delivery.c.round).where(
        delivery.c.state == DeliveryState.RESERVED, delivery.c.lease == lease_id
    )
    return {(row.id, row.round) for row in conn.execute(mine) if row.id not in held}


def doubt_strays(
    conn: Connection, lease_id: int, found: set[tuple[int, int]], now: datetime, wait: Wait
) -> int:
    """Put these into doubt, where they still stand as they were found.

    Such a row was reserved by a commit whose reply was lost (ENGINE.md 4.10).
    """
    rows = deliveries.rows_where(
        conn,
        delivery.c.state == DeliveryState.RESERVED,
        delivery.c.lease == lease_id,
        tuple_(delivery.c.id, delivery.c.round).in_(found),
        limit=_PAGE,
    )
    return _doubt(conn, rows, now, wait)


def _doubt(conn: Connection, rows: Sequence[AnyRow], now: datetime, wait: Wait) -> int:
    moment = to_ms(now)
    by_run: dict[int, list[AnyRow]] = {}
    for row in rows:
        by_run.setdefault(row.run, []).append(row)
    for run_id, mine in by_run.items():
        deliveries.move(
            conn,
            mine,
            DeliveryState.DOUBT,
            at=moment,
            reason=Reason.CRASHED,
            due=moment + wait(by_id(conn, run_id)),
            crashes=delivery.c.crashes + 1,
            maybe=True,
        )
    return len(rows)
