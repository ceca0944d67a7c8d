# SPDX-License-Identifier: EUPL-1.2
"""The rows of what the hub writes to its officers: waiting, tried again, sent, erased.

They stand apart from announcements and deliveries: no count of citizens ever sees them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, delete, func, insert, select, update

from hub.ledger.database import AnyRow
from hub.ledger.office_tables import letter as table

KEPT: Final = timedelta(days=30)
"""How long a letter that was sent, or never will be, is kept."""


class LetterState(StrEnum):
    """Where a letter is."""

    WAITING = "waiting"
    SENT = "sent"
    DROPPED = "dropped"  # it had nothing to say any more, or nobody to say it to
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Letter:
    """One of them. `officer` is None where it goes to whoever may approve."""

    id: int
    authority: int
    officer: int | None
    kind: str
    context: Mapping[str, Any] = field(repr=False)
    created: datetime
    attempts: int = 0
    reason: str = ""


def post(
    conn: Connection,
    authority: int,
    officer: int | None,
    kind: str,
    context: Mapping[str, Any],
    *,
    now: datetime,
    due: datetime | None = None,
) -> int:
    """Put a letter on its way, in the caller's transaction. Its number."""
    row: dict[str, Any] = {"authority": authority, "officer": officer, "kind": kind}
    row |= {
        "context": dict(context),
        "state": LetterState.WAITING,
        "created": now,
        "due": due or now,
    }
    added: int = conn.execute(insert(table).values(row).returning(table.c.id)).scalar_one()
    return added


def due(conn: Connection, now: datetime, limit: int) -> Sequence[Letter]:
    """Letters whose time has come, the oldest first."""
    ready = (table.c.state == LetterState.WAITING, table.c.due <= now)
    query = select(table).where(*ready).order_by(table.c.due, table.c.id).limit(limit)
    return [_read(row) for row in conn.execute(query)]


def _read(row: AnyRow) -> Letter:
    return Letter(
        id=row.id,
        authority=row.authority,
        officer=row.officer,
        kind=row.kind,
        context=row.context,
        created=row.created,
        attempts=row.attempts,
        reason=row.reason,
    )


def take(conn: Connection, letter: Letter, again: datetime) -> bool:
    """Count a try before it is made: whatever becomes of this process, the next one is `again`.

    False where another took it, or ended it.
    """
    mine = _as_it_was(letter)
    taken = update(table).where(*mine).values(attempts=letter.attempts + 1, due=again)
    return conn.execute(taken).rowcount == 1


def _as_it_was(letter: Letter) -> tuple[Any, ...]:
    return (
        table.c.id == letter.id,
        table.c.state == LetterState.WAITING,
        table.c.attempts == letter.attempts,
    )


def put_off(conn: Connection, letter: Letter, until: datetime, reason: str) -> None:
    """It did not leave this time."""
    mine = (table.c.id == letter.id, table.c.state == LetterState.WAITING)
    conn.execute(update(table).where(*mine).values(due=until, reason=reason))


def end(
    conn: Connection, letter: Letter, state: LetterState, now: datetime, reason: str = ""
) -> None:
    """It is over: sent, dropped or failed."""
    mine = (table.c.id == letter.id, table.c.state == LetterState.WAITING)
    conn.execute(update(table).where(*mine).values(state=state, ended=now, reason=reason))


def asked_since(conn: Connection, officer: int, kind: str, since: datetime) -> int:
    """How many letters of a kind were put on their way to an officer since then."""
    theirs = (table.c.officer == officer, table.c.created > since, table.c.kind == kind)
    return conn.execute(select(func.count()).select_from(table).where(*theirs)).scalar_one()


def standing(conn: Connection, authority: int) -> tuple[int, Sequence[AnyRow]]:
    """A town's letters that wait after a try that failed, and those given up, latest first:
    rows of (kind, officer, reason, ended)."""
    town = table.c.authority == authority
    tried = (town, table.c.state == LetterState.WAITING, table.c.reason != "")
    again = conn.execute(select(func.count()).select_from(table).where(*tried)).scalar_one()
    lost = select(table.c.kind, table.c.officer, table.c.reason, table.c.ended)
    lost = lost.where(town, table.c.state == LetterState.FAILED).order_by(table.c.id.desc())
    return again, conn.execute(lost.limit(20)).all()


def drop_all(conn: Connection, now: datetime) -> None:
    """None of what waits leaves any more."""
    waiting = update(table).where(table.c.state == LetterState.WAITING)
    conn.execute(waiting.values(state=LetterState.DROPPED, ended=now))


def forget(conn: Connection, now: datetime, limit: int) -> int:
    """Erase letters that were over long ago. Returns how many, `limit` at most."""
    old = select(table.c.id).where(table.c.ended < now - KEPT).limit(limit)
    return conn.execute(delete(table).where(table.c.id.in_(old))).rowcount
