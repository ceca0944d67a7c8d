# SPDX-License-Identifier: EUPL-1.2
"""The answers of somebody who is subscribing, for half an hour after the last of them.

The token is in one browser only; here is its hash, and what was answered.
"""

import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from subscribers.tables import draft

COOKIE: Final = "draft"
"""The cookie that holds the token (`hub.web.cookies`)."""
LIFETIME: Final = timedelta(minutes=30)
PERSON: Final = "person"
"""Where the document names the pending person, once the answers were handed in."""


def keep(
    conn: Connection, authority: int, token: str | None, document: Mapping[str, Any], now: datetime
) -> str:
    """Write the answers down, in the place of those before. Returns the token: the same while it
    lives, a new one (192 random bits) where there was none, or it is over."""
    values = {"document": dict(document), "expires": now + LIFETIME}
    if token is not None:
        change = update(draft).where(_open(authority, token, now)).values(values)
        if conn.execute(change).rowcount:
            return token
    token = secrets.token_urlsafe(24)
    row = {"token_hash": _hash(token), "authority": authority, "created": now, **values}
    conn.execute(insert(draft).values(row))
    return token


def find(conn: Connection, authority: int, token: str, now: datetime) -> dict[str, Any] | None:
    """What was answered, None where nothing is kept (any more)."""
    query = select(draft.c.document).where(_open(authority, token, now))
    found = conn.execute(query).scalar_one_or_none()
    return None if found is None else dict(found)


def person_of(conn: Connection, authority: int, token: str, now: datetime) -> int | None:
    """The person these answers were written down as: unconfirmed, until one of their addresses or
    a device is. None before the answers were handed in, and for no draft."""
    document = find(conn, authority, token, now) or {}
    person = document.get(PERSON)
    return person if isinstance(person, int) else None


def close(conn: Connection, authority: int, token: str) -> None:
    """Forget the answers."""
    mine = (draft.c.token_hash == _hash(token)) & (draft.c.authority == authority)
    conn.execute(delete(draft).where(mine))


def close_of(conn: Connection, person: int) -> None:
    """Forget the answers that were written down as this person."""
    theirs = draft.c.document[PERSON].as_integer() == person
    conn.execute(delete(draft).where(theirs))


def forget(conn: Connection, now: datetime, limit: int) -> int:
    """Erase drafts that are over. Returns how many, `limit` at most."""
    over = select(draft.c.token_hash).where(draft.c.expires <= now).limit(limit)
    return conn.execute(delete(draft).where(draft.c.token_hash.in_(over))).rowcount


def _open(authority: int, token: str, now: datetime) -> ColumnElement[bool]:
    mine = (draft.c.token_hash == _hash(token)) & (draft.c.authority == authority)
    return mine & (draft.c.expires > now)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
