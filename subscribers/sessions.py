# SPDX-License-Identifier: EUPL-1.2
"""A citizen's visit to their own pages: opened once, kept alive by use, never for long.

The token is in one browser only; here is its hash, which opens nothing.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from subscribers.tables import session

IDLE: Final = timedelta(minutes=30)
"""A visit nobody uses ends (UX.md 7.5)."""
LONGEST: Final = timedelta(hours=2)
"""However much it is used."""


@dataclass(frozen=True, slots=True)
class Session:
    """An open visit. `undo`: what the person stopped last, as `undoing` wrote it, or None."""

    person: int
    created: datetime
    expires: datetime
    undo: dict[str, Any] | None


def open_for(conn: Connection, person: int, now: datetime) -> str:
    """Open a visit; its token: 256 random bits in base64url. Raises
    `sqlalchemy.exc.IntegrityError` for nobody."""
    token = secrets.token_urlsafe(32)
    row = {"token_hash": _hash(token), "subscriber": person, "created": now, "expires": now + IDLE}
    conn.execute(insert(session).values(row))
    return token


def find(conn: Connection, token: str, now: datetime) -> Session | None:
    """The visit of this token, None where there is none or it is over."""
    open_ = _of(token) & (session.c.expires > now)
    row = conn.execute(select(session).where(open_)).one_or_none()
    return None if row is None else Session(row.subscriber, row.created, row.expires, row.undo)


def renew(conn: Connection, token: str, now: datetime) -> datetime | None:
    """It was used: it lasts another half-hour, two hours in all. When it ends now; None where it
    was over already."""
    found = find(conn, token, now)
    if found is None:
        return None
    expires = min(now + IDLE, found.created + LONGEST)
    conn.execute(update(session).where(_of(token)).values(expires=expires))
    return expires


def remember(conn: Connection, token: str, undo: dict[str, Any] | None) -> None:
    """Keep what can be undone for the rest of the visit, in the place of what was kept before."""
    conn.execute(update(session).where(_of(token)).values(undo=undo))


def close(conn: Connection, token: str) -> None:
    """End this visit."""
    conn.execute(delete(session).where(_of(token)))


def end_of(conn: Connection, person: int) -> None:
    """End every visit to the pages of this person."""
    conn.execute(delete(session).where(session.c.subscriber == person))


def forget(conn: Connection, now: datetime, limit: int) -> int:
    """Erase visits that are over. Returns how many, `limit` at most."""
    over = select(session.c.token_hash).where(session.c.expires <= now).limit(limit)
    return conn.execute(delete(session).where(session.c.token_hash.in_(over))).rowcount


def _of(token: str) -> ColumnElement[bool]:
    return session.c.token_hash == _hash(token)


def _hash(token: str) -> str:
    """256 random bits are guessed by nobody: no key and no salt are needed."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
