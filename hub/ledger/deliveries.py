# SPDX-License-Identifier: EUPL-1.2
"""The hot statements: a delivery reserved, settled, moved (ENGINE.md 4.4 to 4.7).

Each takes many rows in one statement and moves the counts by the rows that really changed.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import compress
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, Select, select, text
from sqlalchemy.exc import IntegrityError

from channels.base import Reason
from hub.delivery import REACHED, DeliveryState
from hub.ledger import late, receipts
from hub.ledger.counting import Moves, apply_moves
from hub.ledger.database import AnyRow
from hub.ledger.moves import follow, move, rows_where, tell_next
from hub.ledger.tables import delivery
from hub.ledger.twins import leaves_others_untold
from hub.ledger.writer import Kind
from subscribers import directory
from subscribers.tables import from_ms

__all__ = ["move", "rows_where"]  # deliveries.move reads well where one is moved

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
    fallback: bool = False  # stands in for a delivery on another channel


@dataclass(frozen=True, slots=True)
class ReserveWindow:
    """Ask for the next few ready rows of a run. `now` in milliseconds; `steady` too, on the clock
    that leases count by."""

    run: int
    lease: int
    limit: int
    now: int
    steady: int = 0


# Not behind a post that may still become public: whoever comes too early would be held, and
# reserved again, for as long as that one waits for a human.
_IN_TURN: Final = """(d.part = 0 OR NOT EXISTS (
        SELECT 1 FROM delivery b
        WHERE b.subscriber = d.subscriber AND b.run = d.run AND b.contact_point = d.contact_point
          AND b.part = d.part - 1 AND b.state IN ('ready', 'reserved', 'doubt', 'parked')))"""

_RESERVE: Final = text(f"""
UPDATE delivery
SET state = 'reserved', lease = :lease, round = round + 1, since = coalesce(since, :now), at = :now
WHERE id IN (
    SELECT d.id FROM delivery d
    WHERE d.run = :run AND d.state = 'ready' AND d.due <= :now AND {_IN_TURN}
      AND EXISTS (SELECT 1 FROM run r JOIN announcement a ON a.id = r.announcement
                  WHERE r.id = :run AND NOT r.paused AND a.cancelled_at IS NULL
                    AND (a.expires IS NULL OR a.expires > :now))
      AND EXISTS (SELECT 1 FROM lease l WHERE l.id = :lease AND NOT l.dead
                    AND (l.alive_until IS NULL OR l.alive_until > :steady))
    ORDER BY d.due, d.id LIMIT :limit)
RETURNING id, subscriber, contact_point, part, round, tries, crashes, maybe, reason, due,
          fallback_of
""")  # noqa: S608 (a constant of ours)


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
            "steady": window.steady,
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
            fallback=row.fallback_of is not None,
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


def _settle(conn: Connection, settlements: Sequence[Settlement]) -> list[bool]:
    """True for each row whose guard held; a repeated settle answers False and changes nothing."""
    rows = _update(conn, settlements)
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
    at = max(s.at for s in settlements)
    follow(conn, [s.row.delivery for s in compress(settlements, held)], at)
    left_alone = (s for s in compress(settlements, held) if leaves_others_untold(s.state, s.reason))
    tell_next(conn, [s.row.delivery for s in left_alone], at)
    _hear_the_late(conn, settlements, held, at)
    receipts.fold(conn, [s.row.delivery for s in settlements], at)
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


def _update(conn: Connection, settlements: Sequence[Settlement]) -> Sequence[AnyRow]:
    """The rows whose guard held. One savepoint for all: two rows hardly ever bear one reference."""
    try:
        with conn.begin_nested():
            return conn.execute(_SETTLE, {"rows": _values(settlements)}).all()
    except IntegrityError:
        named = _name_once(conn, settlements)
        return conn.execute(_SETTLE, {"rows": _values(named)}).all()


def _values(settlements: Sequence[Settlement]) -> str:
    return json.dumps(
        [
            (
                *(s.row.delivery, s.row.lease, s.row.round, s.state, s.due, s.tries, s.crashes),
                *(s.maybe, s.reason, s.provider, s.ref, s.at),
            )
            for s in settlements
        ]
    )


def _name_once(conn: Connection, settlements: Sequence[Settlement]) -> list[Settlement]:
    """The same, a reference on one row only: the answer's own row takes it back from a row that
    a look-up took it for (ENGINE.md section 5)."""
    named: list[Settlement] = []
    given: set[tuple[str | None, str]] = set()
    for s in settlements:
        free = s.ref is None or (
            (s.provider, s.ref) not in given
            and late.take_back(conn, s.provider, s.ref, s.row.delivery, s.at)
        )
        if s.ref is not None:
            given.add((s.provider, s.ref))
        named.append(s if free else replace(s, ref=None))
    return named


def _hear_the_late(
    conn: Connection, settlements: Sequence[Settlement], held: Sequence[bool], at: int
) -> None:
    """Effects of senders who no longer hold their row; and those that waited for a holder's settle
    which did not end well (ENGINE.md 4.6)."""
    for s, kept in zip(settlements, held, strict=True):
        if not kept:
            row = s.row
            effect = late.Effect(row.delivery, row.round, s.state, s.provider, s.ref, s.at)
            late.arrived(conn, effect)
    unsent = [s.row.delivery for s in compress(settlements, held) if s.state not in REACHED]
    late.settle_known(conn, unsent, at)


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


_NEXT_DUE: Final = text(
    f"SELECT d.due FROM delivery d WHERE d.run = :run AND d.state = 'ready' AND {_IN_TURN} "  # noqa: S608
    "ORDER BY d.due LIMIT 1"
)


def next_due(conn: Connection, run: int) -> int | None:
    """When the next ready row of a run is due, None where there is none, or none whose turn it
    is."""
    due: int | None = conn.execute(_NEXT_DUE, {"run": run}).scalar_one_or_none()
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
