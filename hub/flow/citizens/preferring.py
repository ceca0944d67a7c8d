# SPDX-License-Identifier: EUPL-1.2
"""A citizen changes what they receive, where, how and when; the gate knows of it at once.

What no longer reaches them is also written down beside the ledger, for a restored backup.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeVar

from sqlalchemy import Connection

from channels.base import ChannelName, Clock
from hub.flow.citizens.stopping import Stopped, apply, write_down
from hub.flow.citizens.undoing import Row, Taken, taken
from hub.flow.send.gate import Wishes
from hub.ledger import audit
from hub.ledger.store import Ledger
from subscribers import consent, directory, subscriptions
from subscribers.catalogue import Catalogue, load_catalogue
from subscribers.consent import Consent
from subscribers.consent_text import CONSENT_VERSION
from subscribers.directory import ContactPoint, Subscriber
from subscribers.preferences import Cadence
from subscribers.subscriptions import subscriptions_of
from subscribers.suppression import SuppressionReason, address_hash, lift, reason_of

Done = TypeVar("Done")
BY: Final = "page"
"""How the audit says that a citizen did it on their own pages."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """All that a person has chosen: what their own pages show."""

    person: Subscriber
    town: Catalogue
    rows: tuple[Row, ...]
    contacts: tuple[ContactPoint, ...] = field(repr=False)
    consent: Consent | None

    @property
    def agreed(self) -> bool:
        """Whether a consent stands."""
        return self.consent is not None and self.consent.withdrawn_at is None

    @property
    def cadences(self) -> Mapping[ChannelName, frozenset[Cadence]]:
        """How often, by channel; several where themes differ."""
        found: dict[ChannelName, set[Cadence]] = {}
        for _, channel, cadence in self.rows:
            found.setdefault(channel, set()).add(cadence)
        return {channel: frozenset(each) for channel, each in found.items()}


def chosen(conn: Connection, person: int) -> Chosen | None:
    """What this person chose; None for nobody."""
    who = directory.load(conn, person)
    if who is None:
        return None
    return Chosen(
        who,
        load_catalogue(conn, who.authority),
        subscriptions_of(conn, person),
        tuple(directory.contact_points(conn, person)),
        consent.latest(conn, person),
    )


@dataclass(frozen=True, slots=True)
class Preferring:
    """Changes on a citizen's word. Every method returns None (or False) where they are gone, and
    raises `LedgerFullError`."""

    ledger: Ledger
    wishes: Wishes
    clock: Clock

    # ------------------------------------------------------------------ what

    async def themes(
        self,
        person: int,
        wanted: Collection[tuple[int, ChannelName]],
        offered: Collection[ChannelName],
        *,
        agrees: bool,
    ) -> Taken | None:
        """Have exactly these (theme, channel) on the channels `offered`, at the cadence of that
        channel. What is there of other channels stays. `agrees`: they gave their consent anew,
        which is written down where none stands; without one nothing can be added."""

        def write(conn: Connection, has: Chosen, now: datetime) -> Taken:
            theirs = {(theme, channel) for theme, channel, _ in has.rows}
            shown = {row for row in theirs if row[1] in offered}
            gone, new = shown - set(wanted), set(wanted) - theirs
            for theme, channel in sorted(gone):
                _drop(conn, has, theme, channel)
            if new and not has.agreed and agrees:
                version = CONSENT_VERSION
                consent.record(
                    conn, person, source="web", text_version=version, given_at=now, now=now
                )
            if has.agreed or agrees:
                _add(conn, has, new)
            if not subscriptions_of(conn, person):
                consent.withdraw(conn, person, now)
            return taken(conn, person, has.rows, now)

        return await self._stopping(person, "themes", write)

    async def cadence(self, person: int, channel: ChannelName, cadence: Cadence) -> bool:
        """Have everything on this channel come at this cadence."""

        def write(conn: Connection, has: Chosen, _now: datetime) -> bool:
            theirs = [theme for theme, by, _ in has.rows if by is channel]
            subscriptions.subscribe(
                conn, person, theirs, channel, cadence=cadence, catalogue=has.town
            )
            return True

        return bool(await self._change(person, "cadence", write, channel=channel))

    async def stop(self, person: int, themes: Iterable[int] | None) -> Taken | None:
        """Stop these themes and all below them on every channel; None: everything."""
        asked = None if themes is None else tuple(themes)

        def write(conn: Connection, has: Chosen, now: datetime) -> Taken:
            keys = None if asked is None else _below(has.town, asked)
            if keys is None:
                apply(conn, Stopped(person, None, None), has.person.authority, now)
            else:
                for theme, channel, _ in has.rows:
                    if has.town.themes[theme].key in keys:
                        _drop(conn, has, theme, channel)
                if not subscriptions_of(conn, person):
                    consent.withdraw(conn, person, now)
            return taken(conn, person, has.rows, now)

        return await self._stopping(person, "stop", write)

    # ------------------------------------------------------------------ where, when

    async def places(self, person: int, zones: Collection[int]) -> bool:
        """The places they ask about; none is the whole town. Raises `KeyError` for a place of
        another town."""

        def write(conn: Connection, has: Chosen, _now: datetime) -> bool:
            directory.set_zones(conn, person, [has.town.zones[each].id for each in zones])
            return True

        return bool(await self._change(person, "places", write))

    async def hours(
        self,
        person: int,
        *,
        quiet: tuple[int, int] | None,
        urgent_breaks_quiet: bool,
        language: str,
        order: Sequence[ChannelName],
    ) -> bool:
        """Quiet hours in local minutes, language, and which channel is tried first."""

        def write(conn: Connection, has: Chosen, _now: datetime) -> bool:
            directory.set_preferences(
                conn,
                person,
                quiet=quiet,
                urgent_breaks_quiet=urgent_breaks_quiet,
                timezone=has.person.timezone,
                language=language,
            )
            directory.set_channel_order(conn, person, order)
            return True

        return bool(await self._change(person, "hours", write))

    async def pause(self, person: int, until: datetime | None, *, keeps_urgent: bool) -> bool:
        """Leave them alone until then (None: not any more), urgent alerts apart if they wish."""

        def write(conn: Connection, _has: Chosen, _now: datetime) -> bool:
            directory.pause(conn, person, until, keeps_urgent=keeps_urgent)
            return True

        return bool(await self._change(person, "resume" if until is None else "pause", write))

    # ------------------------------------------------------------------ contacts

    async def remove(self, person: int, contact: int) -> bool:
        """Forget one of their own contacts or devices; never the last confirmed one, or nobody
        could open these pages to erase the rest. False where that is so, or it is not theirs."""

        def write(conn: Connection, has: Chosen, _now: datetime) -> bool:
            others = [each for each in has.contacts if each.verified_at and each.id != contact]
            mine = any(each.id == contact for each in has.contacts)
            return mine and bool(others) and directory.remove_contact_point(conn, contact)

        return bool(await self._change(person, "remove_contact", write, contact=contact))

    async def use_again(self, person: int, contact: int, key: bytes) -> bool:
        """Write again to a contact of theirs that was left alone: they ask for it themselves.
        `key` hashes addresses. What was called dead is used again only once it was confirmed."""

        def write(conn: Connection, has: Chosen, _now: datetime) -> bool:
            point = next((each for each in has.contacts if each.id == contact), None)
            if point is None or point.verified_at is None:
                return False
            directory.lift_suspension(conn, contact)
            hashed = address_hash(key, point.channel, point.address)
            if reason_of(conn, point.channel, hashed) is SuppressionReason.COMPLAINT:
                lift(conn, point.channel, hashed)
            return True

        return bool(await self._change(person, "use_again", write, contact=contact))

    async def proved(self, person: int, contact: int) -> bool:
        """They proved that this contact is theirs, by its code."""

        def write(conn: Connection, has: Chosen, now: datetime) -> bool:
            if not any(each.id == contact for each in has.contacts):
                return False
            directory.verify(conn, contact, now)
            return True

        return bool(await self._change(person, "verify", write, contact=contact))

    # ------------------------------------------------------------------ every change

    async def _change(
        self,
        person: int,
        verb: str,
        work: Callable[[Connection, Chosen, datetime], Done],
        **detail: Any,
    ) -> Done | None:
        now = self.clock.now()

        def write(conn: Connection) -> Done | None:
            has = chosen(conn, person)
            if has is None:
                return None
            done = work(conn, has, now)
            said = {"by": BY, **{name: str(value) for name, value in detail.items()}}
            town, who = has.person.authority, f"subscriber:{person}"
            audit.record(conn, now, "citizen", verb, who, authority=town, detail=said)
            return done

        done = await self.ledger.transact(write, hurry=True)
        # after the commit: whatever was read of this person before it is then stale
        self.wishes.changed(person, self.clock.monotonic())
        return done

    async def _stopping(
        self, person: int, verb: str, work: Callable[[Connection, Chosen, datetime], Taken]
    ) -> Taken | None:
        """A change that may take something: that also goes into the journal."""

        def write(conn: Connection, has: Chosen, now: datetime) -> tuple[Taken, list[Stopped]]:
            done = work(conn, has, now)
            return done, _written(conn, has, done)

        ended = await self._change(person, verb, write)
        if ended is None:
            return None
        done, stops = ended
        await asyncio.to_thread(write_down, self.ledger, stops, done.at)
        return done


def _drop(conn: Connection, has: Chosen, theme: int, channel: ChannelName) -> None:
    subscriptions.drop(conn, has.person.id, [theme], channel)


def _add(conn: Connection, has: Chosen, new: Iterable[tuple[int, ChannelName]]) -> None:
    """At the cadence the channel has already; where its themes differ, at once."""
    by_channel: dict[ChannelName, list[int]] = {}
    for theme, channel in new:
        by_channel.setdefault(channel, []).append(theme)
    for channel, themes in by_channel.items():
        common = has.cadences.get(channel, frozenset())
        cadence = next(iter(common)) if len(common) == 1 else Cadence.NOW
        subscriptions.subscribe(
            conn, has.person.id, themes, channel, cadence=cadence, catalogue=has.town
        )


def _below(town: Catalogue, themes: Collection[int]) -> frozenset[str]:
    """These themes and every narrower one, by key."""
    tops = set(themes)
    return frozenset(
        each.key for each in town.themes.values() if tops & set(town.theme_lineage([each.id]))
    )


def _written(conn: Connection, has: Chosen, done: Taken) -> list[Stopped]:
    """What the journal says of it. A narrow theme whose wider one stays is left out: replayed, it
    would stop the wider one too, and nothing that reaches the person has changed."""
    left = subscriptions_of(conn, has.person.id)
    if not left and done.rows:
        return [Stopped(has.person.id, None, None)]
    held = {(theme, channel) for theme, channel, _ in left}
    by_channel: dict[ChannelName, list[str]] = {}
    for theme, channel, _ in done.rows:
        wider = has.town.theme_lineage([theme])
        if not any((each, channel) in held for each in wider):
            by_channel.setdefault(channel, []).append(has.town.themes[theme].key)
    return [
        Stopped(has.person.id, str(channel), tuple(sorted(keys)))
        for channel, keys in sorted(by_channel.items())
    ]
