# SPDX-License-Identifier: EUPL-1.2
"""The hot statements: a delivery reserved, settled, moved (ENGINE.md 4.4 to 4.7).

Each takes many rows in one statement and moves the counts by the rows that really changed.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, Select, select, text

from channels.base import Reason
from hub.delivery import REACHED, DeliveryState
from hub.ledger.counting import Moves, apply_moves
from hub.ledger.database import AnyRow
from hub.ledger.tables import delivery
from hub.ledger.writer import Kind
from subscribers import directory
from subscribers.tables import from_ms

S = DeliveryState


@dataclass(frozen=True, slots=True)
class Reservation:
    """The committed intent to send a row, by the lease and in the round it names."""

    delivery: int
    run: int
    subscriber: int
    contact_point: int
    part: int
    lease: int
    round: int
    tries: int
    crashes: int
    maybe: bool
    reason: str


@dataclass(frozen=True, slots=True)
class ReserveWindow:
    """Ask for the next few ready rows of a run. `now` in milliseconds."""

    run: int
    lease: int
    limit: int
    now: int


_RESERVE: Final = text("""
UPDATE delivery
SET state = 'reserved', lease = :lease, round = round + 1, since = coalesce(since, :now), at = :now
WHERE id IN (
    SELECT d.id FROM delivery d
    WHERE d.run = :run AND d.state = 'ready' AND d.due <= :now
      AND EXISTS (SELECT 1 FROM run r JOIN announcement a ON a.id = r.announcement
                  WHERE r.id = :run AND NOT r.paused AND a.cancelled_at IS NULL
                    AND (a.expires IS NULL OR a.expires > :now))
      AND EXISTS (SELECT 1 FROM lease l WHERE l.id = :lease AND NOT l.dead)
    ORDER BY d.due, d.id LIMIT :limit)
RETURNING id, subscriber, contact_point, part, round, tries, crashes, maybe, reason, due
""")


def _reserve(conn: Connection, asked: Sequence[ReserveWindow]) -> list[list[Reservation]]:
    return [_reserve_one(conn, window) for window in asked]


def _reserve_one(conn: Connection, window: ReserveWindow) -> list[Reservation]:
    rows = conn.execute(
        _RESERVE,
        {
            "run": window.run,
            "lease": window.lease,
            "limit": window.limit,
            "now": window.now,
        },
    ).all()
    moves = Moves()
    for row in rows:
        moves[window.run, S.READY, row.reason] -= 1
        moves[window.run, S.RESERVED, row.reason] += 1
    apply_moves(conn, moves)
    return [
        Reservation(
            delivery=row.id,
            run=window.run,
            subscriber=row.subscriber,
            contact_point=row.contact_point,
            part=row.part,
            lease=window.lease,
            round=row.round,
            tries=row.tries,
            crashes=row.crashes,
            maybe=bool(row.maybe),
            reason=row.reason,
        )
        for row in sorted(rows, key=lambda row: (row.due, row.id))
    ]


RESERVE: Final = Kind("reserve", _reserve)


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a reserved row becomes. `due` and `at` in milliseconds; `code` is the provider's own.

    `dead` suspends the contact point, with this reason, in the same transaction.
    """

    row: Reservation
    state: DeliveryState
    at: int
    reason: str = ""
    due: int = 0
    tries: int = 0
    crashes: int = 0
    maybe: bool = False
    provider: str | None = None
    ref: str | None = None
    code: str = ""
    dead: Reason | None = None


_SETTLE: Final = text("""
WITH v AS (SELECT
    json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS lease,
    json_extract(value, '$[2]') AS round, json_extract(value, '$[3]') AS state,
    json_extract(value, '$[4]') AS due, json_extract(value, '$[5]') AS tries,
    json_extract(value, '$[6]') AS crashes, json_extract(value, '$[7]') AS maybe,
    json_extract(value, '$[8]') AS reason, json_extract(value, '$[9]') AS provider,
    json_extract(value, '$[10]') AS ref, json_extract(value, '$[11]') AS at
    FROM json_each(:rows))
UPDATE delivery
SET state = v.state, due = v.due, lease = NULL, tries = v.tries, crashes = v.crashes,
    maybe = delivery.maybe OR v.maybe, reason = v.reason,
    provider = coalesce(v.provider, delivery.provider), ref = coalesce(v.ref, delivery.ref),
    at = v.at
FROM v
WHERE delivery.id = v.id AND delivery.state = 'reserved'
  AND delivery.lease = v.lease AND delivery.round = v.round
RETURNING delivery.id, delivery.round
""")

_ATTEMPT: Final = text("""
INSERT INTO attempt (delivery, round, code, detail, ref, at)
SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
       json_extract(value, '$[3]'), json_extract(value, '$[4]'), json_extract(value, '$[5]')
FROM json_each(:rows)
""")

LATE: Final = "late_accepted"

_SAID: Final = text(
    "SELECT 1 FROM attempt WHERE delivery = :id AND round = :round AND code = :code"
)


def _settle(conn: Connection, settlements: Sequence[Settlement]) -> list[bool]:
    """True for each row whose guard held; a repeated settle answers False and changes nothing."""
    values = [
        (
            *(s.row.delivery, s.row.lease, s.row.round, s.state, s.due, s.tries, s.crashes),
            *(s.maybe, s.reason, s.provider, s.ref, s.at),
        )
        for s in settlements
    ]
    rows = conn.execute(_SETTLE, {"rows": json.dumps(values)})
    settled = {(row.id, row.round) for row in rows}
    held = [(s.row.delivery, s.row.round) in settled for s in settlements]
    moves = Moves()
    for s in compress(settlements, held):
        moves[s.row.run, S.RESERVED, s.row.reason] -= 1
        moves[s.row.run, s.state, s.reason] += 1
        if s.dead is not None:
            directory.suspend(conn, s.row.contact_point, s.dead, from_ms(s.at))
    apply_moves(conn, moves)
    _write_attempts(conn, list(compress(settlements, held)))
    for s, kept in zip(settlements, held, strict=True):
        if not kept:
            _late(conn, s)
    return held


SETTLE: Final = Kind("settle", _settle)


def _write_attempts(conn: Connection, settlements: Sequence[Settlement]) -> None:
    """Failures leave a line of history; a success needs none, its row says it."""
    rows = [
        (s.row.delivery, s.row.round, s.code or s.reason, s.reason, s.ref, s.at)
        for s in settlements
        if s.state not in REACHED and (s.code or s.state in (S.DOUBT, S.PARKED, S.FAILED))
    ]
    if rows:
        conn.execute(_ATTEMPT, {"rows": json.dumps(rows)})


def _late(conn: Connection, late: Settlement) -> None:
    """The effect of a sender who no longer holds the row (ENGINE.md 4.6).

    It is recorded, and makes the row final unless it is reserved again or ended well already. A
    settle that is repeated because its commit's reply was lost changes nothing.
    """
    if late.state not in REACHED:
        return
    row = conn.execute(_ROWS.where(delivery.c.id == late.row.delivery)).one()
    if row.state in REACHED and row.round == late.row.round and row.ref == late.ref:
        return
    attempt = (late.row.delivery, late.row.round, LATE, "", late.ref, late.at)
    if conn.execute(_SAID, dict(zip(("id", "round", "code"), attempt, strict=False))).first():
        return
    conn.execute(_ATTEMPT, {"rows": json.dumps([attempt])})
    if row.state not in REACHED and row.state != S.RESERVED:
        known = {"provider": late.provider, "ref": late.ref} if late.ref else {}
        move(conn, [row], late.state, at=late.at, reason="", **known)


# --------------------------------------------------------------------------- moves by condition

_ROWS: Final = select(
    *(delivery.c.id, delivery.c.run, delivery.c.state, delivery.c.reason),
    *(delivery.c.round, delivery.c.crashes, delivery.c.ref),
)


def rows_where(conn: Connection, *conditions: Any, limit: int) -> Sequence[AnyRow]:
    """(id, run, state, reason, round, crashes, ref) of the rows that match, by id."""
    return conn.execute(_ROWS.where(*conditions).order_by(delivery.c.id).limit(limit)).all()


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


# --------------------------------------------------------------------------- planning


def plan_rows(conn: Connection, run: int, source: Select[Any]) -> tuple[int, int | None]:
    """Insert the rows a `Select` yields and count them by state and reason.

    `source` yields run, subscriber, contact_point, part, state, reason, due, at. Returns how many
    and the first id.
    """
    before = conn.execute(text("SELECT coalesce(max(id), 0) FROM delivery")).scalar_one()
    names = ["run", "subscriber", "contact_point", "part", "state", "reason", "due", "at"]
    conn.execute(delivery.insert().from_select(names, source))
    found = conn.execute(
        text(
            "SELECT state, reason, count(*) AS n, min(id) AS first FROM delivery "
            "WHERE id > :before AND run = :run GROUP BY state, reason"
        ),
        {"before": before, "run": run},
    ).all()
    apply_moves(conn, Moves({(run, row.state, row.reason): row.n for row in found}))
    return sum(row.n for row in found), min((row.first for row in found), default=None)


# --------------------------------------------------------------------------- reading


def next_due(conn: Connection, run: int) -> int | None:
    """When the next ready row of a run is due, None where there is none."""
    due: int | None = conn.execute(
        text("SELECT min(due) FROM delivery WHERE run = :run AND state = 'ready'"), {"run": run}
    ).scalar_one()
    return due


def previous_part(conn: Connection, row: Reservation) -> RowMapping | None:
    """State and provider's reference of the post before this one in its thread."""
    return (
        conn.execute(
            select(delivery.c.state, delivery.c.ref).where(
                delivery.c.subscriber == row.subscriber,
                delivery.c.run == row.run,
                delivery.c.contact_point == row.contact_point,
                delivery.c.part == row.part - 1,
            )
        )
        .mappings()
        .one_or_none()
    )


def page(
    conn: Connection, runs: Sequence[int], after: int, limit: int, states: Sequence[str] = ()
) -> Sequence[RowMapping]:
    """Deliveries of these runs by id, for reports: no address, a person's number only."""
    query = (
        select(delivery)
        .where(delivery.c.run.in_(runs), delivery.c.id > after)
        .order_by(delivery.c.id)
        .limit(limit)
    )
    if states:
        query = query.where(delivery.c.state.in_(states))
    return conn.execute(query).mappings().all()
