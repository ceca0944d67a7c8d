# SPDX-License-Identifier: EUPL-1.2
"""What is on its way to one person and has not left yet: held for the morning, for a digest, or
for a provider that does not answer."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select

from channels.base import ChannelName, Reason
from hub.delivery import DeliveryState
from hub.ledger import announcements
from hub.ledger.tables import delivery, run
from hub.reports.shown import shown_state
from subscribers import directory
from subscribers.catalogue import Catalogue
from subscribers.tables import from_ms
from templates.pages.wording import TIMED_STATES, ShownState
from templates.render import choose

_MOST: Final = 20
_WAITING: Final = tuple(
    state.value for state in (DeliveryState.READY, DeliveryState.DIGEST, DeliveryState.PARKED)
)
"""Not what is being sent, or may have been: the person may have that one already."""


@dataclass(frozen=True, slots=True)
class Awaited:
    """One message that has not left; `until` is the hour it waits for, where it waits for one."""

    at: datetime
    channel: ChannelName
    state: ShownState
    title: str
    until: datetime | None


def awaited(  # noqa: PLR0917 (whose, where, in which words, when)
    conn: Connection,
    town: Catalogue,
    addresses: Collection[tuple[ChannelName, str]],
    language: str,
    next_digest: datetime,
    now: datetime,
) -> list[Awaited]:
    """What waits for whoever holds these addresses in `town`, oldest first, at most twenty.

    Notifications are those of all their devices: an address of theirs is not asked for.
    """
    points = _points(conn, town, addresses)
    query = (
        select(
            *(delivery.c.at, delivery.c.state, delivery.c.reason, delivery.c.due),
            *(run.c.channel, run.c.announcement),
        )
        .join_from(delivery, run, run.c.id == delivery.c.run)
        .where(
            delivery.c.subscriber.in_({person for person, _ in points}),
            delivery.c.contact_point.in_({point for _, point in points}),
            delivery.c.state.in_(_WAITING),
        )
        .order_by(delivery.c.id)
        .limit(_MOST)
    )
    rows = conn.execute(query).all()
    told = announcements.by_ids(conn, list({row.announcement for row in rows}))
    found = []
    for row in rows:
        about, channel = told[row.announcement], ChannelName(row.channel)
        reason = Reason(row.reason) if row.reason else None
        state = shown_state(channel, DeliveryState(row.state), reason)
        due = next_digest if state is ShownState.DIGEST else from_ms(row.due)
        title = choose(about.contents, language, town.language).title if about.contents else ""
        until = due if state in TIMED_STATES and due > now else None
        found.append(Awaited(from_ms(row.at), channel, state, title, until))
    return found


def _points(
    conn: Connection, town: Catalogue, addresses: Collection[tuple[ChannelName, str]]
) -> set[tuple[int, int]]:
    """Their numbers and those of their contact points at these addresses, and of their devices."""
    found, devices = set(), any(channel is ChannelName.WEBPUSH for channel, _ in addresses)
    for channel, address in addresses:
        for point in directory.find(conn, town.authority, channel, address):
            found.add((point.subscriber, point.id))
    if devices:
        for person in {person for person, _ in found}:
            for point in directory.contact_points(conn, person):
                if point.channel is ChannelName.WEBPUSH:
                    found.add((person, point.id))
    return found
