# SPDX-License-Identifier: EUPL-1.2
"""API keys and webhook sources: who is at a machine's door, and what they may publish.

A key is shown once and kept as its hash; a source's secret must be used again to verify each
signature, so it is sealed with the hub's own.
"""

import base64
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import Connection, RowMapping, select, update

from channels.base import Urgency
from hub.flow.accept.mapped import Rules
from hub.flow.accept.principal import Principal
from hub.ledger import audit
from hub.ledger.tables import api_key, source
from hub.ledger.tokens import hashed

KEY_PREFIX: Final = "hub_"
SECRET_PREFIX: Final = "whsec_"  # noqa: S105 (Standard Webhooks names it so)
_SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Scope:
    """What a key or source may do. `themes` None: every theme; `may_publish` False: to approve,
    or with `drafts` to be written on before that is asked.

    `may_enrol`: a desk's key, which opens the page where staff subscribe people, and nothing else.
    """

    themes: tuple[str, ...] | None = None
    highest_urgency: Urgency = Urgency.IMPORTANT
    may_publish: bool = False
    may_enrol: bool = False  # keys only
    drafts: bool = False  # sources only

    def columns(self) -> dict[str, Any]:
        """As both tables keep it."""
        return {
            "themes": None if self.themes is None else list(self.themes),
            "highest_urgency": self.highest_urgency,
            "may_publish": self.may_publish,
        }


class NameTakenError(Exception):
    """There is a key or source of that name already."""


def issue_key(
    conn: Connection, authority: int, name: str, scope: Scope, *, actor: str, now: datetime
) -> str:
    """A new API key, returned this once. Raises `NameTakenError`."""
    taken = select(api_key.c.id).where(api_key.c.authority == authority, api_key.c.name == name)
    if conn.execute(taken).first() is not None:
        raise NameTakenError(name)
    key = KEY_PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    row = {"authority": authority, "name": name, "hash": hashed(key), "created": now}
    rights = {**scope.columns(), "may_enrol": scope.may_enrol}
    conn.execute(api_key.insert().values(**row, **rights))
    audit.record(conn, now, actor, "issue", f"key:{name}", authority=authority)
    return key


def revoke_key(conn: Connection, authority: int, name: str, *, actor: str, now: datetime) -> bool:
    """End a key. False where there is none of that name that still lives."""
    ended = conn.execute(
        update(api_key)
        .where(
            api_key.c.authority == authority, api_key.c.name == name, api_key.c.revoked.is_(None)
        )
        .values(revoked=now)
    ).rowcount
    if ended:
        audit.record(conn, now, actor, "revoke", f"key:{name}", authority=authority)
    return bool(ended)


def keys(conn: Connection, authority: int) -> Sequence[RowMapping]:
    """Every key of an authority, without its hash."""
    columns = [column for column in api_key.c if column is not api_key.c.hash]
    mine = select(*columns).where(api_key.c.authority == authority).order_by(api_key.c.id)
    return conn.execute(mine).mappings().all()


def principal_of_key(conn: Connection, key: str) -> Principal | None:
    """Who holds this key, None for one that is unknown, revoked, or a desk's."""
    found = _living(conn, key)
    if found is None or found["may_enrol"]:
        return None
    return _principal(f"api:{found['id']}", found["name"], found)


def desk_of_key(conn: Connection, key: str) -> RowMapping | None:
    """The row of a desk's key, None for one that is unknown, revoked, or of a machine."""
    found = _living(conn, key)
    return found if found is not None and found["may_enrol"] else None


def _living(conn: Connection, key: str) -> RowMapping | None:
    living = select(api_key).where(api_key.c.hash == hashed(key), api_key.c.revoked.is_(None))
    return conn.execute(living).mappings().one_or_none()


def _principal(door: str, name: str, row: RowMapping) -> Principal:
    return Principal(
        source=door,
        name=name,
        authority=row["authority"],
        themes=None if row["themes"] is None else tuple(row["themes"]),
        highest_urgency=Urgency(row["highest_urgency"]),
        may_publish=row["may_publish"],
    )


# --------------------------------------------------------------------------- webhook sources


@dataclass(frozen=True, slots=True)
class Seal:
    """Seals what the ledger must not show: a backup alone opens nothing."""

    secret: bytes

    def _fernet(self) -> Fernet:
        key = hashlib.sha256(b"seal\x00" + self.secret).digest()
        return Fernet(base64.urlsafe_b64encode(key))

    def close(self, what: str) -> bytes:
        """Sealed bytes."""
        return self._fernet().encrypt(what.encode())

    def open(self, sealed: bytes) -> str | None:
        """None where it was sealed with another secret."""
        try:
            return self._fernet().decrypt(sealed).decode()
        except InvalidToken:
            return None


def add_source(
    conn: Connection,
    authority: int,
    key: str,
    scope: Scope,
    seal: Seal,
    *,
    actor: str,
    now: datetime,
) -> str:
    """A new webhook source; its Standard Webhooks secret, returned this once.

    Raises `NameTakenError`.
    """
    if conn.execute(select(source.c.id).where(source.c.key == key)).first() is not None:
        raise NameTakenError(key)
    secret = _new_secret()
    row = {"authority": authority, "key": key, "sealed_secret": seal.close(secret), "created": now}
    conn.execute(source.insert().values(**row, **scope.columns(), drafts=scope.drafts))
    audit.record(conn, now, actor, "add", f"source:{key}", authority=authority)
    return secret


def change_source(
    conn: Connection, authority: int, key: str, scope: Scope, *, actor: str, now: datetime
) -> bool:
    """What it may do from now on. False where no source of that name lives."""
    rights = {**scope.columns(), "drafts": scope.drafts}
    return _rewrite(conn, authority, key, rights, "rights", actor=actor, now=now)


def map_source(
    conn: Connection, authority: int, key: str, rules: Rules, *, actor: str, now: datetime
) -> bool:
    """How its events are read from now on; none: they are in our form. False where no source of
    that name lives."""
    return _rewrite(conn, authority, key, {"mapping": rules}, "map", actor=actor, now=now)


def _rewrite(
    conn: Connection,
    authority: int,
    key: str,
    values: Mapping[str, Any],
    verb: str,
    *,
    actor: str,
    now: datetime,
) -> bool:
    """Write columns of a living source, with its line in the journal where something differs."""
    living = (source.c.authority == authority, source.c.key == key, source.c.revoked.is_(None))
    found = conn.execute(select(source).where(*living)).mappings().one_or_none()
    if found is not None and any(found[name] != value for name, value in values.items()):
        conn.execute(update(source).where(*living).values(**values))
        audit.record(conn, now, actor, verb, f"source:{key}", authority=authority)
    return found is not None


def _new_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def renew_secret(
    conn: Connection, authority: int, key: str, seal: Seal, *, actor: str, now: datetime
) -> str | None:
    """Another secret in the place of the one there was, which ends at once. None where no source of
    that name lives."""
    secret = _new_secret()
    renewed = conn.execute(
        update(source)
        .where(source.c.authority == authority, source.c.key == key, source.c.revoked.is_(None))
        .values(sealed_secret=seal.close(secret))
    ).rowcount
    if not renewed:
        return None
    audit.record(conn, now, actor, "renew_secret", f"source:{key}", authority=authority)
    return secret


def sources(conn: Connection, authority: int) -> Sequence[RowMapping]:
    """Every source of an authority, without its secret."""
    columns = [column for column in source.c if column is not source.c.sealed_secret]
    mine = select(*columns).where(source.c.authority == authority).order_by(source.c.id)
    return conn.execute(mine).mappings().all()


def revoke_source(conn: Connection, authority: int, key: str, *, actor: str, now: datetime) -> bool:
    """End a source. False where there is none of that name that still lives."""
    ended = conn.execute(
        update(source)
        .where(source.c.authority == authority, source.c.key == key, source.c.revoked.is_(None))
        .values(revoked=now)
    ).rowcount
    if ended:
        audit.record(conn, now, actor, "revoke", f"source:{key}", authority=authority)
    return bool(ended)


@dataclass(frozen=True, slots=True)
class Caller:
    """A living source: who it is to the flow, what it signs with, how its events are read."""

    principal: Principal
    secret: str
    rules: Rules


def source_of(conn: Connection, key: str, seal: Seal) -> Caller | None:
    """A living source; None where there is none of that name, or its secret cannot be opened."""
    living = select(source).where(source.c.key == key, source.c.revoked.is_(None))
    found = conn.execute(living).mappings().one_or_none()
    if found is None:
        return None
    secret = seal.open(found["sealed_secret"])
    return None if secret is None else Caller(acting_as(found), secret, found["mapping"])


def acting_as(row: RowMapping) -> Principal:
    """A source's row as the flow knows it."""
    principal = _principal(f"hook:{row['key']}", row["key"], row)
    return replace(principal, drafts=row["drafts"] and not row["may_publish"])
