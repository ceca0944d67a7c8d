# SPDX-License-Identifier: EUPL-1.2
"""Links that let an officer choose a password: an invitation, a forgotten one. Each good once.

Kept as hashes; opening one changes nothing, choosing the password uses it up.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, delete, insert, select, update

from hub.flow.staff import officers
from hub.flow.staff.officers import Officer
from hub.flow.staff.sessions import end_others
from hub.ledger import tokens
from hub.ledger.office_tables import office_link as table
from hub.ledger.tokens import hashed


class Purpose(StrEnum):
    """What a link is for."""

    INVITATION = "invitation"
    RESET = "reset"


LIVES: Final = {Purpose.INVITATION: timedelta(hours=72), Purpose.RESET: timedelta(hours=24)}


@dataclass(frozen=True, slots=True)
class Link:
    """A living link: whose, what for, until when."""

    officer: Officer
    purpose: Purpose
    expires: datetime


def issue(conn: Connection, officer: int, purpose: Purpose, now: datetime) -> str:
    """A new link's token, shown this once; the officer's earlier links end."""
    end(conn, officer)
    token = secrets.token_urlsafe(32)
    keep(conn, officer, purpose, token, now, LIVES[purpose])
    return token


def keep(  # noqa: PLR0917 (the columns of a row)
    conn: Connection, officer: int, purpose: Purpose, token: str, now: datetime, life: timedelta
) -> None:
    """A link of this token. It ends no other: whoever asked for it proved nothing."""
    row = {"token_hash": hashed(token), "officer": officer, "purpose": purpose}
    conn.execute(insert(table).values(row | {"created": now, "expires": now + life}))


def find(conn: Connection, token: str, now: datetime) -> Link | None:
    """The link of a token; None where it was used, is over, or its officer disabled."""
    row = conn.execute(
        select(table).where(
            table.c.token_hash == hashed(token), table.c.expires > now, table.c.used_at.is_(None)
        )
    ).one_or_none()
    who = None if row is None else officers.load(conn, row.officer)
    if row is None or who is None:
        return None
    return Link(who, Purpose(row.purpose), row.expires)


def use(conn: Connection, token: str, password_hash: str, now: datetime) -> Link | None:
    """Choose the password of a link's officer: their sessions end, this link and all others.

    None where the link is good no more.
    """
    link = find(conn, token, now)
    if link is None:
        return None
    mine = table.c.token_hash == hashed(token)
    conn.execute(update(table).where(mine).values(used_at=now))
    verb = "accept_invitation" if link.purpose is Purpose.INVITATION else "reset_password"
    changed = {"password_hash": password_hash}
    actor = f"officer:{link.officer.id}"
    officers.change(conn, link.officer, changed, verb=verb, actor=actor, now=now)
    end(conn, link.officer.id)
    end_others(conn, link.officer.id, None)
    return link


def waiting(conn: Connection, officer: int, now: datetime) -> datetime | None:
    """Until when an officer's longest link is good; None where they have none."""
    theirs = table.c.officer == officer, table.c.used_at.is_(None), table.c.expires > now
    longest = select(table.c.expires).where(*theirs).order_by(table.c.expires.desc()).limit(1)
    return conn.execute(longest).scalar()


def end(conn: Connection, officer: int) -> None:
    """End an officer's links."""
    conn.execute(delete(table).where(table.c.officer == officer, table.c.used_at.is_(None)))


def end_all(conn: Connection) -> None:
    """End everybody's links."""
    conn.execute(delete(table))


def forget(conn: Connection, now: datetime, limit: int) -> int:
    """Erase links that are over. Returns how many, `limit` at most."""
    return tokens.forget(conn, table, now, limit)
