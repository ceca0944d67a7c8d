# SPDX-License-Identifier: EUPL-1.2
"""A citizen stops: one theme, one channel, or everything, from a link in any message."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import assert_never

from sqlalchemy import Connection
from sqlalchemy.exc import NoResultFound

from channels.base import ChannelName, Clock
from hub.announcement import Announcement
from hub.flow.citizens.undoing import Taken, taken
from hub.flow.send.gate import Wishes
from hub.ledger import announcements, audit, digests
from hub.ledger.journal import Journal
from hub.ledger.store import Ledger
from subscribers import directory, subscriptions
from subscribers.catalogue import Catalogue, Theme, load_catalogue
from subscribers.tokens import StopToken
from templates.pages.pages import StopChoice


@dataclass(frozen=True, slots=True)
class Stoppable:
    """What a link's holder may stop: `themes` are those of the message it came in.

    `told` are the announcements of that message, several where it was a digest, none where the
    ledger has forgotten them. `address` is to be masked before it is shown; empty where the contact
    point is gone.
    """

    themes: tuple[Theme, ...]
    channel: ChannelName
    address: str = field(repr=False)
    told: tuple[Announcement, ...]
    catalogue: Catalogue


async def look(ledger: Ledger, token: StopToken) -> Stoppable | None:
    """What a link is about, changing nothing. None where the person is gone."""

    def read(conn: Connection) -> Stoppable | None:
        person = directory.load(conn, token.subscriber)
        if person is None:
            return None
        mine = directory.contact_points(conn, token.subscriber)
        address = next((point.address for point in mine if point.channel == token.channel), "")
        catalogue, told = load_catalogue(conn, person.authority), _told(conn, token)
        return Stoppable(_themes(catalogue, told), token.channel, address, told, catalogue)

    return await ledger.read(read)


@dataclass(frozen=True, slots=True)
class Stopping:
    """Stops on a citizen's word, and has the gate know at once."""

    ledger: Ledger
    wishes: Wishes
    clock: Clock

    async def stop(self, token: StopToken, choice: StopChoice) -> "Ended | None":
        """Returns what ended; None where the person is gone. Repeating is harmless.

        Raises `LedgerFullError`; what the ledger had taken by then stands.
        """

        now = self.clock.now()

        def write(conn: Connection) -> tuple[Stopped, Ended] | None:
            person = directory.load(conn, token.subscriber)
            if person is None:
                return None
            who, town = f"subscriber:{token.subscriber}", person.authority
            said = {"choice": choice, "announcement": token.announcement}
            audit.record(conn, now, "citizen", "stop", who, authority=town, detail=said)
            what = _meant(conn, token, person.authority, choice)
            before = subscriptions.subscriptions_of(conn, what.person)
            themes = apply(conn, what, person.authority, now)
            return what, Ended(themes, taken(conn, what.person, before, now))

        stopped = await self.ledger.transact(write, hurry=True)
        # after the commit: whatever was read of this person before it is then stale
        self.wishes.changed(token.subscriber, self.clock.monotonic())
        if stopped is None:
            return None
        what, ended = stopped
        # every time, also where nothing was left to stop: the first try may have died before this
        await asyncio.to_thread(write_down, self.ledger, [what], now)
        return ended


@dataclass(frozen=True, slots=True)
class Ended:
    """The themes that stopped, and what takes them back."""

    themes: tuple[Theme, ...]
    taken: Taken


@dataclass(frozen=True, slots=True)
class Stopped:
    """What a person stopped: `channel` None is every channel, `themes` (keys) None every theme."""

    person: int
    channel: str | None
    themes: tuple[str, ...] | None


def write_down(ledger: Ledger, stops: Iterable[Stopped], now: datetime) -> None:
    """Into the journal beside the ledger, for a restored backup. Blocks. Raises
    `LedgerFullError`."""
    journal = Journal.beside(ledger.path)
    for each in stops:
        journal.append("stop", each.person, now, channel=each.channel, themes=each.themes)


def apply(conn: Connection, what: Stopped, authority: int, now: datetime) -> tuple[Theme, ...]:
    """Stop it, now or again after a restore. Returns the themes that stopped."""
    catalogue = load_catalogue(conn, authority)
    known = catalogue.themes_by_key
    every = known if what.themes is None else what.themes
    ids = [known[key].id for key in every if key in known]
    channel = None if what.channel is None else ChannelName(what.channel)
    return subscriptions.unsubscribe(conn, what.person, ids, channel, catalogue=catalogue, now=now)


def _meant(conn: Connection, token: StopToken, authority: int, choice: StopChoice) -> Stopped:
    match choice:
        case StopChoice.THEME:
            themes = _themes(load_catalogue(conn, authority), _told(conn, token))
            return Stopped(token.subscriber, token.channel, tuple(theme.key for theme in themes))
        case StopChoice.CHANNEL:
            return Stopped(token.subscriber, token.channel, None)
        case StopChoice.ALL:
            return Stopped(token.subscriber, None, None)
        case _:
            assert_never(choice)


def _themes(catalogue: Catalogue, told: Iterable[Announcement]) -> tuple[Theme, ...]:
    """The themes of a message that the town still has, each once."""
    known = catalogue.themes_by_key
    keys = dict.fromkeys(key for each in told for key in each.themes)
    return tuple(known[key] for key in keys if key in known)


def _told(conn: Connection, token: StopToken) -> tuple[Announcement, ...]:
    """What the message told this person of: none where the ledger has forgotten it (ENGINE.md
    4.12), for the right to stop outlives it."""
    try:
        announcement = announcements.by_id(conn, token.announcement)
    except NoResultFound:
        return ()
    if announcement.themes:  # only a digest has none of its own
        return (announcement,)
    told = digests.announced_to(conn, token.announcement, token.subscriber, token.channel)
    return tuple(announcements.by_id(conn, each) for each in told)
