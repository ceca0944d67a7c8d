# SPDX-License-Identifier: EUPL-1.2
"""Runs: one announcement on one channel, what the queue chooses between."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, func, select, update

from channels.base import ChannelName, Lane
from hub.ledger.database import AnyRow
from hub.ledger.tables import announcement, delivery_count, run
from subscribers.tables import subscriber


class RunState(StrEnum):
    """Where a run stands."""

    PLANNING = "planning"
    OPEN = "open"
    DONE = "done"


class RunKind(StrEnum):
    """What its messages say: one announcement, what a person had waiting for a digest, or what the
    hub itself tells one person."""

    ANNOUNCEMENT = "announcement"
    DIGEST = "digest"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Run:
    """One announcement on one channel, and how far its plan is."""

    id: int
    announcement: int
    channel: ChannelName
    authority: int
    lane: Lane
    state: RunState
    paused: bool
    parts: int
    cursor: int
    until: int
    planned: int
    expires: datetime | None
    cancelled: bool
    digest: bool = False  # its messages carry what was gathered of others
    note: bool = False  # its one message answers what a person asked of us

    def over(self, now: datetime) -> bool:
        """Nothing of it may leave any more."""
        return self.cancelled or (self.expires is not None and self.expires <= now)


_NOT_DONE: Final = [state for state in RunState if state is not RunState.DONE]  # as an index reads

_COLUMNS = select(run, announcement.c.expires, announcement.c.cancelled_at).join_from(
    run, announcement, announcement.c.id == run.c.announcement
)


def _read(row: AnyRow) -> Run:
    return Run(
        id=row.id,
        announcement=row.announcement,
        channel=ChannelName(row.channel),
        authority=row.authority,
        lane=Lane(row.lane),
        state=RunState(row.state),
        paused=row.paused,
        parts=row.parts,
        cursor=row.cursor,
        until=row.until,
        planned=row.planned,
        expires=row.expires,
        cancelled=row.cancelled_at is not None,
        digest=row.kind == RunKind.DIGEST,
        note=row.kind == RunKind.NOTE,
    )


def insert(  # noqa: PLR0917 (what a run is made of)
    conn: Connection,
    announcement_id: int,
    authority: int,
    lane: Lane,
    channels: Sequence[tuple[ChannelName, int]],
    kind: RunKind = RunKind.ANNOUNCEMENT,
) -> None:
    """One run a channel, with its number of parts. Whoever subscribes later is not in it."""
    until = conn.execute(select(func.coalesce(func.max(subscriber.c.id), 0))).scalar_one()
    for channel, parts in channels:
        conn.execute(
            run.insert().values(
                announcement=announcement_id,
                channel=channel,
                authority=authority,
                lane=lane,
                kind=kind,
                state=RunState.PLANNING,
                parts=parts,
                until=until,
            )
        )


def open_beside(  # noqa: PLR0917 (what a run is made of)
    conn: Connection,
    announcement_id: int,
    authority: int,
    lane: Lane,
    channel: ChannelName,
    kind: RunKind = RunKind.ANNOUNCEMENT,
) -> int:
    """A run on one channel more, with nobody to plan. Returns its number."""
    result = conn.execute(
        run.insert().values(
            announcement=announcement_id,
            channel=channel,
            authority=authority,
            lane=lane,
            kind=kind,
            state=RunState.OPEN,
            parts=1,
            until=0,
        )
    )
    assert result.inserted_primary_key is not None
    return int(result.inserted_primary_key[0])


def open_runs(conn: Connection) -> Sequence[Run]:
    """Every run that is not done, oldest first: the queue."""
    return [
        _read(row)
        for row in conn.execute(_COLUMNS.where(run.c.state.in_(_NOT_DONE)).order_by(run.c.id))
    ]


def of_announcement(conn: Connection, announcement_id: int) -> Sequence[Run]:
    """Its runs, in the order they were made."""
    rows = conn.execute(_COLUMNS.where(run.c.announcement == announcement_id).order_by(run.c.id))
    return [_read(row) for row in rows]


def by_id(conn: Connection, run_id: int) -> Run:
    """Raises `sqlalchemy.exc.NoResultFound`."""
    return _read(conn.execute(_COLUMNS.where(run.c.id == run_id)).one())


def claim_page(conn: Connection, seen: Run, planner: int, cursor: int) -> bool:
    """Take the page from `seen.cursor` to `cursor`, where nobody else did (ENGINE.md 4.2)."""
    taken = conn.execute(
        update(run)
        .where(
            run.c.id == seen.id,
            run.c.state == RunState.PLANNING,
            run.c.planner == planner,
            run.c.cursor == seen.cursor,
        )
        .values(cursor=cursor)
    )
    return taken.rowcount == 1


def take_planning(conn: Connection, run_id: int, planner: int) -> None:
    """From now on `planner` (a lease) plans this run."""
    conn.execute(update(run).where(run.c.id == run_id).values(planner=planner))


def set_state(conn: Connection, run_id: int, state: RunState) -> None:
    conn.execute(update(run).where(run.c.id == run_id).values(state=state))


def set_paused(conn: Connection, announcement_id: int, paused: bool) -> None:
    conn.execute(update(run).where(run.c.announcement == announcement_id).values(paused=paused))


def add_planned(conn: Connection, run_id: int, rows: int, first_delivery: int | None) -> None:
    conn.execute(
        update(run)
        .where(run.c.id == run_id)
        .values(
            planned=run.c.planned + rows,
            first_delivery=func.coalesce(run.c.first_delivery, first_delivery),
        )
    )


def counts(conn: Connection, run_ids: Sequence[int]) -> Sequence[AnyRow]:
    """(run, state, reason, n) of these runs: progress is one read."""
    return conn.execute(
        select(
            delivery_count.c.run,
            delivery_count.c.state,
            delivery_count.c.reason,
            delivery_count.c.n,
        ).where(delivery_count.c.run.in_(run_ids), delivery_count.c.n > 0)
    ).all()
