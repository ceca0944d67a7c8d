# SPDX-License-Identifier: EUPL-1.2
"""What somebody receives, in the few words that end a subscription (UX.md 7.4)."""

from dataclasses import dataclass

from sqlalchemy import Connection

from channels.base import ChannelName
from hub.ledger.store import Ledger
from subscribers import directory, subscriptions
from subscribers.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Received:
    """Themes that come by the same channels, in words: names, and channels' names."""

    themes: tuple[str, ...]
    channels: tuple[ChannelName, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """All of it. `zones` are names, none of them the whole town; `channels` those that a person
    has a proved address for."""

    received: tuple[Received, ...]
    zones: tuple[str, ...]
    channels: tuple[ChannelName, ...]


async def summary_of(
    ledger: Ledger, person: int, catalogue: Catalogue, language: str
) -> Summary | None:
    """What `person` receives at their proved addresses; None for nobody."""
    return await ledger.read(lambda conn: _summary(conn, person, catalogue, language))


def _summary(conn: Connection, person: int, catalogue: Catalogue, language: str) -> Summary | None:
    who = directory.load(conn, person)
    if who is None:
        return None
    points = directory.contact_points(conn, person)
    proved = {point.channel for point in points if point.verified_at is not None}
    ways: dict[int, list[ChannelName]] = {}
    for theme, channel, _ in subscriptions.subscriptions_of(conn, person):
        if channel in proved:
            ways.setdefault(theme, []).append(channel)
    grouped: dict[tuple[ChannelName, ...], list[str]] = {}
    for each in catalogue.themes.values():
        if each.id in ways:
            by = tuple(channel for channel in ChannelName if channel in ways[each.id])
            grouped.setdefault(by, []).append(each.name(language))
    return Summary(
        received=tuple(Received(tuple(names), by) for by, names in grouped.items()),
        zones=tuple(catalogue.zones[number].name(language) for number in who.zones),
        channels=tuple(each for each in ChannelName if each in proved),
    )
