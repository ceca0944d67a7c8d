# SPDX-License-Identifier: EUPL-1.2
"""Proof that somebody asked to be told: to which text, when, how, and who wrote it down."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from subscribers.tables import consent


@dataclass(frozen=True, slots=True)
class Consent:
    """One proof (GDPR art. 7.1); `withdrawn_at` is None while it stands."""

    id: int
    subscriber: int
    source: str
    text_version: str
    given_at: datetime
    withdrawn_at: datetime | None
    recorded_by: str | None
    recorded_at: datetime


def record(
    conn: Connection,
    subscriber: int,
    *,
    source: str,
    text_version: str,
    given_at: datetime,
    now: datetime,
    recorded_by: str | None = None,
) -> int:
    """Write down a consent. Returns its number.

    `source` says how ("web", "paper form"), `text_version` names the text they agreed to,
    `recorded_by` the officer where it was not the citizen.
    """
    row = {
        "subscriber": subscriber,
        "source": source,
        "text_version": text_version,
        "given_at": given_at,
        "recorded_by": recorded_by,
        "recorded_at": now,
    }
    return int(conn.execute(insert(consent).values(row).returning(consent.c.id)).scalar_one())


def latest(conn: Connection, subscriber: int) -> Consent | None:
    """The most recently given consent, standing or withdrawn."""
    query = (
        select(consent)
        .where(consent.c.subscriber == subscriber)
        .order_by(consent.c.given_at.desc(), consent.c.id.desc())
        .limit(1)
    )
    row = conn.execute(query).one_or_none()
    return Consent(**row._mapping) if row else None  # noqa: SLF001 (SQLAlchemy's public name)


def withdraw(conn: Connection, subscriber: int, now: datetime) -> int:
    """End every standing consent (GDPR art. 7.3). Returns how many there were."""
    standing = (consent.c.subscriber == subscriber) & consent.c.withdrawn_at.is_(None)
    return conn.execute(update(consent).where(standing).values(withdrawn_at=now)).rowcount


def restore(conn: Connection, subscriber: int, withdrawn_at: datetime) -> int:
    """Have those consents stand again that were withdrawn at this very moment, by a stop that is
    taken back. Returns how many there were."""
    by_it = (consent.c.subscriber == subscriber) & (consent.c.withdrawn_at == withdrawn_at)
    return conn.execute(update(consent).where(by_it).values(withdrawn_at=None)).rowcount
