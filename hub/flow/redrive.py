# SPDX-License-Identifier: EUPL-1.2
"""What a human decides about parked deliveries: send again, or give up."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from channels.base import Reason
from hub.announcement import Event, State
from hub.delivery import DeliveryState
from hub.flow.principal import Principal
from hub.flow.upkeep import PAGE
from hub.ledger import announcements, audit, deliveries, runs
from hub.ledger.database import AnyRow
from hub.ledger.runs import RunState
from hub.ledger.tables import delivery, run
from subscribers.tables import to_ms


def redrive(
    conn: Connection,
    principal: Principal,
    now: datetime,
    *,
    code: str | None = None,
    abandon: bool = False,
) -> int:
    """Send parked rows again (of one announcement, or all of an authority), or end them as failed.

    A row parked out of doubt may have left already: sending it again is the human's decision, and
    the journal says who took it. Returns how many rows.
    """
    moved = 0
    while rows := _parked(conn, principal.authority, code):
        at = to_ms(now)
        if abandon:
            deliveries.move(conn, rows, DeliveryState.FAILED, at=at)
        else:
            deliveries.move(
                conn,
                rows,
                DeliveryState.READY,
                at=at,
                reason=Reason.REDRIVEN,
                due=at,
                round=delivery.c.round + 1,  # an old round's receipt says nothing of this try
                tries=0,
                crashes=0,
                ref=None,
            )
            _reopen(conn, sorted({row.run for row in rows}), now)
        moved += len(rows)
    verb = "abandon" if abandon else "redrive"
    about = f"announcement:{code}" if code else "announcements"
    audit.record(
        conn,
        now,
        principal.name,
        verb,
        about,
        authority=principal.authority,
        detail={"rows": moved},
    )
    return moved


def _parked(conn: Connection, authority: int, code: str | None) -> Sequence[AnyRow]:
    wanted = select(run.c.id).where(run.c.authority == authority)
    if code is not None:
        found = announcements.by_code(conn, code, authority)
        wanted = wanted.where(run.c.announcement == (found.id if found else -1))
    parked = delivery.c.state == DeliveryState.PARKED
    return deliveries.rows_where(conn, parked, delivery.c.run.in_(wanted), limit=PAGE)


def _reopen(conn: Connection, run_ids: list[int], now: datetime) -> None:
    for run_id in run_ids:
        closed = runs.by_id(conn, run_id)
        if closed.state is RunState.DONE:
            runs.set_state(conn, run_id, RunState.OPEN)
        announcement = announcements.by_id(conn, closed.announcement)
        if announcement.state is State.FINISHED:
            announcements.move(conn, announcement, Event.REOPEN, now)
