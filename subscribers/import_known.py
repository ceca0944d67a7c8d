# SPDX-License-Identifier: EUPL-1.2
"""What we hold already about the people of an import, read a batch at a time."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, func, select

from channels.base import ChannelName
from subscribers.import_person import ImportedPerson
from subscribers.suppression import address_hash, suppressed_among
from subscribers.tables import consent, contact_point, subscriber, subscriber_zone, subscription


@dataclass(slots=True)
class Known:
    """What we hold about somebody a line names."""

    id: int
    settings: tuple[Any, ...]
    points: dict[tuple[str, str], tuple[int, bool]] = field(default_factory=dict)  # id, verified
    subscriptions: set[tuple[int, str, str]] = field(default_factory=set)
    zones: set[int] = field(default_factory=set)
    given: datetime | None = None
    withdrawn: datetime | None = None


def load_known(conn: Connection, authority: int, keys: Sequence[str]) -> dict[str, Known]:
    """The people behind these import keys, with all a line could change."""
    query = select(
        subscriber.c.import_key,
        subscriber.c.id,
        subscriber.c.language,
        subscriber.c.timezone,
        subscriber.c.quiet_start,
        subscriber.c.quiet_end,
        subscriber.c.urgent_breaks_quiet,
    ).where(subscriber.c.authority == authority, subscriber.c.import_key.in_(keys))
    known = {row[0]: Known(row[1], tuple(row[2:])) for row in conn.execute(query)}
    by_id = {each.id: each for each in known.values()}
    if not by_id:  # the first import of a town reads nothing more
        return known
    for row in _rows_of(conn, contact_point, by_id):
        point = (row.channel, row.address)
        by_id[row.subscriber].points[point] = (row.id, row.verified_at is not None)
    for row in _rows_of(conn, subscription, by_id):
        by_id[row.subscriber].subscriptions.add((row.theme, row.channel, row.cadence))
    for row in _rows_of(conn, subscriber_zone, by_id):
        by_id[row.subscriber].zones.add(row.zone)
    for row in sorted(_rows_of(conn, consent, by_id), key=lambda row: (row.given_at, row.id)):
        by_id[row.subscriber].given = row.given_at
        by_id[row.subscriber].withdrawn = row.withdrawn_at
    return known


def _rows_of(conn: Connection, table: Table, people: Collection[int]) -> Sequence[Any]:
    return conn.execute(select(table).where(table.c.subscriber.in_(people))).all()


def barred_contacts(
    conn: Connection, key: bytes, people: Iterable[tuple[int, ImportedPerson]], now: datetime
) -> set[tuple[ChannelName, str]]:
    """The contacts nobody may use."""
    hashed: dict[ChannelName, dict[str, str]] = defaultdict(dict)
    for _, person in people:
        for channel, address in person.contacts.items():
            hashed[channel][address_hash(key, channel, address)] = address
    return {
        (channel, addresses[found])
        for channel, addresses in hashed.items()
        for found in suppressed_among(conn, channel, addresses, now)
    }


def stopped_contacts(
    conn: Connection, authority: int, people: Iterable[tuple[int, ImportedPerson]]
) -> dict[tuple[str, str], datetime]:
    """When the contacts of a batch were last stopped, by whoever held them."""
    addresses = {told for _, person in people for told in person.contacts.values()}
    channels = [ChannelName.SMS.value, ChannelName.EMAIL.value]
    query = (
        select(contact_point.c.channel, contact_point.c.address, func.max(consent.c.withdrawn_at))
        .join_from(contact_point, consent, consent.c.subscriber == contact_point.c.subscriber)
        .join(subscriber, subscriber.c.id == contact_point.c.subscriber)
        .where(
            contact_point.c.channel.in_(channels),
            contact_point.c.address.in_(addresses),
            consent.c.withdrawn_at.is_not(None),
            subscriber.c.authority == authority,
        )
        .group_by(contact_point.c.channel, contact_point.c.address)
    )
    return {(row[0], row[1]): row[2] for row in conn.execute(query)}
