# SPDX-License-Identifier: EUPL-1.2
"""What a human decides about parked deliveries: send again, or give up."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from channels.base import Reason
from hub.delivery import DeliveryState
from hub.flow.principal import Principal
from hub.flow.settle import doubt_wait
from hub.flow.upkeep import PAGE, reopen
from hub.ledger import announcements, audit, deliveries, digests, runs
from hub.ledger.database import AnyRow
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
            again(conn, rows, now)
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
    meant = digests.of_runs_or_carrying(wanted)
    return deliveries.rows_where(conn, parked, meant, limit=PAGE)


def again(conn: Connection, rows: Sequence[AnyRow], now: datetime) -> None:
    """Send rows that failed or are parked once more, in a round of their own.

    What was parked out of doubt is in doubt again: it is looked up first, where that can be done.
    """
    at = to_ms(now)
    fresh: dict[str, Any] = {"reason": Reason.REDRIVEN, "tries": 0, "crashes": 0}
    for run_id in sorted({row.run for row in rows}):
        mine = [row for row in rows if row.run == run_id]
        doubtful = [row for row in mine if row.maybe and row.state == DeliveryState.PARKED]
        others = [row for row in mine if row not in doubtful]
        wait = doubt_wait(runs.by_id(conn, run_id))
        deliveries.move(conn, doubtful, DeliveryState.DOUBT, at=at, due=at + wait, **fresh)
        # an old round's receipt says nothing of this try
        begun: dict[str, Any] = {"due": at, "round": delivery.c.round + 1, "ref": None}
        deliveries.move(conn, others, DeliveryState.READY, at=at, **begun, **fresh)
        reopen(conn, [run_id], now)
