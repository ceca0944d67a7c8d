# SPDX-License-Identifier: EUPL-1.2
"""What each source posted lately, and what became of it: the last twenty, a month at most.

Only what bore its signature is kept, so that nobody else fills the ledger.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from hub.ledger.office_tables import payload
from hub.ledger.tables import source

KEPT: Final = 20
LARGEST: Final = 16_384
"""Bytes of one that are kept; the rest is cut off."""
MONTH: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Payload:
    """One request. `said` is the refusal's code, "" for none; `code` the announcement it became."""

    at: datetime
    body: str
    status: int
    said: str
    code: str | None


def keep(
    conn: Connection,
    key: str,
    body: bytes,
    now: datetime,
    *,
    status: int,
    said: str = "",
    code: str | None = None,
) -> None:
    """Keep one, and forget those before the last twenty of the same source."""
    number = conn.execute(select(source.c.id).where(source.c.key == key)).scalar_one()
    row = {"source": number, "at": now, "body": body[:LARGEST]}
    conn.execute(insert(payload).values(**row, status=status, said=said, code=code))
    newest = select(payload.c.id).where(payload.c.source == number).order_by(payload.c.id.desc())
    last = conn.execute(newest.offset(KEPT - 1).limit(1)).scalar_one_or_none()
    if last is not None:
        conn.execute(delete(payload).where(payload.c.source == number, payload.c.id < last))


def latest(conn: Connection, number: int) -> Sequence[Payload]:
    """The last twenty of a source, newest first."""
    query = select(payload).where(payload.c.source == number).order_by(payload.c.id.desc())
    rows = conn.execute(query.limit(KEPT))
    return [
        Payload(row.at, row.body.decode("utf-8", "replace"), row.status, row.said, row.code)
        for row in rows
    ]


def forget(conn: Connection, now: datetime, limit: int) -> int:
    """Erase what is older than a month. Returns how many, `limit` at most."""
    old = select(payload.c.id).where(payload.c.at < now - MONTH).limit(limit)
    return conn.execute(delete(payload).where(payload.c.id.in_(old))).rowcount
