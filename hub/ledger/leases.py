# SPDX-License-Identifier: EUPL-1.2
"""A sending process's claim to life, and what becomes of its rows when it dies.

ENGINE.md 4.7 and 4.10, decision 0011.

A lease ends with its process (whoever then takes the lock on the data folder declares every older
one dead) or when it was not renewed in time. That time counts on the machine's steady clock, which
all processes share and no wall clock moves: milliseconds, written `steady`.
"""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, bindparam, or_, select, tuple_, update

from channels.base import Reason
from hub.clock import boot_id
from hub.delivery import DeliveryState
from hub.ledger import deliveries, late, receipts
from hub.ledger.database import AnyRow
from hub.ledger.runs import Run, by_id
from hub.ledger.tables import delivery, lease
from subscribers.tables import to_ms

Wait = Callable[[Run], int]
"""How many milliseconds a row of this run stays in doubt before it is looked at."""

_DEAD = select(lease.c.id).where(lease.c.dead)
_PAGE = 1_000_000_000  # recovery takes all: nothing is sent before it is done


_LIVES = select(lease.c.id).where(  # built once: every transaction of upkeep asks it
    lease.c.id == bindparam("lease"), ~lease.c.dead, lease.c.alive_until > bindparam("steady")
)


class LeaseEndedError(Exception):
    """Whoever asked may not write any more: its lease ran out, or another took over."""


def take(conn: Connection, process: str, now: datetime, alive_until: int | None = None) -> int:
    """A new lease, good until then; without an end it never runs out and cannot be renewed."""
    values = {"process": process, "started": now, "boot": boot_id(), "alive_until": alive_until}
    result = conn.execute(lease.insert().values(**values, dead=False))
    assert result.inserted_primary_key is not None
    return int(result.inserted_primary_key[0])


def renew(conn: Connection, lease_id: int, steady: int, alive_until: int) -> bool:
    """Live on until then. False where it is too late: run out, or declared dead."""
    renewed = conn.execute(
        update(lease)
        .where(lease.c.id == lease_id, ~lease.c.dead, lease.c.alive_until > steady)
        .values(alive_until=alive_until)
    )
    return renewed.rowcount == 1


def lives(conn: Connection, lease_id: int, steady: int) -> bool:
    """Whether it is neither dead nor run out."""
    return conn.execute(_LIVES, {"lease": lease_id, "steady": steady}).first() is not None


def is_dead(conn: Connection, lease_id: int) -> bool:
    """Whether another declared it dead."""
    mine = select(lease.c.id).where(lease.c.id == lease_id, ~lease.c.dead)
    return conn.execute(mine).first() is None


def ran_out(conn: Connection, process: str, steady: int) -> bool:
    """Whether this process of this machine had the last living lease, and let it run out.

    False where it has none yet: it is starting, on the rows of one before it.
    """
    living = select(lease).where(~lease.c.dead).order_by(lease.c.id.desc()).limit(1)
    last = conn.execute(living).one_or_none()
    if last is None or (last.process, last.boot) != (process, boot_id()):
        return False
    return last.alive_until is not None and last.alive_until <= steady


def touch(conn: Connection, lease_id: int) -> None:
    """Write a lease as it is: the commit that follows tells whether the disk still takes one."""
    conn.execute(update(lease).where(lease.c.id == lease_id).values(dead=lease.c.dead))


def bury(conn: Connection) -> None:
    """Mark every lease dead. Only for the holder of the folder's lock, before it takes its own."""
    conn.execute(update(lease).where(~lease.c.dead).values(dead=True))


def recover(
    conn: Connection, now: datetime, wait: Wait, spared: AbstractSet[int] = frozenset()
) -> int:
    """Put what dead leases had reserved into doubt. Returns how many rows.

    `spared` are rows whose sender lives and will settle them yet.
    """
    rows = deliveries.rows_where(
        conn,
        delivery.c.state == DeliveryState.RESERVED,
        delivery.c.lease.in_(_DEAD),
        limit=_PAGE,
    )
    return _doubt(conn, [row for row in rows if row.id not in spared], now, wait)


def strays(conn: Connection, lease_id: int, held: AbstractSet[int]) -> set[tuple[int, int]]:
    """(delivery, round) of what stands reserved under this lease, or an older one of the same
    process, outside its windows."""
    mine = select(delivery.c.id, delivery.c.round).where(
        delivery.c.state == DeliveryState.RESERVED, _ours(lease_id)
    )
    return {(row.id, row.round) for row in conn.execute(mine) if row.id not in held}


def _ours(lease_id: int) -> ColumnElement[bool]:
    return or_(delivery.c.lease == lease_id, delivery.c.lease.in_(_DEAD))


def doubt_strays(
    conn: Connection, lease_id: int, found: set[tuple[int, int]], now: datetime, wait: Wait
) -> int:
    """Put these into doubt, where they still stand as they were found.

    Such a row was reserved by a commit whose reply was lost (ENGINE.md 4.10).
    """
    rows = deliveries.rows_where(
        conn,
        delivery.c.state == DeliveryState.RESERVED,
        _ours(lease_id),
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
    late.note(conn, rows, late.CRASHED, moment)
    late.settle_known(conn, [row.id for row in rows], moment)
    receipts.fold(conn, [row.id for row in rows], moment)
    return len(rows)
