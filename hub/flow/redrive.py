# SPDX-License-Identifier: EUPL-1.2
"""What a human decides about parked and failed deliveries: send again, or give up."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, literal, select, tuple_

from channels.base import Reason
from hub.delivery import DeliveryState
from hub.flow.accept.principal import Principal
from hub.flow.send.settle import doubt_wait
from hub.flow.upkeep import PAGE, reopen
from hub.ledger import announcements, audit, deliveries, digests, runs
from hub.ledger.database import AnyRow
from hub.ledger.tables import delivery, run
from subscribers.tables import to_ms


@dataclass(frozen=True, slots=True)
class Choice:
    """Which rows: those of one announcement, set aside for one reason, one alone; or all.

    What failed is chosen only where `failed` says so, or where its reason or number is named; with
    `parked_only` not even then. `why` is what whoever decides wrote for the journal.
    """

    code: str | None = None
    reason: Reason | None = None
    delivery: int | None = None
    failed: bool = False
    abandon: bool = False
    parked_only: bool = False
    why: str = ""

    @property
    def states(self) -> Sequence[DeliveryState]:
        """What is given up is parked; what failed has ended already."""
        named = self.failed or self.reason is not None or self.delivery is not None
        if named and not (self.abandon or self.parked_only):
            return (DeliveryState.PARKED, DeliveryState.FAILED)
        return (DeliveryState.PARKED,)


@dataclass(frozen=True, slots=True)
class Redriven:
    """How many rows, and how many of them may have left already."""

    rows: int
    maybe_sent: int


EVERYTHING_PARKED: Final = Choice()


def redrive(
    conn: Connection, principal: Principal, now: datetime, choice: Choice = EVERYTHING_PARKED
) -> Redriven:
    """Send parked or failed rows again, or end parked ones as failed.

    A row parked out of doubt may have left already: sending it again is the human's decision, and
    the journal says who took it.
    """
    moved = maybe = 0
    for rows in _pages(conn, _chosen(conn, principal, choice), choice.states):
        if choice.abandon:
            deliveries.move(conn, rows, DeliveryState.FAILED, at=to_ms(now))
        else:
            again(conn, rows, now)
        moved += len(rows)
        maybe += sum(bool(row.maybe) for row in rows)
    if moved:
        _say(conn, principal, now, choice, moved)
    return Redriven(moved, maybe)


def _pages(
    conn: Connection, chosen: Sequence[ColumnElement[bool]], states: Sequence[DeliveryState]
) -> Iterator[Sequence[AnyRow]]:
    """The chosen rows, a page at a time, each of one state; none is passed twice.

    What is parked has an index in this order, what failed has none: the table's own is the best.
    """
    for state in states:
        parked = state is DeliveryState.PARKED
        order = (delivery.c.run, delivery.c.id) if parked else (delivery.c.id,)
        after: list[ColumnElement[bool]] = []
        meant = [*chosen, delivery.c.state == state]
        while rows := deliveries.rows_where(conn, *meant, *after, limit=PAGE, order=order):
            last = rows[-1]
            seen = (last.run, last.id) if parked else (last.id,)
            after = [tuple_(*order) > tuple_(*map(literal, seen))]
            yield rows


def _say(conn: Connection, principal: Principal, now: datetime, choice: Choice, moved: int) -> None:
    detail = {"rows": moved, "reason": choice.reason, "delivery": choice.delivery}
    audit.record(
        conn,
        now,
        principal.name,
        "abandon" if choice.abandon else "redrive",
        f"announcement:{choice.code}" if choice.code else "announcements",
        authority=principal.authority,
        detail=detail | ({"why": choice.why} if choice.why else {}),
    )


def _chosen(conn: Connection, principal: Principal, choice: Choice) -> list[ColumnElement[bool]]:
    authority = principal.authority
    wanted = select(run.c.id).where(run.c.authority == authority)
    if choice.code is not None:
        found = announcements.by_code(conn, choice.code, authority)
        wanted = wanted.where(run.c.announcement == (found.id if found else -1))
    meant = digests.of_runs_or_carrying(wanted)
    conditions = [meant]
    if not principal.may_operate:  # a digest carries what others published too
        conditions.append(delivery.c.run.in_(wanted))
    if choice.reason is not None:
        conditions.append(delivery.c.reason == choice.reason)
    if choice.delivery is not None:
        conditions.append(delivery.c.id == choice.delivery)
    return conditions


def again(conn: Connection, rows: Sequence[AnyRow], now: datetime) -> None:
    """Send rows that failed or are parked once more, in a round of their own.

    What was parked out of doubt is in doubt again: it is looked up first, where that can be done.
    """
    at = to_ms(now)
    fresh: dict[str, Any] = {"reason": Reason.REDRIVEN, "tries": 0, "crashes": 0}
    for run_id in sorted({row.run for row in rows}):
        mine = [row for row in rows if row.run == run_id]
        doubtful = [row for row in mine if row.maybe and row.state == DeliveryState.PARKED]
        others = [row for row in mine if not (row.maybe and row.state == DeliveryState.PARKED)]
        wait = doubt_wait(runs.by_id(conn, run_id))
        deliveries.move(conn, doubtful, DeliveryState.DOUBT, at=at, due=at + wait, **fresh)
        # an old round's receipt says nothing of this try
        begun: dict[str, Any] = {"due": at, "round": delivery.c.round + 1, "ref": None}
        deliveries.move(conn, others, DeliveryState.READY, at=at, **begun, **fresh)
        reopen(conn, [run_id], now)
