# SPDX-License-Identifier: EUPL-1.2
"""Rows that match a condition move to another state, and the counts with them."""

import json
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, select, text

from hub.delivery import DeliveryState
from hub.ledger.counting import Moves, apply_moves
from hub.ledger.database import AnyRow
from hub.ledger.tables import delivery

ROWS: Final = select(
    *(delivery.c.id, delivery.c.run, delivery.c.state, delivery.c.reason),
    *(delivery.c.round, delivery.c.crashes, delivery.c.ref),
)


def rows_where(conn: Connection, *conditions: Any, limit: int) -> Sequence[AnyRow]:
    """(id, run, state, reason, round, crashes, ref) of the rows that match, by id."""
    return conn.execute(ROWS.where(*conditions).order_by(delivery.c.id).limit(limit)).all()


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
