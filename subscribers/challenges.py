# SPDX-License-Identifier: EUPL-1.2
"""Proofs asked of people: each written down once, tried a few times, used once.

The same rows are what the doors count by, so that limits hold across restarts and in parallel.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from channels.base import ChannelName
from subscribers.proofs import new_nonce
from subscribers.tables import challenge

MOST_TRIES: Final = 5
"""Guesses of a code that are looked at (UX.md 7.4)."""


class Purpose(StrEnum):
    """What the proof is for."""

    CONFIRM = "confirm"  # this address is mine, and I asked
    SIGN_IN = "sign_in"  # open my own pages
    TEST = "test"  # nothing is proved: a message to see that it arrives


LIFETIMES: Final = {
    (Purpose.CONFIRM, ChannelName.SMS): timedelta(minutes=10),
    (Purpose.CONFIRM, ChannelName.EMAIL): timedelta(hours=48),
    (Purpose.CONFIRM, ChannelName.X): timedelta(minutes=30),
    (Purpose.SIGN_IN, ChannelName.SMS): timedelta(minutes=20),
    (Purpose.SIGN_IN, ChannelName.EMAIL): timedelta(minutes=20),
}
"""How long a code or a link may be answered with; ten minutes for what is not listed."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """One proof asked for. `subscriber` None: nobody we know, and nothing was sent."""

    id: int
    authority: int
    purpose: Purpose
    channel: ChannelName
    subscriber: int | None
    contact_point: int | None
    nonce: str
    created: datetime
    expires: datetime
    tries: int
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, as the counts know them: keyed hashes of the address asked about and of the block
    the request comes from, and the first digits of a number ("" where there is none)."""

    contact_hash: str
    origin: str
    prefix: str = ""


def write(  # noqa: PLR0917 (what a challenge is made of)
    conn: Connection,
    authority: int,
    purpose: Purpose,
    channel: ChannelName,
    asker: Asker,
    now: datetime,
    *,
    subscriber: int | None = None,
    contact_point: int | None = None,
    sent: bool,
) -> Challenge:
    """A new one. `sent`: a message leaves for it. Nobody known is written down alike: what takes
    as long and counts the same tells nobody who is known."""
    life = LIFETIMES.get((purpose, channel), timedelta(minutes=10))
    row = {
        "authority": authority,
        "purpose": purpose,
        "channel": channel,
        "subscriber": subscriber,
        "contact_point": contact_point,
        "nonce": new_nonce(),
        "contact_hash": asker.contact_hash,
        "origin": asker.origin,
        "prefix": asker.prefix,
        "created": now,
        "expires": now + life,
        "sent": sent,
    }
    written = conn.execute(insert(challenge).values(row).returning(challenge.c.id)).scalar_one()
    found = load(conn, written)
    assert found is not None
    return found


def load(conn: Connection, number: int) -> Challenge | None:
    """One of them, None where it is gone."""
    row = conn.execute(select(challenge).where(challenge.c.id == number)).mappings().one_or_none()
    return None if row is None else _read(row)


def try_once(conn: Connection, number: int, now: datetime) -> Challenge | None:
    """Count one guess before it is looked at. None where no more may be: spent, used or over.

    One statement: of a thousand guesses at once, five are looked at.
    """
    still = (
        (challenge.c.id == number)
        & (challenge.c.tries < MOST_TRIES)
        & challenge.c.used_at.is_(None)
        & (challenge.c.expires > now)
    )
    counted = update(challenge).where(still).values(tries=challenge.c.tries + 1)
    return load(conn, number) if conn.execute(counted).rowcount else None


def use(conn: Connection, number: int, now: datetime) -> bool:
    """Spend it. False where it was spent already, or its time is over."""
    still = (challenge.c.id == number) & challenge.c.used_at.is_(None) & (challenge.c.expires > now)
    return conn.execute(update(challenge).where(still).values(used_at=now)).rowcount > 0


def end_others(conn: Connection, contact_point: int, purpose: Purpose, now: datetime) -> None:
    """A new code ends the one before it: two that both work are twice as easily guessed."""
    older = (
        (challenge.c.contact_point == contact_point)
        & (challenge.c.purpose == purpose)
        & challenge.c.used_at.is_(None)
    )
    conn.execute(update(challenge).where(older).values(used_at=now))


@dataclass(frozen=True, slots=True)
class Asked:
    """How often, when first and when last."""

    times: int
    first: datetime | None
    last: datetime | None

    def first_of(self, otherwise: datetime) -> datetime:
        """The first moment, `otherwise` where there is none (a limit of nothing at all)."""
        return self.first or otherwise


def asked_since(
    conn: Connection,
    since: datetime,
    *,
    contact_hash: str | None = None,
    origin: str | None = None,
    prefix: str | None = None,
    channel: ChannelName | None = None,
    sent_only: bool = False,
) -> Asked:
    """The challenges after a moment, of one address, one origin, one prefix, or of everybody."""
    where: list[ColumnElement[bool]] = [challenge.c.created > since]
    for column, value in (
        (challenge.c.contact_hash, contact_hash),
        (challenge.c.origin, origin),
        (challenge.c.prefix, prefix),
        (challenge.c.channel, channel),
    ):
        if value is not None:
            where.append(column == value)
    if sent_only:
        where.append(challenge.c.sent.is_(True))
    moments = func.min(challenge.c.created), func.max(challenge.c.created)
    times, first, last = conn.execute(select(func.count(), *moments).where(*where)).one()
    return Asked(int(times), first, last)


def unname(conn: Connection, person: int, hashes: Iterable[str] = ()) -> int:
    """Somebody is erased: what was asked of them, or about an address of theirs (`hashes`) before
    they were known, is nobody's and open to nobody any more. Returns how many there were.

    The rows stay until `forget`, for they are counted: else whoever erases themselves after each
    code could ask for as many as they like.
    """
    mine = challenge.c.subscriber == person
    about = set(conn.execute(select(challenge.c.contact_hash).where(mine)).scalars()) | set(hashes)
    nobodys = challenge.c.subscriber.is_(None) & challenge.c.contact_hash.in_(about)
    values = {
        "subscriber": None,
        "contact_point": None,
        "contact_hash": "",
        "nonce": "",
        "expires": challenge.c.created,
    }
    return conn.execute(update(challenge).where(mine | nobodys).values(values)).rowcount


def oldest_open(conn: Connection, channel: ChannelName, now: datetime) -> datetime | None:
    """When the first of the proofs that may still be given on a channel was asked for; None where
    nobody waits for one."""
    waiting = select(func.min(challenge.c.created)).where(
        challenge.c.channel == channel, *_open(now), challenge.c.subscriber.is_not(None)
    )
    oldest: datetime | None = conn.execute(waiting).scalar_one()
    return oldest


def latest_open(
    conn: Connection, person: int, channel: ChannelName, now: datetime
) -> Challenge | None:
    """The newest proof that somebody may still give on a channel."""
    mine = (challenge.c.subscriber == person) & (challenge.c.channel == channel)
    query = select(challenge).where(mine, *_open(now)).order_by(challenge.c.id.desc()).limit(1)
    row = conn.execute(query).mappings().one_or_none()
    return None if row is None else _read(row)


def _open(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        challenge.c.purpose == Purpose.CONFIRM,
        challenge.c.used_at.is_(None),
        challenge.c.expires > now,
        challenge.c.tries < MOST_TRIES,
    )


def forget(conn: Connection, before: datetime, limit: int) -> int:
    """Erase what was asked before then. Returns how many, `limit` at most."""
    old = select(challenge.c.id).where(challenge.c.created < before).limit(limit)
    return conn.execute(delete(challenge).where(challenge.c.id.in_(old))).rowcount


def _read(row: Any) -> Challenge:
    return Challenge(
        id=row["id"],
        authority=row["authority"],
        purpose=Purpose(row["purpose"]),
        channel=ChannelName(row["channel"]),
        subscriber=row["subscriber"],
        contact_point=row["contact_point"],
        nonce=row["nonce"],
        created=row["created"],
        expires=row["expires"],
        tries=row["tries"],
        used_at=row["used_at"],
    )
