# SPDX-License-Identifier: EUPL-1.2
"""How the queue is doing, for the operator's page, `/readyz` and the metrics."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, func, select, true

from channels.base import Lane
from hub.delivery import DeliveryState
from hub.ledger.runs import RunState
from hub.ledger.tables import delivery, delivery_count, run
from subscribers.tables import from_ms


@dataclass(frozen=True, slots=True)
class QueueHealth:
    """Deliveries that are not at their end.

    `ready` by lane, every lane named; `oldest` is how long the longest-waiting of those that may
    leave (paused runs apart) has been due, None where nothing is late.
    """

    ready: Mapping[Lane, int]
    oldest: timedelta | None
    reserved: int
    in_doubt: int
    parked: int
    digest: int


def queue_health(conn: Connection, now: datetime, authority: int | None = None) -> QueueHealth:
    """Two small reads: the counts, and the first due row of each open run; of one town alone, where
    one is given."""
    whose = true() if authority is None else run.c.authority == authority
    counted = conn.execute(
        select(run.c.lane, delivery_count.c.state, func.sum(delivery_count.c.n).label("n"))
        .join_from(run, delivery_count, delivery_count.c.run == run.c.id)
        .where(
            delivery_count.c.state.in_(["ready", "reserved", "doubt", "parked", "digest"]),
            delivery_count.c.n > 0,
            whose,
        )
        .group_by(run.c.lane, delivery_count.c.state)
    ).all()
    totals = {state: sum(row.n for row in counted if row.state == state) for state in DeliveryState}
    ready = {row.lane: row.n for row in counted if row.state == DeliveryState.READY}
    return QueueHealth(
        ready={lane: ready.get(lane, 0) for lane in Lane},
        oldest=_oldest(conn, now, whose),
        reserved=totals[DeliveryState.RESERVED],
        in_doubt=totals[DeliveryState.DOUBT],
        parked=totals[DeliveryState.PARKED],
        digest=totals[DeliveryState.DIGEST],
    )


def _oldest(conn: Connection, now: datetime, whose: ColumnElement[bool]) -> timedelta | None:
    first_due = (
        select(func.min(delivery.c.due))
        .where(delivery.c.run == run.c.id, delivery.c.state == DeliveryState.READY)
        .scalar_subquery()
    )
    asked = select(first_due).where(run.c.state != RunState.DONE, ~run.c.paused, whose)
    dues = [due for due in conn.execute(asked).scalars() if due is not None]
    late = now - from_ms(min(dues)) if dues else timedelta(0)
    return late if late > timedelta(0) else None


@dataclass(frozen=True, slots=True)
class Parked:
    """Deliveries a human must decide about, and those of them that may have left already."""

    rows: int
    maybe_sent: int


def parked(conn: Connection, authority: int, announcement_id: int | None = None) -> Parked:
    """What is parked of one authority, or of one of its announcements."""
    runs = select(run.c.id).where(run.c.authority == authority)
    if announcement_id is not None:
        runs = runs.where(run.c.announcement == announcement_id)
    rows, maybe = conn.execute(
        select(func.count(), func.count().filter(delivery.c.maybe)).where(
            delivery.c.state == DeliveryState.PARKED, delivery.c.run.in_(runs)
        )
    ).one()
    return Parked(rows, maybe)
