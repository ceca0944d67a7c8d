# SPDX-License-Identifier: EUPL-1.2
"""Somebody who subscribes again is one person, not two: new answers join those held already."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, Row, delete, insert, select, update

from channels.base import ChannelName
from subscribers import directory, subscriptions
from subscribers.directory import ContactPoint
from subscribers.tables import (
    challenge,
    consent,
    contact_point,
    session,
    subscriber,
    subscriber_zone,
    subscription,
)

_SUBSCRIBING: Final = timedelta(hours=2)
"""A proof asked for this long after somebody was written down belongs to their subscribing."""

_ONE_A_PERSON: Final = (ChannelName.SMS, ChannelName.EMAIL, ChannelName.X)
"""The channels on which a person is told at one address, however many they gave."""


def earlier_self(
    conn: Connection, point: ContactPoint, asked: datetime, *, same_browser: bool
) -> int | None:
    """Who already holds this address, verified, and is the same person as its holder; or None.

    A household shares a mailbox or a telephone: whoever was verified at a different address on a
    channel of both is taken for somebody else. Somebody known for longer who adds an address
    stays apart too: only what was `asked` while subscribing joins. Where the proof did not come
    from the browser that subscribed, only a person of this one address does: else a stranger who
    writes down your mailbox beside their own telephone would come to own your pages.
    """
    mine = directory.load(conn, point.subscriber)
    if mine is None or asked - mine.created > _SUBSCRIBING:
        return None
    given = directory.contact_points(conn, mine.id)
    if not same_browser and len(given) > 1:
        return None
    for other in directory.find(conn, mine.authority, point.channel, point.address):
        if other.subscriber >= mine.id or other.verified_at is None:
            continue
        if not _differ(given, directory.contact_points(conn, other.subscriber)):
            return other.subscriber
    return None


def _differ(given: Iterable[ContactPoint], held: Iterable[ContactPoint]) -> bool:
    """Whether both are told on a channel, at two addresses."""
    theirs = {
        (point.channel, point.address): point for point in held if point.verified_at is not None
    }
    channels = {channel for channel, _ in theirs} & set(_ONE_A_PERSON)
    return any(
        point.channel in channels and (point.channel, point.address) not in theirs
        for point in given
    )


def merge(conn: Connection, newer: int, older: int) -> None:
    """Have `older` hold all that `newer` asked for, and forget `newer`.

    Themes are added, the newer cadence counts; the whole town absorbs its places; hours, language
    and order of channels are the newer ones, and a pause is over; consents, addresses, proofs
    asked for and visits are moved.
    """
    _places(conn, newer, older)
    _themes(conn, newer, older)
    _settings(conn, newer, older)
    _addresses(conn, newer, older)
    # of no address, as a code for X: it proves who opened it, not who joins
    pointless = (challenge.c.subscriber == newer) & challenge.c.contact_point.is_(None)
    conn.execute(update(challenge).where(pointless).values(subscriber=None))
    for table in (consent, challenge, session):
        moved = update(table).where(table.c.subscriber == newer)
        conn.execute(moved.values(subscriber=older))
    conn.execute(delete(subscription).where(subscription.c.subscriber == newer))
    conn.execute(delete(subscriber_zone).where(subscriber_zone.c.subscriber == newer))
    conn.execute(delete(subscriber).where(subscriber.c.id == newer))


def _themes(conn: Connection, newer: int, older: int) -> None:
    wanted = conn.execute(select(subscription).where(subscription.c.subscriber == newer)).all()
    for row in wanted:
        same = (subscription.c.theme == row.theme) & (subscription.c.channel == row.channel)
        conn.execute(delete(subscription).where(same & (subscription.c.subscriber == older)))
    rows = [{**_fields(row), "subscriber": older} for row in wanted]
    if rows:
        conn.execute(insert(subscription), rows)


def _places(conn: Connection, newer: int, older: int) -> None:
    new, old = directory.load(conn, newer), directory.load(conn, older)
    assert new is not None
    assert old is not None
    if not subscriptions.subscriptions_of(conn, older):  # everything was stopped, places included
        directory.set_zones(conn, older, new.zones)
        return
    whole = not new.zones or not old.zones  # no row: the whole town
    directory.set_zones(conn, older, () if whole else (*new.zones, *old.zones))


def _settings(conn: Connection, newer: int, older: int) -> None:
    new, old = directory.load(conn, newer), directory.load(conn, older)
    assert new is not None
    assert old is not None
    quiet = None if new.quiet is None else (new.quiet.start, new.quiet.end)
    directory.set_preferences(
        conn,
        older,
        quiet=quiet,
        urgent_breaks_quiet=new.urgent_breaks_quiet,
        timezone=new.timezone,
        language=new.language,
    )
    directory.pause(conn, older, None, keeps_urgent=old.pause_keeps_urgent)
    order = dict.fromkeys((*new.channel_order, *old.channel_order))
    change = update(subscriber).where(subscriber.c.id == older)
    conn.execute(change.values(channel_order=[channel.value for channel in order]))


def _addresses(conn: Connection, newer: int, older: int) -> None:
    """What both hold stays the older one's, verified by either; the rest moves as it is."""
    held = {(p.channel, p.address): p for p in directory.contact_points(conn, older)}
    for point in directory.contact_points(conn, newer):
        same = held.get((point.channel, point.address))
        if same is None:
            last = max(
                (p.position for p in held.values() if p.channel == point.channel), default=-1
            )
            moved = {"subscriber": older, "position": last + 1 + point.position}
            change = update(contact_point).where(contact_point.c.id == point.id)
            conn.execute(change.values(moved))
            continue
        if point.verified_at is not None:
            directory.verify(conn, same.id, point.verified_at)
        asked = update(challenge).where(challenge.c.contact_point == point.id)
        conn.execute(asked.values(contact_point=same.id))
        conn.execute(delete(contact_point).where(contact_point.c.id == point.id))


def _fields(row: Row[tuple[object, ...]]) -> dict[str, object]:
    return dict(row._mapping)  # noqa: SLF001 (SQLAlchemy's public name)
