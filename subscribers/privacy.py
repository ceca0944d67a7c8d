# SPDX-License-Identifier: EUPL-1.2
"""The citizen's rights over what we keep: all of it in their hands, or all of it gone.

Both walk the tables that point at a person, so a table added tomorrow is covered today.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Table, delete, select

from channels.base import ChannelName
from subscribers.suppression import SuppressionReason, address_hash, suppress
from subscribers.tables import contact_point, metadata, subscriber, theme, zone


def export_person(conn: Connection, person: int) -> dict[str, Any] | None:
    """Every stored field about `person`, by table (GDPR art. 15 and 20), or None for nobody.

    Times are RFC 3339 texts, themes and zones their keys: ready for `json.dumps`.
    """
    who = conn.execute(select(subscriber).where(subscriber.c.id == person)).mappings().first()
    if who is None:
        return None
    about: dict[str, Any] = {"subscriber": _readable(dict(who))}
    for table, column in _tables_about_people():
        rows = conn.execute(select(table).where(column == person)).mappings()
        about[table.name] = [_readable(_named(conn, dict(row))) for row in rows]
    return about


def erase_person(
    conn: Connection, person: int, now: datetime, *, do_not_contact: bytes | None = None
) -> bool:
    """Leave nothing about `person` in any table of this room (GDPR art. 17).

    With a key in `do_not_contact`, keyed hashes of their addresses go on the do-not-contact
    list, as the person chose. Returns False when there was nobody.
    """
    if do_not_contact is not None:
        held = select(contact_point.c.channel, contact_point.c.address)
        for channel, address in conn.execute(held.where(contact_point.c.subscriber == person)):
            name = ChannelName(channel)
            hashed = address_hash(do_not_contact, name, address)
            suppress(conn, name, hashed, SuppressionReason.DO_NOT_CONTACT, now=now)
    for table, column in _tables_about_people():
        conn.execute(delete(table).where(column == person))
    return conn.execute(delete(subscriber).where(subscriber.c.id == person)).rowcount > 0


def _tables_about_people() -> Iterator[tuple[Table, Column[Any]]]:
    for table in metadata.sorted_tables:
        for column in table.columns:
            if any(key.column is subscriber.c.id for key in column.foreign_keys):
                yield table, column


def _named(conn: Connection, row: dict[str, Any]) -> dict[str, Any]:
    for column, table in (("theme", theme), ("zone", zone)):
        if column in row:
            key = select(table.c.key).where(table.c.id == row[column])
            row[column] = conn.execute(key).scalar_one()
    return row


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in row.items()
    }
