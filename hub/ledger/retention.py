# SPDX-License-Identifier: EUPL-1.2
"""The ledger's old rows go; an announcement, its totals and its page stay."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Select, Table, TextClause, delete, func, select, text, update

from hub.announcement import State
from hub.delivery import DeliveryState
from hub.ledger.announcements import NOTE
from hub.ledger.runs import RunState
from hub.ledger.tables import (
    announcement,
    attempt,
    audit,
    delivery,
    delivery_count,
    kept_address,
    receipt,
    run,
)
from subscribers.tables import to_ms

_OVER: Final = (State.FINISHED, State.CANCELLED)


def _old_runs(before: datetime) -> Select[tuple[int]]:
    """Runs of announcements that ended before then."""
    ended = func.coalesce(announcement.c.finished, announcement.c.cancelled_at)
    return (
        select(run.c.id)
        .join(announcement, announcement.c.id == run.c.announcement)
        .where(announcement.c.state.in_(_OVER), run.c.state == RunState.DONE, ended < before)
    )


_ATTEMPTS: Final = text("DELETE FROM attempt WHERE delivery IN (SELECT value FROM json_each(:ids))")
_RECEIPTS: Final = text("DELETE FROM receipt WHERE delivery IN (SELECT value FROM json_each(:ids))")
_LINKS: Final = text(
    "DELETE FROM digest_item WHERE item IN (SELECT value FROM json_each(:ids)) "
    "OR digest IN (SELECT value FROM json_each(:ids))"
)
_ADDRESSES: Final = text(
    "DELETE FROM kept_address WHERE delivery IN (SELECT value FROM json_each(:ids))"
)
_ROWS: Final = text("DELETE FROM delivery WHERE id IN (SELECT value FROM json_each(:ids))")


def deliveries(conn: Connection, before: datetime, now: datetime, limit: int) -> int:
    """Erase who was sent what in announcements that ended before then; their counts stay.

    A run is marked first, in the same transaction as its first row goes: from then on its rows are
    fewer than its counts, and that is right. Returns how many rows, `limit` at most.
    """
    old = _old_runs(before)
    conn.execute(update(run).where(run.c.id.in_(old), run.c.retired.is_(None)).values(retired=now))
    left = (run.c.retired.is_not(None), run.c.first_delivery.is_not(None))
    first = conn.execute(select(func.min(run.c.first_delivery)).where(*left)).scalar_one()
    if first is None:  # of every retired run nothing is left: no need to look through the rows
        return 0
    theirs = delivery.c.run.in_(select(run.c.id).where(*left))
    rows = select(delivery.c.id).where(delivery.c.id >= first, theirs)
    ids = list(conn.execute(rows.order_by(delivery.c.id).limit(limit)).scalars())
    _forget(conn, ids, _ATTEMPTS, _RECEIPTS, _LINKS, _ADDRESSES, _ROWS)
    if len(ids) < limit:
        conn.execute(update(run).where(*left).values(first_delivery=None))
    return len(ids)


def notes(conn: Connection, limit: int) -> int:
    """Erase codes, links and trial messages whose deliveries went: nothing is left to count of
    them, and no page shows them. Returns how many, `limit` at most."""
    empty = (run.c.retired.is_not(None), run.c.first_delivery.is_(None))
    over = (
        select(run.c.id, run.c.announcement)
        .join(announcement, announcement.c.id == run.c.announcement)
        .where(announcement.c.source == NOTE, announcement.c.state.in_(_OVER), *empty)
        .limit(limit)
    )
    rows = conn.execute(over).all()
    runs, notes = [row.id for row in rows], [row.announcement for row in rows]
    conn.execute(delete(delivery_count).where(delivery_count.c.run.in_(runs)))
    conn.execute(delete(run).where(run.c.id.in_(runs)))
    conn.execute(delete(announcement).where(announcement.c.id.in_(notes)))
    return len(rows)


def _forget(conn: Connection, ids: Sequence[int], *statements: TextClause) -> int:
    said = {"ids": json.dumps(list(ids))}
    return sum(conn.execute(statement, said).rowcount for statement in statements) if ids else 0


def evidence(conn: Connection, before: datetime, limit: int) -> int:
    """Erase failed attempts and receipts written before then; the rows keep what they came to."""
    return _oldest(conn, attempt, to_ms(before), limit) + _oldest(
        conn, receipt, to_ms(before), limit
    )


def lines(conn: Connection, before: datetime, limit: int) -> int:
    """Erase the audit's oldest lines, up to the first that is kept: never out of the middle, or
    the chain of what is left would be broken (`hub.ledger.audit`)."""
    page = select(audit.c.id, audit.c.at).order_by(audit.c.id).limit(limit).subquery()
    kept = select(func.min(page.c.id)).where(page.c.at >= before).scalar_subquery()
    old = audit.c.id < func.coalesce(kept, select(func.max(page.c.id)).scalar_subquery() + 1)
    return conn.execute(delete(audit).where(old)).rowcount


def _oldest(conn: Connection, table: Table, before: Any, limit: int) -> int:
    """Numbers count up with time: when none of the lowest is old, none at all is."""
    first = select(table.c.id).order_by(table.c.id).limit(limit).subquery()
    old = (table.c.id.in_(select(first.c.id)), table.c.at < before)
    return conn.execute(delete(table).where(*old)).rowcount


def addresses(conn: Connection, limit: int) -> int:
    """Forget addresses kept of erased people whose message is in doubt no longer."""
    open_ = (DeliveryState.RESERVED, DeliveryState.DOUBT)
    doubtful = select(delivery.c.id).where(
        delivery.c.id == kept_address.c.delivery, delivery.c.state.in_(open_)
    )
    over = select(kept_address.c.delivery).where(~doubtful.exists()).limit(limit)
    return _forget(conn, list(conn.execute(over).scalars()), _ADDRESSES)
