# SPDX-License-Identifier: EUPL-1.2
"""The people and their contact points: who they are to us and where they are reached."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from channels.base import ChannelName, Reason, Recipient
from subscribers.preferences import QuietHours
from subscribers.tables import contact_point, subscriber, subscriber_zone


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A person's own settings; `quiet` and the pause are read by `preferences.decide`."""

    id: int
    authority: int
    language: str
    timezone: str
    quiet: QuietHours | None
    urgent_breaks_quiet: bool
    paused_until: datetime | None
    pause_keeps_urgent: bool
    channel_order: tuple[ChannelName, ...]
    zones: tuple[int, ...]  # none: the whole town
    created: datetime


@dataclass(frozen=True, slots=True)
class ContactPoint:
    """One channel and one normalised address of a person; `keys` for web push only."""

    id: int
    subscriber: int
    channel: ChannelName
    address: str = field(repr=False)
    keys: Mapping[str, str] | None = field(repr=False)
    label: str | None
    position: int
    verified_at: datetime | None
    suspended_at: datetime | None
    suspended_reason: str | None
    created: datetime


# --------------------------------------------------------------------------- people


def create(
    conn: Connection,
    authority: int,
    *,
    language: str,
    timezone: str,
    now: datetime,
    channel_order: Sequence[ChannelName] = (),
) -> int:
    """Write down a new person, without contact points or subscriptions. Returns their number,
    which nobody else will ever have."""
    row = {
        "authority": authority,
        "language": language,
        "timezone": timezone,
        "channel_order": [channel.value for channel in channel_order],
        "created": now,
    }
    write = insert(subscriber).values(row).returning(subscriber.c.id)
    return int(conn.execute(write).scalar_one())


def load(conn: Connection, person: int) -> Subscriber | None:
    """A person's settings and places, or None for nobody."""
    row = conn.execute(select(subscriber).where(subscriber.c.id == person)).one_or_none()
    if row is None:
        return None
    places = select(subscriber_zone.c.zone).where(subscriber_zone.c.subscriber == person)
    return Subscriber(
        id=row.id,
        authority=row.authority,
        language=row.language,
        timezone=row.timezone,
        quiet=QuietHours.stored(row.quiet_start, row.quiet_end, row.timezone),
        urgent_breaks_quiet=row.urgent_breaks_quiet,
        paused_until=row.paused_until,
        pause_keeps_urgent=row.pause_keeps_urgent,
        channel_order=tuple(ChannelName(name) for name in row.channel_order),
        zones=tuple(conn.execute(places.order_by(subscriber_zone.c.zone)).scalars()),
        created=row.created,
    )


def find(
    conn: Connection, authority: int, channel: ChannelName, address: str
) -> list[ContactPoint]:
    """The contact points holding exactly this normalised address, oldest first. A number or a
    mailbox may belong to several people of one household."""
    query = (
        select(contact_point)
        .join(subscriber)
        .where(
            contact_point.c.channel == channel.value,
            contact_point.c.address == address,
            subscriber.c.authority == authority,
        )
        .order_by(contact_point.c.id)
    )
    return [_contact_point(row) for row in conn.execute(query)]


def holders(conn: Connection, channel: ChannelName, address: str) -> list[ContactPoint]:
    """As `find`, of every authority: a citizen who answers one sender answers them all."""
    same = (contact_point.c.channel == channel.value) & (contact_point.c.address == address)
    rows = conn.execute(select(contact_point).where(same).order_by(contact_point.c.id))
    return [_contact_point(row) for row in rows]


def contact_points(conn: Connection, person: int) -> list[ContactPoint]:
    """A person's contact points, in the order they are used."""
    query = select(contact_point).where(contact_point.c.subscriber == person)
    ordered = query.order_by(contact_point.c.position, contact_point.c.id)
    return [_contact_point(row) for row in conn.execute(ordered)]


def by_ids(conn: Connection, ids: Iterable[int]) -> Mapping[int, ContactPoint]:
    """Those of these contact points there are; a page's worth of them."""
    rows = conn.execute(select(contact_point).where(contact_point.c.id.in_(set(ids))))
    return {row.id: _contact_point(row) for row in rows}


def set_zones(conn: Connection, person: int, zones: Iterable[int]) -> None:
    """Replace the places a person asked for; none means the whole town."""
    conn.execute(delete(subscriber_zone).where(subscriber_zone.c.subscriber == person))
    rows = [{"subscriber": person, "zone": zone} for zone in sorted(set(zones))]
    if rows:
        conn.execute(insert(subscriber_zone), rows)


def set_preferences(
    conn: Connection,
    person: int,
    *,
    quiet: tuple[int, int] | None,
    urgent_breaks_quiet: bool,
    timezone: str,
    language: str,
) -> None:
    """Replace a person's hours and language; `quiet` is (start, end) in local minutes."""
    start, end = quiet or (None, None)
    values = {
        "quiet_start": start,
        "quiet_end": end,
        "urgent_breaks_quiet": urgent_breaks_quiet,
        "timezone": timezone,
        "language": language,
    }
    conn.execute(update(subscriber).where(subscriber.c.id == person).values(values))


def set_channel_order(conn: Connection, person: int, order: Sequence[ChannelName]) -> None:
    """Which channel is tried first, and which is next where one fails."""
    values = {"channel_order": [channel.value for channel in order]}
    conn.execute(update(subscriber).where(subscriber.c.id == person).values(values))


def pause(conn: Connection, person: int, until: datetime | None, *, keeps_urgent: bool) -> None:
    """Leave a person alone until a moment (None ends the pause), urgent alerts apart if they
    wish."""
    values = {"paused_until": until, "pause_keeps_urgent": keeps_urgent}
    conn.execute(update(subscriber).where(subscriber.c.id == person).values(values))


# --------------------------------------------------------------------------- contact points


def add_contact_point(
    conn: Connection,
    person: int,
    channel: ChannelName,
    recipient: Recipient,
    now: datetime,
    *,
    label: str | None = None,
) -> int:
    """Give a person a contact point, unverified, used after those they have on this channel.

    `recipient` holds a normalised address (`subscribers.addresses`). One they have already keeps
    its number and takes the new keys and label. Returns its number.
    """
    mine = (contact_point.c.subscriber == person) & (contact_point.c.channel == channel.value)
    same = select(contact_point.c.id).where(mine & (contact_point.c.address == recipient.address))
    keys = dict(recipient.keys) or None
    held = conn.execute(same).scalar_one_or_none()
    if held is not None:
        _change(conn, held, {"keys": keys, "label": label})
        return int(held)
    last = select(func.coalesce(func.max(contact_point.c.position) + 1, 0)).where(mine)
    row = {
        "subscriber": person,
        "channel": channel.value,
        "address": recipient.address,
        "keys": keys,
        "label": label,
        "position": conn.execute(last).scalar_one(),
        "created": now,
    }
    write = insert(contact_point).values(row).returning(contact_point.c.id)
    return int(conn.execute(write).scalar_one())


def remove_contact_point(conn: Connection, contact: int) -> bool:
    """Forget one address. False where it was gone already."""
    return conn.execute(delete(contact_point).where(contact_point.c.id == contact)).rowcount > 0


def verify(conn: Connection, contact: int, now: datetime) -> None:
    """Its owner proved it is theirs: it may be used, whatever had suspended it."""
    _change(conn, contact, {"verified_at": now, "suspended_at": None, "suspended_reason": None})


def suspend(conn: Connection, contact: int, reason: Reason, now: datetime) -> None:
    """Stop using one address (a dead number), keeping the person and their other ones."""
    _change(conn, contact, {"suspended_at": now, "suspended_reason": reason.value})


def lift_suspension(conn: Connection, contact: int) -> None:
    """Use the address again."""
    _change(conn, contact, {"suspended_at": None, "suspended_reason": None})


def _change(conn: Connection, contact: int, values: Mapping[str, Any]) -> None:
    conn.execute(update(contact_point).where(contact_point.c.id == contact).values(values))


def _contact_point(row: Row[Any]) -> ContactPoint:
    fields = dict(row._mapping)  # noqa: SLF001 (SQLAlchemy's public name)
    return ContactPoint(**{**fields, "channel": ChannelName(fields["channel"])})
