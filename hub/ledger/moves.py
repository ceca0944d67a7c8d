# SPDX-License-Identifier: EUPL-1.2
"""Rows that match a condition move to another state, and the counts and what they carry with
them."""

import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import Connection, select, text, update

from channels.base import Reason
from hub.delivery import PENDING, DeliveryState, lawful
from hub.ledger.counting import Moves, apply_moves
from hub.ledger.database import AnyRow
from hub.ledger.tables import delivery, run
from hub.ledger.twins import leaves_others_untold, successors

ROWS: Final = select(
    *(delivery.c.id, delivery.c.run, delivery.c.state, delivery.c.reason),
    *(delivery.c.round, delivery.c.crashes, delivery.c.maybe, delivery.c.ref),
)


# By number, said so that SQLite sorts what it found: asked for the order of the table itself it
# walks the whole of it instead of a small index.
_BY_ID: Final = (delivery.c.id + 0,)
BY_DUE: Final = (delivery.c.due, delivery.c.id)
"""The order in which the index of what is ready lists a run: nothing is sorted, page after page."""


def rows_where(
    conn: Connection, *conditions: Any, limit: int, order: Sequence[Any] = _BY_ID
) -> Sequence[AnyRow]:
    """(id, run, state, reason, round, crashes, maybe, ref) of the rows that match, by id."""
    return conn.execute(ROWS.where(*conditions).order_by(*order).limit(limit)).all()


def move(
    conn: Connection,
    rows: Sequence[AnyRow],
    state: DeliveryState,
    *,
    at: int,
    reason: str | None = None,
    **columns: Any,
) -> None:
    """Move rows read in this same transaction, and the counts with them.

    `reason` None keeps each row's own; `columns` are further values or SQL expressions.
    """
    if not rows:
        return
    moves = Moves()
    for row in rows:
        moves[row.run, row.state, row.reason] -= 1
        moves[row.run, state, row.reason if reason is None else reason] += 1
    values: dict[Any, Any] = {"state": state, "at": at, "lease": None, **columns}
    if reason is not None:
        values["reason"] = reason
    ids = select(text("value")).select_from(text("json_each(:ids)"))
    conn.execute(
        delivery.update().where(delivery.c.id.in_(ids)).values(values),
        {"ids": json.dumps([row.id for row in rows])},
    )
    apply_moves(conn, moves)
    ended = [row.id for row in rows]
    follow(conn, ended, at)
    if leaves_others_untold(state, reason):
        tell_next(conn, ended, at)


def tell_next(conn: Connection, skipped: Collection[int], at: int) -> None:
    """Who shares an address with these rows' people, who are left alone, is told instead."""
    move(conn, successors(conn, skipped), DeliveryState.READY, at=at, reason="", due=at)


_CARRIED: Final = text("""
SELECT d.id, d.run, d.state, d.reason, g.state AS becomes, g.reason AS why
FROM digest_item i JOIN delivery g ON g.id = i.digest JOIN delivery d ON d.id = i.item
WHERE i.digest IN (SELECT value FROM json_each(:ids))
ORDER BY d.id
""")


def follow(conn: Connection, moved: Collection[int], at: int) -> None:
    """What digest messages carry ends with them, in the same transaction; where one is sent again
    it waits again. Of deliveries that are no digests nothing is carried: one look."""
    ends: dict[tuple[DeliveryState, str], list[AnyRow]] = defaultdict(list)
    for row in conn.execute(_CARRIED, {"ids": json.dumps(list(moved))}):
        waits = row.becomes in PENDING
        state = DeliveryState.DIGEST if waits else DeliveryState(row.becomes)
        if row.state != state and lawful(DeliveryState(row.state), state):
            ends[state, Reason.DIGEST if waits else row.why].append(row)
    for (state, reason), rows in ends.items():
        move(conn, rows, state, at=at, reason=reason)
        if state is DeliveryState.DIGEST:
            _open_again(conn, {row.run for row in rows})


def _open_again(conn: Connection, runs: Collection[int]) -> None:
    """Only of open runs it is looked at what waits for a digest."""
    done = (run.c.id.in_(runs), run.c.state == "done")
    conn.execute(update(run).where(*done).values(state="open"))
