# SPDX-License-Identifier: EUPL-1.2
"""A citizen's browsers: told to us by themselves, kept current by themselves, removed at will.

A push subscription is its own proof: its address and its secret are known to one browser and to
us. Whoever shows both is that browser (RFC 8291 section 2: the secret authenticates).
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection

from channels.base import ChannelName, Clock, Recipient
from hub.flow.citizens.asking import Asked, Asking
from hub.flow.citizens.joining import write_joined
from hub.flow.send.gate import Wishes
from hub.ledger import audit
from hub.ledger.store import Ledger
from subscribers import consent, directory, subscriptions
from subscribers.addresses import AddressProblem, normalise_push
from subscribers.catalogue import load_catalogue
from subscribers.challenges import Purpose
from subscribers.consent_text import CONSENT_VERSION
from subscribers.directory import ContactPoint
from subscribers.merging import earlier_self, merge
from subscribers.preferences import Cadence
from templates.content import NoteKind

MOST: Final = 10
"""Browsers of one person; the one unused for longest makes room."""
_PUSH: Final = ChannelName.WEBPUSH


@dataclass(frozen=True, slots=True)
class PushTerms:
    """What browsers subscribe with, and which push services are taken: the channel's own rules.

    `key` is the town's VAPID public key in base64url; `loopback` also takes this machine.
    """

    key: str
    admits: Callable[[str], bool]
    loopback: bool = False


class NoDevice(StrEnum):
    """Why a browser was not taken."""

    NOT_OFFERED = "not_offered"  # the town sends no notifications
    NOT_ALLOWED = "not_allowed"  # no push service we know


@dataclass(frozen=True, slots=True)
class Devices:
    """What may be done with them. `terms` None: this town sends no notifications.

    Everything that writes raises `hub.ledger.database.LedgerFullError`.
    """

    ledger: Ledger
    wishes: Wishes
    clock: Clock
    authority: int
    terms: PushTerms | None = None

    def read(self, endpoint: str, p256dh: str, auth: str) -> Recipient | AddressProblem | NoDevice:
        """A browser's subscription as we keep it, or why we do not."""
        if self.terms is None:
            return NoDevice.NOT_OFFERED
        found = normalise_push(endpoint, p256dh, auth, allow_loopback=self.terms.loopback)
        if isinstance(found, Recipient) and not self.terms.admits(found.address):
            return NoDevice.NOT_ALLOWED
        return found

    async def add(self, person: int, browser: Recipient, label: str) -> int | None:
        """Have this browser be `person`'s, and nobody else's: it shows one person's messages.

        Who asked for no theme on this channel yet is told there what they are told elsewhere.
        Returns whose it is now: `person`, or who they were already when they subscribed before
        with this very browser. None where the person is gone.
        """
        now = self.clock.now()

        def write(conn: Connection) -> tuple[int, set[int]] | None:
            if directory.load(conn, person) is None:
                return None
            holder, former = self._settle(conn, person, browser, label, now)
            _tell_there_too(conn, holder)
            if consent.latest(conn, holder) is None:
                proof = {"source": "web", "text_version": CONSENT_VERSION}
                consent.record(conn, holder, **proof, given_at=now, now=now)
            _note(conn, self, "device.add", holder)
            return holder, {holder, person, *former}

        done = await self.ledger.transact(write, hurry=True)
        if done is None:
            return None
        holder, changed = done
        for each in changed:
            self.wishes.changed(each, self.clock.monotonic())
        await write_joined(self.ledger, person, holder, now)
        return holder

    def _settle(
        self, conn: Connection, person: int, browser: Recipient, label: str, now: datetime
    ) -> tuple[int, set[int]]:
        """The contact point, verified, with one person: that person, and who had it before."""
        _make_room(conn, person, browser)
        added = directory.add_contact_point(conn, person, _PUSH, browser, now, label=label)
        directory.verify(conn, added, now)
        others = _others(conn, self.authority, browser, person)
        (point,) = (each for each in _of(conn, person) if each.id == added)
        older = earlier_self(conn, point, now, same_browser=True) if others else None
        if older is not None and older in {each.subscriber for each in others}:
            merge(conn, person, older)
            return older, set()
        for each in others:
            directory.remove_contact_point(conn, each.id)
        return person, {each.subscriber for each in others}

    async def whose(self, endpoint: str, auth: str) -> int | None:
        """Whose browser this is, by its address and its secret; None for any other."""
        found = await self.ledger.read(lambda conn: _known(conn, self.authority, endpoint, auth))
        return None if found is None else found.subscriber

    async def renew(self, endpoint: str, auth: str, browser: Recipient) -> bool:
        """The browser's subscription was replaced by its push service: go on with the new one.

        The former one is the proof. False for an unknown browser, which the caller keeps to
        itself.
        """
        now = self.clock.now()

        def write(conn: Connection) -> int | None:
            known = _known(conn, self.authority, endpoint, auth)
            if known is None:
                return None
            directory.remove_contact_point(conn, known.id)
            added = directory.add_contact_point(
                *(conn, known.subscriber, _PUSH, browser, now), label=known.label
            )
            directory.verify(conn, added, now)
            _note(conn, self, "device.renew", known.subscriber)
            return known.subscriber

        person = await self.ledger.transact(write, hurry=True)
        if person is not None:
            self.wishes.changed(person, self.clock.monotonic())
        return person is not None

    async def of(self, person: int) -> list[ContactPoint]:
        """A person's browsers, in the order they came."""
        return await self.ledger.read(lambda conn: _of(conn, person))

    async def remove(self, person: int, contact: int) -> bool:
        """Forget one browser of `person`. False where it is not theirs, gone, or their last
        confirmed contact: nobody could open their pages any more to erase the rest."""

        def write(conn: Connection) -> bool:
            mine = any(each.id == contact for each in _of(conn, person))
            held = directory.contact_points(conn, person)
            if not mine or not any(each.verified_at and each.id != contact for each in held):
                return False
            directory.remove_contact_point(conn, contact)
            _note(conn, self, "device.remove", person)
            return True

        removed = await self.ledger.transact(write, hurry=True)
        self.wishes.changed(person, self.clock.monotonic())
        return removed

    async def try_out(self, asking: Asking, person: int, contact: int, origin: str) -> Asked | None:
        """Send a trial message to one browser of `person`, within the limits of `asking`. None
        where it is not theirs, or gone."""

        def ask(conn: Connection) -> Asked | None:
            for each in _of(conn, person):
                if each.id == contact:
                    asker = asking.asker(_PUSH, each.address, origin)
                    return asking.ask(
                        *(conn, self.authority, Purpose.TEST, NoteKind.TEST, _PUSH, asker),
                        person=person,
                        contact_point=contact,
                    )
            return None

        return await asking.transact(ask)


def _of(conn: Connection, person: int) -> list[ContactPoint]:
    return [each for each in directory.contact_points(conn, person) if each.channel is _PUSH]


def _known(conn: Connection, authority: int, endpoint: str, auth: str) -> ContactPoint | None:
    found = directory.find(conn, authority, _PUSH, endpoint)
    return next((each for each in found if _is_secret(each, auth)), None)


def _is_secret(held: ContactPoint, auth: str) -> bool:
    kept = (held.keys or {}).get("auth", "")
    given = auth.rstrip("=").encode("utf-8", "replace")
    return bool(kept) and hmac.compare_digest(kept.encode(), given)


def _others(
    conn: Connection, authority: int, browser: Recipient, person: int
) -> list[ContactPoint]:
    """Who else has it: a browser that is lent or sold shows no one else's messages.

    Only those whose secret it knows: who merely learned an address takes nothing from anybody.
    """
    same = directory.find(conn, authority, _PUSH, browser.address)
    return [
        each
        for each in same
        if each.subscriber != person and _is_secret(each, browser.keys["auth"])
    ]


def _make_room(conn: Connection, person: int, browser: Recipient) -> None:
    mine = [each for each in _of(conn, person) if each.address != browser.address]
    oldest_first = sorted(mine, key=lambda each: (each.verified_at or each.created, each.id))
    for each in oldest_first[: max(0, len(mine) - MOST + 1)]:
        directory.remove_contact_point(conn, each.id)


def _tell_there_too(conn: Connection, person: int) -> None:
    """At once, whatever the rhythm elsewhere: a notification is not a digest."""
    asked = subscriptions.subscriptions_of(conn, person)
    if any(channel is _PUSH for _, channel, _ in asked):
        return
    who = directory.load(conn, person)
    assert who is not None
    catalogue = load_catalogue(conn, who.authority)
    themes = {theme for theme, _, _ in asked if theme in catalogue.themes}
    subscriptions.subscribe(conn, person, themes, _PUSH, cadence=Cadence.NOW, catalogue=catalogue)


def _note(conn: Connection, devices: Devices, verb: str, person: int) -> None:
    now, who = devices.clock.now(), f"subscriber:{person}"
    audit.record(conn, now, "citizen", verb, who, authority=devices.authority)
