# SPDX-License-Identifier: EUPL-1.2
"""The small rounds that keep the ledger true: publish what is due, close what is over, look at
what is in doubt, say when an announcement is finished. Each is one function of a connection."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select

from channels.base import ChannelName, Reason
from hub.announcement import Event, State
from hub.backoff import DOUBT_CRASHES
from hub.delivery import PENDING, DeliveryState
from hub.flow.intake import due_to_publish, publish
from hub.flow.site import Press
from hub.ledger import announcements, deliveries, runs
from hub.ledger.runs import Run, RunState
from hub.ledger.tables import delivery
from subscribers.tables import to_ms

PAGE: Final = 5_000

Resolve = Callable[[Connection, Run, datetime], int]


def publish_due(conn: Connection, press: Press, now: datetime) -> int:
    """Publish the scheduled announcements whose time has come. Returns how many."""
    due = due_to_publish(announcements.in_state(conn, State.SCHEDULED), now)
    for each in due:
        publish(conn, each, press, now)
    return len(due)


def close_over(conn: Connection, now: datetime) -> int:
    """End the waiting rows of cancelled and expired runs, a page at a time, paused or not.

    Returns how many rows; call again until it returns 0.
    """
    for run in runs.open_runs(conn):
        if not run.over(now):
            continue
        rows = deliveries.rows_where(
            conn,
            delivery.c.run == run.id,
            delivery.c.state.in_([DeliveryState.READY, DeliveryState.DIGEST]),
            limit=PAGE,
        )
        if rows:
            state, reason = _end(run)
            deliveries.move(conn, rows, state, at=to_ms(now), reason=reason)
            return len(rows)
    return 0


def _end(run: Run) -> tuple[DeliveryState, Reason]:
    if run.cancelled:
        return DeliveryState.CANCELLED, Reason.CANCELLED
    return DeliveryState.EXPIRED, Reason.EXPIRED


# --------------------------------------------------------------------------- in doubt


def send_again(conn: Connection, run: Run, now: datetime) -> int:
    """E-mail and web push: the second copy bears the first one's Message-ID or Topic."""
    return _resolve(conn, run, now, DeliveryState.READY, Reason.CRASHED)


def park(conn: Connection, run: Run, now: datetime) -> int:
    """Where a second copy would be a second message, and nobody has asked the provider: a human."""
    return _resolve(conn, run, now, DeliveryState.PARKED, Reason.OUTCOME_UNKNOWN)


RESOLVE: Final[Mapping[ChannelName, Resolve]] = {
    ChannelName.EMAIL: send_again,
    ChannelName.WEBPUSH: send_again,
    # Twilio and X can be asked (ENGINE.md section 5): that look-up takes the place of `park`.
    ChannelName.SMS: park,
    ChannelName.X: park,
}


def resolve_doubts(conn: Connection, now: datetime) -> int:
    """What becomes of rows in doubt whose wait is over. Returns how many."""
    return sum(
        RESOLVE[run.channel](conn, run, now)
        for run in (runs.by_id(conn, each) for each in _doubtful_runs(conn, now))
    )


def _doubtful_runs(conn: Connection, now: datetime) -> list[int]:
    due = (delivery.c.state == DeliveryState.DOUBT, delivery.c.due <= to_ms(now))
    return list(conn.execute(select(delivery.c.run).where(*due).distinct()).scalars())


def _resolve(
    conn: Connection, run: Run, now: datetime, state: DeliveryState, reason: Reason
) -> int:
    at = to_ms(now)
    rows = deliveries.rows_where(
        conn,
        delivery.c.run == run.id,
        delivery.c.state == DeliveryState.DOUBT,
        delivery.c.due <= at,
        delivery.c.crashes < DOUBT_CRASHES,
        limit=PAGE,
    )
    if run.over(now):  # never sent again; the row says that a copy may have left
        ended, why = _end(run)
        deliveries.move(conn, rows, ended, at=at, reason=why)
    else:
        deliveries.move(conn, rows, state, at=at, reason=reason, due=at)
    spent = deliveries.rows_where(
        conn,
        delivery.c.run == run.id,
        delivery.c.state == DeliveryState.DOUBT,
        delivery.c.crashes >= DOUBT_CRASHES,
        limit=PAGE,
    )
    deliveries.move(conn, spent, DeliveryState.PARKED, at=at, reason=Reason.OUTCOME_UNKNOWN)
    return len(rows) + len(spent)


# --------------------------------------------------------------------------- the end of a run


def finish(conn: Connection, now: datetime) -> list[int]:
    """Close the runs that have nothing left to do, and the announcements whose runs are closed.

    What is parked waits for a human and what is gathered for a digest: neither keeps a run open.
    Returns the runs closed.
    """
    closed = [run for run in runs.open_runs(conn) if _idle(conn, run)]
    for run in closed:
        runs.set_state(conn, run.id, RunState.DONE)
    for announcement_id in sorted({run.announcement for run in closed}):
        left = [
            r for r in runs.of_announcement(conn, announcement_id) if r.state is not RunState.DONE
        ]
        announcement = announcements.by_id(conn, announcement_id)
        if not left and announcement.state is State.RUNNING:
            announcements.move(conn, announcement, Event.FINISH, now)
    return [run.id for run in closed]


def _idle(conn: Connection, run: Run) -> bool:
    if run.state is not RunState.OPEN:
        return False
    return not any(row.state in PENDING for row in runs.counts(conn, [run.id]))
