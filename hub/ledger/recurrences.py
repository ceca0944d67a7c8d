# SPDX-License-Identifier: EUPL-1.2
"""Announcements that come again: what was asked, by which rule, and when the next time is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, select, update

from hub.ledger.database import AnyRow
from hub.ledger.tables import recurrence as table


@dataclass(frozen=True, slots=True)
class Recurrence:
    """`code` is that of its first announcement, whose approval speaks for all. `next` None: over.

    `document` is the submission as it was asked, `rule` its `repeat`.
    """

    id: int
    code: str
    authority: int
    document: Mapping[str, Any]
    rule: Mapping[str, Any]
    source: str
    author: str
    next: datetime | None
    created: datetime
    ended: datetime | None


def insert(
    conn: Connection,
    first: Any,
    document: Mapping[str, Any],
    rule: Mapping[str, Any],
    *,
    source: str,
    source_key: str,
    following: datetime | None,
) -> None:
    """Keep it beside its `first` announcement. `following`: when it comes the second time."""
    conn.execute(
        table.insert().values(
            code=first.code,
            authority=first.authority,
            document=dict(document),
            rule=dict(rule),
            source=source,
            source_key=source_key,
            author=first.author,
            next=following,
            created=first.created,
        )
    )


def due(conn: Connection, now: datetime) -> Sequence[Recurrence]:
    """Those whose time has come."""
    return _read(conn, select(table).where(table.c.next <= now, table.c.ended.is_(None)))


def of_authority(conn: Connection, authority: int) -> Sequence[Recurrence]:
    """All that were ever asked, the newest first."""
    return _read(conn, select(table).where(table.c.authority == authority))[::-1]


def by_code(conn: Connection, code: str, authority: int) -> Recurrence | None:
    """The one whose first announcement has this code."""
    found = _read(conn, select(table).where(table.c.code == code, table.c.authority == authority))
    return found[0] if found else None


def advance(conn: Connection, recurrence_id: int, following: datetime | None) -> None:
    """When it comes again; None: never."""
    conn.execute(update(table).where(table.c.id == recurrence_id).values(next=following))


def forget(conn: Connection, code: str) -> None:
    """Its first announcement is written anew before it ever left: so is this, if it still comes."""
    conn.execute(table.delete().where(table.c.code == code))


def end(conn: Connection, recurrence_id: int, now: datetime) -> None:
    """It comes no more."""
    stopped = update(table).where(table.c.id == recurrence_id, table.c.ended.is_(None))
    conn.execute(stopped.values(next=None, ended=now))


def refuse(conn: Connection, code: str, now: datetime) -> None:
    """Its first announcement never leaves: so do none of the others."""
    mine = update(table).where(table.c.code == code, table.c.ended.is_(None))
    conn.execute(mine.values(next=None, ended=now))


def _read(conn: Connection, query: Select[Any]) -> list[Recurrence]:
    rows: Sequence[AnyRow] = conn.execute(query.order_by(table.c.id)).all()
    return [
        Recurrence(
            id=row.id,
            code=row.code,
            authority=row.authority,
            document=row.document,
            rule=row.rule,
            source=row.source,
            author=row.author,
            next=row.next,
            created=row.created,
            ended=row.ended,
        )
        for row in rows
    ]
