# SPDX-License-Identifier: EUPL-1.2
"""The hold a restored ledger starts on: nothing leaves until somebody released it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from hub.ledger.tables import restored


@dataclass(frozen=True, slots=True)
class Hold:
    """A restore that nobody released: when it was made, and of a backup of when."""

    at: datetime
    backup_of: datetime


def begin(conn: Connection, now: datetime, backup_of: datetime) -> None:
    """From here on nothing leaves."""
    conn.execute(insert(restored).values(at=now, backup_of=backup_of))


def current(conn: Connection) -> Hold | None:
    """The latest restore that was not released, None where everything may leave."""
    row = conn.execute(
        select(restored.c.at, restored.c.backup_of)
        .where(restored.c.released_at.is_(None))
        .order_by(restored.c.id.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else Hold(row.at, row.backup_of)


def end(conn: Connection, now: datetime, by: str) -> None:
    """Everything may leave again."""
    conn.execute(
        update(restored)
        .where(restored.c.released_at.is_(None))
        .values(released_at=now, released_by=by)
    )
