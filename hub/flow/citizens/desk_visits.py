# SPDX-License-Identifier: EUPL-1.2
"""Staff at the desk: a key typed once becomes a short visit of their own.

Who sits there says so, and stands in every line of the audit. Officers of the console need no key.
"""

import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, insert, select, update

from hub.flow.accept.credentials import desk_of_key
from hub.ledger import audit, tokens
from hub.ledger.tables import api_key, desk_visit
from hub.ledger.tokens import hashed

LONGEST: Final = timedelta(hours=4)
IDLE: Final = timedelta(minutes=30)
MOST_TRIES: Final = 10
"""Keys tried a minute from one block of addresses."""


@dataclass(frozen=True, slots=True)
class Clerk:
    """Who is at which desk, and the token that their forms carry. `number` is an officer's who
    signed in to the console, None where a key opened the desk."""

    officer: str
    desk: str
    authority: int
    csrf: str = field(repr=False)
    number: int | None = None

    @property
    def recorded_by(self) -> str:
        """As a consent keeps it."""
        return f"{self.officer} ({self.desk})"

    @property
    def actor(self) -> str:
        """As the audit names the door."""
        return f"desk:{self.desk}" if self.number is None else f"officer:{self.number}"


def sign_in(conn: Connection, authority: int, key: str, officer: str, now: datetime) -> str | None:
    """Open a visit with a desk's key; its token, for the cookie. None where no desk of this
    authority has that key."""
    desk = desk_of_key(conn, key)
    if desk is None or desk["authority"] != authority:
        return None
    token = secrets.token_urlsafe(32)
    row = {"key": desk["id"], "officer": officer, "created": now, "seen": now}
    row |= {"token_hash": hashed(token), "expires": now + LONGEST}
    conn.execute(insert(desk_visit).values(row))
    detail = {"officer": officer}
    who = f"desk:{desk['name']}"
    audit.record(conn, now, who, "sign_in", who, authority=authority, detail=detail)
    return token


def holder(conn: Connection, token: str, now: datetime) -> Clerk | None:
    """Who holds this token; None where the visit is over, idle for half an hour, or its key was
    revoked."""
    row = conn.execute(
        select(desk_visit, api_key.c.name, api_key.c.authority)
        .join_from(desk_visit, api_key, api_key.c.id == desk_visit.c.key)
        .where(
            desk_visit.c.token_hash == hashed(token),
            desk_visit.c.expires > now,
            desk_visit.c.seen > now - IDLE,
            api_key.c.revoked.is_(None),
            api_key.c.may_enrol,
        )
    ).one_or_none()
    if row is None:
        return None
    return Clerk(row.officer, row.name, row.authority, _csrf(token))


def clerk_of(conn: Connection, token: str, now: datetime) -> Clerk | None:
    """As `holder`; being asked is what keeps the visit from being idle."""
    clerk = holder(conn, token, now)
    if clerk is not None:
        mine = desk_visit.c.token_hash == hashed(token)
        conn.execute(update(desk_visit).where(mine).values(seen=now))
    return clerk


def sign_out(conn: Connection, token: str) -> None:
    """End the visit. Harmless where it is over."""
    conn.execute(delete(desk_visit).where(desk_visit.c.token_hash == hashed(token)))


def forget(conn: Connection, now: datetime, limit: int) -> int:
    """Erase visits that are over. Returns how many, `limit` at most."""
    return tokens.forget(conn, desk_visit, now, limit)


def is_theirs(clerk: Clerk, given: str) -> bool:
    """Whether a form carries the token of this visit."""
    return hmac.compare_digest(clerk.csrf.encode(), given.encode("utf-8", "surrogateescape"))


def _csrf(token: str) -> str:
    return hmac.digest(token.encode("utf-8", "surrogateescape"), b"csrf", "sha256").hex()
