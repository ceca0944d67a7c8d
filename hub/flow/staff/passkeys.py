# SPDX-License-Identifier: EUPL-1.2
"""Passkeys: a key of the officer's own device, which it opens by finger, face or code.

It is both proofs at once. One is added by whoever has a second proof already, so that the password
is never the weaker way in; public keys alone are kept.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import Connection, delete, insert, select, update

from hub.flow.staff import officers
from hub.flow.staff.officers import Officer
from hub.ledger import audit
from hub.ledger.office_tables import passkey as table

MOST: Final = 10
"""Keys of one officer."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a key is good: its domain, its exact origin, its name on the device."""

    domain: str
    origin: str
    name: str


@dataclass(frozen=True, slots=True)
class Made:
    """A key as the ledger keeps it."""

    credential: bytes = field(repr=False)
    public_key: bytes = field(repr=False)
    sign_count: int


@dataclass(frozen=True, slots=True)
class Listed:
    """A key as its owner sees it."""

    id: int
    label: str
    created: datetime
    used: datetime | None


def place_of(public_url: str, name: str) -> Place | None:
    """Where this hub's keys are good; None where browsers make none: without TLS, or at an address
    that is a number."""
    found = urlsplit(public_url)
    domain = found.hostname or ""
    if found.scheme != "https" and domain != "localhost":
        return None
    try:
        ipaddress.ip_address(domain)
    except ValueError:
        return Place(domain, f"{found.scheme}://{found.netloc}", name) if domain else None
    return None


def of_officer(conn: Connection, officer: int) -> Sequence[Listed]:
    """An officer's keys, the oldest first."""
    query = select(table).where(table.c.officer == officer).order_by(table.c.id)
    return [Listed(row.id, row.label, row.created, row.used) for row in conn.execute(query)]


def credentials(conn: Connection, officer: int) -> Sequence[bytes]:
    """What a device must not make again."""
    query = select(table.c.credential).where(table.c.officer == officer)
    return conn.execute(query).scalars().all()


def keep(conn: Connection, who: Officer, made: Made, label: str, now: datetime) -> bool:
    """Add a key; False where it is known already, or there are enough."""
    taken = select(table.c.id).where(table.c.credential == made.credential)
    if conn.execute(taken).first() is not None or len(of_officer(conn, who.id)) >= MOST:
        return False
    row = {"officer": who.id, "credential": made.credential, "public_key": made.public_key}
    row |= {"sign_count": made.sign_count, "label": label, "created": now}
    conn.execute(insert(table).values(row))
    _note(conn, who, "add_passkey", now)
    return True


def remove(conn: Connection, who: Officer, number: int, now: datetime) -> bool:
    """Take one of their keys away; False where it is not theirs."""
    mine = table.c.id == number, table.c.officer == who.id
    gone = conn.execute(delete(table).where(*mine)).rowcount > 0
    if gone:
        _note(conn, who, "remove_passkey", now)
    return gone


def find(conn: Connection, credential: bytes) -> tuple[Officer, Made] | None:
    """Whose key this is; None where it is nobody's, or they are shut out."""
    row = conn.execute(select(table).where(table.c.credential == credential)).one_or_none()
    who = None if row is None else officers.load(conn, row.officer)
    if row is None or who is None:
        return None
    return who, Made(row.credential, row.public_key, row.sign_count)


def note_use(conn: Connection, made: Made, count: int, now: datetime) -> bool:
    """Keep the new count; False where the key was used or taken away meanwhile."""
    mine = table.c.credential == made.credential, table.c.sign_count == made.sign_count
    noted = update(table).where(*mine).values(sign_count=count, used=now)
    return conn.execute(noted).rowcount > 0


def forget_all(conn: Connection, officer: int) -> None:
    """Take an officer's keys away, all of them."""
    conn.execute(delete(table).where(table.c.officer == officer))


def _note(conn: Connection, who: Officer, verb: str, now: datetime) -> None:
    name = f"officer:{who.id}"
    audit.record(conn, now, name, verb, name, authority=who.authority)
