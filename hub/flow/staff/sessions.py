# SPDX-License-Identifier: EUPL-1.2
"""Officers' sessions: opaque tokens, kept as hashes, half an hour idle, twelve hours at most.

Whoever gave a password where a second proof is asked holds a session of stage `SECOND`, good for
giving that proof and nothing else; it is replaced (rotated) when it opens.
"""

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, delete, insert, select, update

from hub.flow.staff import officers
from hub.flow.staff.officers import Officer
from hub.ledger import tokens
from hub.ledger.office_tables import officer as officer_table
from hub.ledger.office_tables import officer_session as table
from hub.ledger.tokens import hashed

IDLE: Final = timedelta(minutes=30)
NOBODY: Final = 0
"""Whose session it is while a passkey is asked for, and nobody knows whose it will be."""
LONGEST: Final = timedelta(hours=12)
UNPROVEN: Final = timedelta(minutes=10)
"""How long somebody has to give the second proof."""
MOST_TRIES: Final = 5
"""Wrong second proofs: with the last one the session ends."""
WORTH_WRITING: Final = timedelta(minutes=1)


class Stage(StrEnum):
    """How far a session has come."""

    SECOND = "second"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Session:
    """A living session: whose, the token its forms carry, how far it has come."""

    officer: Officer
    stage: Stage
    seen: datetime
    token: str = field(repr=False)

    @property
    def csrf(self) -> str:
        """What every form of this session carries."""
        return hmac.digest(self.token.encode("utf-8", "replace"), b"csrf", "sha256").hex()[:32]


def start(
    conn: Connection, officer: int, now: datetime, *, stage: Stage, former: str | None = None
) -> str:
    """A new session's token, in the place of the one this browser had."""
    if former is not None:
        end(conn, former)
    token = secrets.token_urlsafe(32)
    life = LONGEST if stage is Stage.OPEN else UNPROVEN
    row = {"token_hash": hashed(token), "officer": officer, "stage": stage}
    conn.execute(insert(table).values(row | {"created": now, "seen": now, "expires": now + life}))
    if stage is Stage.OPEN:
        seen = update(officer_table).where(officer_table.c.id == officer).values(seen=now)
        conn.execute(seen)
    return token


def find(conn: Connection, token: str, now: datetime) -> Session | None:
    """The session of a token; None where it is over, idle too long, or its officer disabled."""
    row = conn.execute(
        select(table).where(
            table.c.token_hash == hashed(token), table.c.expires > now, table.c.seen > now - IDLE
        )
    ).one_or_none()
    who = None if row is None else officers.load(conn, row.officer)
    if row is None or who is None:
        return None
    return Session(who, Stage(row.stage), row.seen, token)


def touch(conn: Connection, token: str, now: datetime) -> None:
    """Being used is what keeps a session from being idle."""
    conn.execute(update(table).where(table.c.token_hash == hashed(token)).values(seen=now))


def challenge(conn: Connection, token: str) -> bytes:
    """Something new for a passkey to sign, good once in this session."""
    asked = secrets.token_bytes(32)
    conn.execute(update(table).where(table.c.token_hash == hashed(token)).values(challenge=asked))
    return asked


def take_challenge(conn: Connection, token: str, now: datetime) -> bytes | None:
    """What was to be signed; None where nothing was, or it was taken already."""
    mine = table.c.token_hash == hashed(token), table.c.expires > now
    asked: bytes | None = conn.execute(select(table.c.challenge).where(*mine)).scalar()
    if asked is not None:
        conn.execute(update(table).where(*mine).values(challenge=None))
    return asked


def count_wrong(conn: Connection, token: str) -> int:
    """Note a wrong second proof; how many tries are left. With the last one the session ends."""
    mine = update(table).where(table.c.token_hash == hashed(token))
    noted = mine.values(tries=table.c.tries + 1).returning(table.c.tries)
    wrong = conn.execute(noted).scalar()
    left = 0 if wrong is None else max(0, MOST_TRIES - wrong)
    if not left:
        end(conn, token)
    return left


def open_ones(conn: Connection, officer: int, now: datetime) -> Sequence[datetime]:
    """When each living session of an officer was last used, the latest first."""
    living = table.c.officer == officer, table.c.expires > now, table.c.seen > now - IDLE
    return (
        conn.execute(
            select(table.c.seen)
            .where(*living, table.c.stage == Stage.OPEN)
            .order_by(table.c.seen.desc())
        )
        .scalars()
        .all()
    )


def end(conn: Connection, token: str) -> None:
    """End one session. Harmless where it is over."""
    conn.execute(delete(table).where(table.c.token_hash == hashed(token)))


def end_others(conn: Connection, officer: int, token: str | None) -> int:
    """End every session of an officer but this one; how many there were."""
    theirs = delete(table).where(table.c.officer == officer)
    if token is not None:
        theirs = theirs.where(table.c.token_hash != hashed(token))
    return conn.execute(theirs).rowcount


def end_all(conn: Connection) -> None:
    """End every session of everybody: whoever is at a browser signs in again."""
    conn.execute(delete(table))


def forget(conn: Connection, now: datetime, limit: int) -> int:
    """Erase sessions that are over. Returns how many, `limit` at most."""
    return tokens.forget(conn, table, now, limit)
