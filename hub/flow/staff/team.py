# SPDX-License-Identifier: EUPL-1.2
"""The team of a town: invited, given roles, given a new password, shut out. Each act is audited.

Nobody acts on themselves here, and a town keeps an administrator.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from hub.flow.staff import links, officers, passkeys, second
from hub.flow.staff.links import Purpose
from hub.flow.staff.officers import Officer
from hub.flow.staff.roles import Grants, Role, kept
from hub.flow.staff.sessions import end_others
from hub.ledger import audit
from hub.ledger.office_tables import officer as table


class OneselfError(Exception):
    """Nobody gives themselves a role, or shuts themselves out."""


class LastAdministratorError(Exception):
    """Somebody must be left who may add others."""


class NotEntitledError(Exception):
    """Whoever asks is no administrator any more."""


@dataclass(frozen=True, slots=True)
class Member:
    """An officer as the team's page shows them. `invited_until` is that of a link not taken up."""

    officer: Officer
    seen: datetime | None
    has_password: bool
    invited_until: datetime | None


@dataclass(frozen=True, slots=True)
class Steward:
    """Who acts on the team: an administrator, or the operator's shell (`officer` None)."""

    authority: int
    actor: str
    officer: Officer | None = None

    @classmethod
    def of(cls, who: Officer) -> "Steward":
        """An officer at the console."""
        return cls(who.authority, f"officer:{who.id}", who)


def members(conn: Connection, authority: int, now: datetime) -> Sequence[Member]:
    """The living officers of a town, by name."""
    query = select(table.c.id, table.c.seen, table.c.password_hash)
    rows = {row.id: row for row in conn.execute(query.where(table.c.authority == authority))}
    return [
        Member(
            each,
            rows[each.id].seen,
            rows[each.id].password_hash is not None,
            links.waiting(conn, each.id, now),
        )
        for each in officers.of_authority(conn, authority)
    ]


def invite(
    conn: Connection, by: Steward, email: str, name: str, grants: Grants, *, now: datetime
) -> tuple[int, str]:
    """A new officer's number and the token of their invitation. Who was shut out comes back anew.

    Raises `EmailTakenError`, `NotEntitledError`.
    """
    _entitled(conn, by)
    gone = select(table.c.id).where(
        table.c.email == officers.normal(email),
        table.c.authority == by.authority,
        table.c.disabled.is_not(None),
    )
    number = conn.execute(gone).scalar()
    if number is None:
        number = officers.appoint(conn, by.authority, email, name, grants, actor=by.actor, now=now)
    else:
        anew: dict[str, object] = {
            "name": name,
            "roles": kept(grants),
            "disabled": None,
            "password_hash": None,
        }
        anew |= {"sealed_totp": None, "totp_step": None, "recovery": [], "seen": None}
        conn.execute(update(table).where(table.c.id == number).values(**anew))
        passkeys.forget_all(conn, number)
    detail = {"roles": kept(grants)}
    _note(conn, by, "invite", number, now=now, detail=detail)
    return number, links.issue(conn, number, Purpose.INVITATION, now)


def change_grants(
    conn: Connection, by: Steward, who: Officer, grants: Grants, now: datetime
) -> None:
    """Give somebody these roles and no other. Raises `OneselfError`, `LastAdministratorError`,
    `NotEntitledError`."""
    _may_touch(conn, by, who, keeps=Role.ADMIN in grants)
    conn.execute(update(table).where(table.c.id == who.id).values(roles=kept(grants)))
    detail = {"before": kept(who.grants), "roles": kept(grants)}
    _note(conn, by, "roles", who.id, now=now, detail=detail)


def reset_link(conn: Connection, by: Steward, who: Officer, now: datetime) -> str:
    """A link by which somebody chooses another password; until then the old one holds. Who never
    took up their invitation is invited again. Raises `OneselfError`, `NotEntitledError`."""
    _may_touch(conn, by, who, keeps=True)
    query = select(table.c.password_hash).where(table.c.id == who.id)
    invited = conn.execute(query).scalar() is None
    _note(conn, by, "invite" if invited else "reset_link", who.id, now=now)
    return links.issue(conn, who.id, Purpose.INVITATION if invited else Purpose.RESET, now)


def remove_second(conn: Connection, by: Steward, who: Officer, now: datetime) -> None:
    """For whoever lost telephone and paper; their sessions end. Raises `OneselfError`,
    `NotEntitledError`."""
    _may_touch(conn, by, who, keeps=True)
    second.remove(conn, who, actor=by.actor, now=now)
    end_others(conn, who.id, None)


def disable(conn: Connection, by: Steward, who: Officer, now: datetime) -> None:
    """Shut somebody out: sessions and links end. Raises `OneselfError`, `LastAdministratorError`,
    `NotEntitledError`."""
    _may_touch(conn, by, who, keeps=False)
    links.end(conn, who.id)
    end_others(conn, who.id, None)
    officers.disable(conn, who, actor=by.actor, now=now)


def _may_touch(conn: Connection, by: Steward, who: Officer, *, keeps: bool) -> None:
    """`keeps`: whether they stay an administrator where they are one."""
    _entitled(conn, by)
    if by.officer is not None and by.officer.id == who.id:
        raise OneselfError
    if Role.ADMIN in who.grants and not keeps:
        others = officers.of_authority(conn, who.authority)
        if not any(Role.ADMIN in each.grants and each.id != who.id for each in others):
            raise LastAdministratorError


def _entitled(conn: Connection, by: Steward) -> None:
    """Two administrators who shut each other out: the first one wins."""
    if by.officer is None:
        return
    now = officers.load(conn, by.officer.id, by.authority)
    if now is None or not now.may(Role.ADMIN):
        raise NotEntitledError


def _note(
    conn: Connection,
    by: Steward,
    verb: str,
    number: int,
    *,
    now: datetime,
    detail: Mapping[str, object] | None = None,
) -> None:
    whom = f"officer:{number}"
    audit.record(conn, now, by.actor, verb, whom, authority=by.authority, detail=detail)
