# SPDX-License-Identifier: EUPL-1.2
"""What somebody who subscribes answered: what about, where and how; and where it is written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, delete, update

from channels.base import ChannelName, Recipient
from subscribers import consent, directory, subscriptions
from subscribers.catalogue import Catalogue
from subscribers.consent_text import CONSENT_VERSION
from subscribers.preferences import Cadence
from subscribers.tables import subscriber, subscription

SOURCE: Final = "web"
"""How these consents were given, as the proof of them says."""
_ORDER: Final = (ChannelName.SMS, ChannelName.WEBPUSH, ChannelName.EMAIL, ChannelName.X)


@dataclass(frozen=True, slots=True)
class Answers:
    """All three questions answered, and looked at by the door.

    `themes` are keys, each with the channels it is to come by; `zones` are keys, none of them the
    whole town; `contacts` are normalised addresses; `quiet` is (start, end) in local minutes;
    `cadence` is that of e-mail, everything else comes at once.
    """

    themes: Mapping[str, tuple[ChannelName, ...]]
    zones: tuple[str, ...]
    contacts: Mapping[ChannelName, str] = field(repr=False)
    quiet: tuple[int, int] | None
    urgent_breaks_quiet: bool
    cadence: Cadence
    language: str

    @property
    def channels(self) -> tuple[ChannelName, ...]:
        """Every channel some theme comes by, the quickest first."""
        used = {channel for chosen in self.themes.values() for channel in chosen}
        return tuple(channel for channel in _ORDER if channel in used)


def write_down(
    conn: Connection, catalogue: Catalogue, answers: Answers, person: int | None, now: datetime
) -> int:
    """Write the answers down as a new person's, or in the place of those `person` gave before.

    Without addresses: they are proved one by one. Raises `KeyError` for a theme or a place that
    the catalogue does not hold.
    """
    if person is None:
        person = directory.create(
            *(conn, catalogue.authority),
            language=answers.language,
            timezone=catalogue.timezone,
            now=now,
        )
        consent.record(
            *(conn, person), source=SOURCE, text_version=CONSENT_VERSION, given_at=now, now=now
        )
    order = [channel.value for channel in answers.channels]
    change = update(subscriber).where(subscriber.c.id == person)
    conn.execute(change.values(channel_order=order))
    directory.set_preferences(
        *(conn, person),
        quiet=answers.quiet,
        urgent_breaks_quiet=answers.urgent_breaks_quiet,
        timezone=catalogue.timezone,
        language=answers.language,
    )
    places = catalogue.zones_by_key
    directory.set_zones(conn, person, [places[key].id for key in answers.zones])
    conn.execute(delete(subscription).where(subscription.c.subscriber == person))
    for channel in answers.channels:
        subscriptions.subscribe(
            *(conn, person),
            [
                catalogue.themes_by_key[key].id
                for key, by in answers.themes.items()
                if channel in by
            ],
            channel,
            cadence=answers.cadence if channel is ChannelName.EMAIL else Cadence.NOW,
            catalogue=catalogue,
        )
    return person


def set_addresses(
    conn: Connection, person: int, contacts: Mapping[ChannelName, str], now: datetime
) -> dict[ChannelName, int]:
    """Give somebody unconfirmed these addresses and no others, devices apart. Returns the contact
    points by channel; one they had already keeps its number."""
    for point in directory.contact_points(conn, person):
        kept = contacts.get(point.channel) == point.address
        if not kept and point.channel is not ChannelName.WEBPUSH:
            directory.remove_contact_point(conn, point.id)
    return {
        channel: directory.add_contact_point(conn, person, channel, Recipient(address), now)
        for channel, address in contacts.items()
    }


def is_pending(conn: Connection, person: int) -> bool:
    """Whether somebody is written down of whom nothing was proved yet."""
    known = directory.load(conn, person) is not None
    points = directory.contact_points(conn, person)
    return known and all(point.verified_at is None for point in points)
