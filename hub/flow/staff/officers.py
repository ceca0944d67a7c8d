# SPDX-License-Identifier: EUPL-1.2
"""The officers of a town hall: appointed, found, disabled. Their passwords are kept as argon2id."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, RowMapping, func, insert, select, update

from channels.base import Urgency
from hub.flow.accept.principal import Principal
from hub.flow.staff import passwords
from hub.flow.staff.roles import Grants, Role, kept, read_grants, reading
from hub.ledger import audit
from hub.ledger.office_tables import officer as table
from hub.ledger.office_tables import officer_session

_HASHER: Final = PasswordHasher()


@dataclass(frozen=True, slots=True)
class Officer:
    """Somebody of the town hall. `language` is theirs, or None for the browser's."""

    id: int
    authority: int
    name: str
    email: str = field(repr=False)
    grants: Grants
    language: str | None = None
    second_proof: bool = False  # a code or a passkey was set up

    def may(self, role: Role) -> bool:
        """Whether this role is theirs, under some theme at least."""
        return role in self.grants or (role == Role.READ and reading(self.grants) != ())

    def principal(self, role: Role) -> Principal:
        """As the flow knows who asks: within the themes of `role`, entitled to publish by
        `Role.APPROVE` alone."""
        themes = reading(self.grants) if role is Role.READ else self.grants.get(role, ())
        return Principal(
            source=f"officer:{self.id}",
            name=self.name,
            authority=self.authority,
            themes=themes,
            highest_urgency=Urgency.URGENT,
            may_publish=role is Role.APPROVE and role in self.grants,
        )


class EmailTakenError(Exception):
    """An officer of this ledger has that e-mail address already."""


_LIVING: Final = table.c.disabled.is_(None)


def _read(row: RowMapping) -> Officer:
    return Officer(
        id=row["id"],
        authority=row["authority"],
        name=row["name"],
        email=row["email"],
        grants=read_grants(row["roles"]),
        language=row["language"],
        second_proof=row["sealed_totp"] is not None,
    )


def appoint(
    conn: Connection,
    authority: int,
    email: str,
    name: str,
    grants: Grants,
    *,
    actor: str,
    now: datetime,
    password: str | None = None,
) -> int:
    """A new officer's number; without a password until an invitation is taken up.

    Raises `EmailTakenError`: an address signs in to one town, whatever the ledger holds.
    """
    address = normal(email)
    if conn.execute(select(table.c.id).where(table.c.email == address)).first() is not None:
        raise EmailTakenError(address)
    row = {"authority": authority, "email": address, "name": name, "roles": kept(grants)}
    row |= {"password_hash": password and _HASHER.hash(passwords.plain(password)), "created": now}
    added: int = conn.execute(insert(table).values(row).returning(table.c.id)).scalar_one()
    audit.record(conn, now, actor, "appoint", f"officer:{added}", authority=authority)
    return added


def normal(email: str) -> str:
    """An address as it is compared."""
    return email.strip().lower()


def load(conn: Connection, number: int, authority: int | None = None) -> Officer | None:
    """A living officer; of one authority only, where one is given."""
    query = select(table).where(table.c.id == number, _LIVING)
    if authority is not None:
        query = query.where(table.c.authority == authority)
    row = conn.execute(query).mappings().one_or_none()
    return None if row is None else _read(row)


def of_authority(conn: Connection, authority: int) -> Sequence[Officer]:
    """The living officers of a town, by name."""
    query = select(table).where(table.c.authority == authority, _LIVING).order_by(table.c.name)
    return [_read(row) for row in conn.execute(query).mappings()]


def how_many(conn: Connection, authority: int) -> int:
    """The living officers of a town."""
    query = select(func.count()).select_from(table).where(table.c.authority == authority, _LIVING)
    return conn.execute(query).scalar_one()


def by_email(conn: Connection, email: str) -> tuple[Officer, str | None] | None:
    """A living officer and the hash of their password, None where none was chosen yet."""
    query = select(table).where(table.c.email == normal(email), _LIVING)
    row = conn.execute(query).mappings().first()
    return None if row is None else (_read(row), row["password_hash"])


@cache
def _nobodys() -> str:
    """Verified where there is no such officer: an unknown address takes as long as a known one."""
    return _HASHER.hash("nobody has this password")


async def verifies(password_hash: str | None, password: str) -> bool:
    """Whether this is the password. As slow for nobody's as for somebody's, and off the loop."""

    def verify() -> bool:
        try:
            _HASHER.verify(password_hash or _nobodys(), passwords.plain(password))
        except (VerificationError, InvalidHashError):
            return False
        return password_hash is not None

    return await asyncio.to_thread(verify)


async def hashed(password: str) -> str:
    """A password as it is kept."""
    return await asyncio.to_thread(_HASHER.hash, passwords.plain(password))


def password_of(conn: Connection, who: Officer) -> str | None:
    """The hash an officer's password is kept as."""
    return conn.execute(select(table.c.password_hash).where(table.c.id == who.id)).scalar()


def change(
    conn: Connection, who: Officer, values: dict[str, Any], *, verb: str, actor: str, now: datetime
) -> None:
    """Write columns of an officer's row, and the audit line that says so (never the values)."""
    conn.execute(update(table).where(table.c.id == who.id).values(**values))
    audit.record(conn, now, actor, verb, f"officer:{who.id}", authority=who.authority)


def disable(conn: Connection, who: Officer, *, actor: str, now: datetime) -> None:
    """Shut somebody out at once: every session of theirs ends."""
    change(conn, who, {"disabled": now}, verb="disable", actor=actor, now=now)
    conn.execute(officer_session.delete().where(officer_session.c.officer == who.id))
