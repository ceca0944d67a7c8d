# SPDX-License-Identifier: EUPL-1.2
"""A citizen adds a number or a mailbox to their own: nothing is sent there until they proved it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection

from channels.base import ChannelName, Recipient
from hub.flow.citizens.asking import Answered, Asked, Asking, Refusal, Verdict
from hub.flow.citizens.preferring import Preferring
from subscribers import challenges, directory
from subscribers.challenges import Purpose
from subscribers.directory import ContactPoint
from templates.content import NoteKind

MOST: Final = 5
"""Contacts of one person on one channel."""
_NOTES: Final = {ChannelName.SMS: NoteKind.CODE, ChannelName.EMAIL: NoteKind.CONFIRM}


class Unasked(StrEnum):
    """Why nothing was asked for, and the person's contacts are as they were."""

    HELD = "held"  # it is theirs and confirmed already
    FULL = "full"  # they have `MOST` on this channel
    GONE = "gone"  # no such contact of theirs, or they are gone


@dataclass(frozen=True, slots=True)
class Contacting:
    """Adds contacts, within the limits of `Asking`."""

    asking: Asking
    preferring: Preferring

    async def add(
        self, person: int, channel: ChannelName, address: str, origin: str
    ) -> Asked | Unasked:
        """Write a normalised address down, unproved, and send its code or link.

        Refused by a limit, a new address is not kept. Raises `LedgerFullError`.
        """
        now = self.asking.clock.now()

        def write(conn: Connection) -> Asked | Unasked:
            mine = directory.contact_points(conn, person)
            same = [each for each in mine if (each.channel, each.address) == (channel, address)]
            if directory.load(conn, person) is None:
                return Unasked.GONE
            if same and same[0].verified_at and not same[0].suspended_at:
                return Unasked.HELD
            if not same and sum(each.channel is channel for each in mine) >= MOST:
                return Unasked.FULL
            recipient = Recipient(address)
            number = directory.add_contact_point(conn, person, channel, recipient, now)
            asked = self._ask(conn, person, number, channel, address, origin)
            if asked.refusal is not None and not same:
                directory.remove_contact_point(conn, number)
            return asked

        return await self.asking.transact(write)

    async def resend(self, person: int, contact: int, origin: str) -> Asked | Unasked:
        """A new code or link to one of their own contacts. Raises `LedgerFullError`."""

        def write(conn: Connection) -> Asked | Unasked:
            point = self._own(conn, person, contact)
            if point is None or point.channel not in _NOTES:
                return Unasked.GONE
            return self._ask(conn, person, contact, point.channel, point.address, origin)

        return await self.asking.transact(write)

    async def answer(self, person: int, number: int, code: str) -> Answered:
        """A guess of the code of challenge `number`: looked at only where it was asked for by this
        person. A right one confirms its contact. Raises `LedgerFullError`."""

        def write(conn: Connection) -> Answered:
            asked = challenges.load(conn, number)
            if (
                asked is None
                or asked.subscriber != person
                or asked.purpose is not Purpose.CONFIRM
                or asked.channel is not ChannelName.SMS  # what leaves by e-mail is no code
            ):
                return Answered(Verdict.UNKNOWN)
            return self.asking.answer_code(conn, number, code)

        answered = await self.asking.ledger.transact(write, hurry=True)
        asked = answered.challenge
        if answered.verdict is Verdict.RIGHT and asked is not None and asked.contact_point:
            await self.preferring.proved(person, asked.contact_point)
        return answered

    async def own(self, person: int, contact: int) -> ContactPoint | None:
        """One of their contacts, None where it is not theirs."""
        return await self.asking.ledger.read(lambda conn: self._own(conn, person, contact))

    def _ask(  # noqa: PLR0917 (whom, where)
        self,
        conn: Connection,
        person: int,
        contact: int,
        channel: ChannelName,
        address: str,
        origin: str,
    ) -> Asked:
        who = directory.load(conn, person)
        assert who is not None  # the contact is theirs
        return self.asking.ask(
            *(conn, who.authority, Purpose.CONFIRM, _NOTES[channel], channel),
            self.asking.asker(channel, address, origin),
            person=person,
            contact_point=contact,
        )

    @staticmethod
    def _own(conn: Connection, person: int, contact: int) -> ContactPoint | None:
        mine = directory.contact_points(conn, person)
        return next((each for each in mine if each.id == contact), None)


def refused(asked: Asked | Unasked) -> Refusal | Unasked | None:
    """Why nothing is on its way; None where something is."""
    return asked.refusal if isinstance(asked, Asked) else asked
