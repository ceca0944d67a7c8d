# SPDX-License-Identifier: EUPL-1.2
"""The small rounds that keep the ledger true: publish what is due, close what is over, look at
what is in doubt, say when an announcement is finished. Each is one function of a connection."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeVar

import structlog
from sqlalchemy import Connection, select

from channels.base import ChannelName, Reason
from hub.announcement import Announcement, Event, State
from hub.backoff import DOUBT_CRASHES
from hub.delivery import PENDING, DeliveryState
from hub.flow.accept.intake import publish
from hub.flow.site import Press
from hub.ledger import announcements, deliveries, runs
from hub.ledger.database import AnyRow, is_full, is_io_error
from hub.ledger.moves import BY_DUE
from hub.ledger.runs import Run, RunState
from hub.ledger.tables import delivery
from subscribers.tables import to_ms

log = structlog.get_logger(__name__)

PAGE: Final = 5_000

_UNDER_WAY: Final = PENDING | {DeliveryState.DIGEST}

Awaited = Callable[[Connection, Announcement, datetime], bool]
Resolve = Callable[[Connection, Run, datetime], int]


def publish_due(conn: Connection, press: Press, now: datetime) -> int:
    """Publish the scheduled announcements whose time has come, and those whose undo delay is over.

    Returns how many.
    """
    found = announcements.in_state(conn, State.SCHEDULED, State.WAITING)
    due = [each for each in found if _due(each, now)]
    return one_by_one(conn, due, lambda each: bool(publish(conn, each, press, now)))


def _due(each: Announcement, now: datetime) -> bool:
    moment = each.release_at if each.state is State.WAITING else each.publish_at
    return moment is not None and moment <= now


T = TypeVar("T")


def one_by_one(conn: Connection, these: Iterable[T], work: Callable[[T], int]) -> int:
    """Do `work` for each of these, in a savepoint of its own: one it fails for keeps no other.

    Returns what it answered in all.
    """
    done = 0
    for each in these:
        try:
            with conn.begin_nested():
                done += work(each)
        except Exception as error:
            if is_full(error) or is_io_error(error):
                raise
            log.exception("upkeep.bug", of=type(each).__name__, id=getattr(each, "id", None))
    return done


def close_over(conn: Connection, now: datetime) -> int:
    """End the waiting rows of cancelled and expired runs, a page at a time, paused or not.

    Returns how many rows; call again until it returns 0.
    """
    for run in runs.open_runs(conn):
        if not run.over(now):
            continue
        rows = _waiting(conn, run, DeliveryState.READY) or _waiting(conn, run, DeliveryState.DIGEST)
        if rows:
            state, reason = ended(run)
            deliveries.move(conn, rows, state, at=to_ms(now), reason=reason)
            return len(rows)
    return 0


def _waiting(conn: Connection, run: Run, state: DeliveryState) -> Sequence[AnyRow]:
    """A page of them. Of one state at a time: each has an index of its own, both have none."""
    mine = (delivery.c.run == run.id, delivery.c.state == state)
    return deliveries.rows_where(conn, *mine, limit=PAGE, order=BY_DUE)


def ended(run: Run) -> tuple[DeliveryState, Reason]:
    """How the rows of a run that is over end."""
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
    # where `hub.flow.doubt.lookup` asks the provider, it resolves them instead
    ChannelName.SMS: park,
    ChannelName.X: park,
}


def resolve_doubts(
    conn: Connection, now: datetime, asked: Collection[ChannelName] = frozenset()
) -> int:
    """What becomes of rows in doubt whose wait is over, but for the channels that are asked.

    Returns how many.
    """
    doubtful = (runs.by_id(conn, each) for each in _doubtful_runs(conn, now))
    return sum(RESOLVE[run.channel](conn, run, now) for run in doubtful if run.channel not in asked)


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
        limit=PAGE,
    )
    if run.over(now):  # never sent again; the row says that a copy may have left
        end, why = ended(run)
        deliveries.move(conn, rows, end, at=at, reason=why)
        return len(rows)
    spent = [row for row in rows if row.crashes >= DOUBT_CRASHES]
    others = [row for row in rows if row.crashes < DOUBT_CRASHES]
    deliveries.move(conn, spent, DeliveryState.PARKED, at=at, reason=Reason.OUTCOME_UNKNOWN)
    deliveries.move(conn, others, state, at=at, reason=reason, due=at)
    return len(rows)


# --------------------------------------------------------------------------- no road any more


def park_roadless(conn: Connection, now: datetime, roads: Collection[ChannelName]) -> int:
    """Set aside what waits for a channel that is not configured (any more), a page at a time.

    Somebody redrives it once the channel is back, or gives it up. Returns how many rows.
    """
    for run in runs.open_runs(conn):
        if run.channel in roads or run.over(now):
            continue
        rows = _waiting(conn, run, DeliveryState.READY)
        if rows:
            why = Reason.CHANNEL_NOT_CONFIGURED
            deliveries.move(conn, rows, DeliveryState.PARKED, at=to_ms(now), reason=why)
            return len(rows)
    return 0


# --------------------------------------------------------------------------- the end of a run


def nothing_awaited(conn: Connection, announcement: Announcement, now: datetime) -> bool:
    """Nothing is added to any announcement once its runs are done."""
    del conn, announcement, now
    return False


def finish(conn: Connection, now: datetime, awaited: Awaited = nothing_awaited) -> int:
    """Close the runs that have nothing left to do, and finish what has no open run.

    What is parked waits for a human and keeps no run open; what waits for a digest does, or nobody
    could cancel it any more.
    An announcement that was paused over its last messages finishes once it is resumed, and one
    that is `awaited` later. Returns how many runs and announcements.
    """
    closed = [run for run in runs.open_runs(conn) if _idle(conn, run)]
    for run in closed:
        runs.set_state(conn, run.id, RunState.DONE)
    still = announcements.without_open_runs(conn, State.RUNNING)
    finished = [each for each in still if not awaited(conn, each, now)]
    for announcement in finished:
        announcements.move(conn, announcement, Event.FINISH, now)
    return len(closed) + len(finished)


def _idle(conn: Connection, run: Run) -> bool:
    if run.state is not RunState.OPEN:
        return False
    return not any(row.state in _UNDER_WAY for row in runs.counts(conn, [run.id]))


def reopen(conn: Connection, run_ids: Collection[int], now: datetime) -> None:
    """Open these runs again where they were done: something of them waits once more."""
    for run_id in run_ids:
        closed = runs.by_id(conn, run_id)
        if closed.state is RunState.DONE:
            runs.set_state(conn, run_id, RunState.OPEN)
        announcement = announcements.by_id(conn, closed.announcement)
        if announcement.state is State.FINISHED:
            announcements.move(conn, announcement, Event.REOPEN, now)
