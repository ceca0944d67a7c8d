# SPDX-License-Identifier: EUPL-1.2
"""Subscribing: what a citizen answered is written down, proved, and joined to what they had.

Whoever subscribes is written down as somebody new, known or not: what is done, and what is shown,
is the same. Only who proves an address learns what hung on it (decision 26).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from channels.base import ChannelName
from hub.flow.citizens.asking import Answered, Asked, Asking, Verdict
from hub.flow.citizens.joining import write_joined
from hub.flow.send.gate import Wishes
from hub.ledger import audit
from subscribers import challenges, directory, sessions, subscriptions
from subscribers.answers import Answers, is_pending, set_addresses, write_down
from subscribers.catalogue import load_catalogue
from subscribers.challenges import MOST_TRIES, Challenge, Purpose
from subscribers.directory import ContactPoint
from subscribers.merging import earlier_self, merge
from templates.content import NoteKind

_NOTES: Final = {ChannelName.SMS: NoteKind.CODE, ChannelName.EMAIL: NoteKind.CONFIRM}


class NobodyAskedError(Exception):
    """No code may be asked for at any of the addresses now: nothing was written."""

    def __init__(self, asked: Mapping[ChannelName, Asked]) -> None:
        super().__init__("no code may be asked for now")
        self.asked = asked


@dataclass(frozen=True, slots=True)
class Enrolled:
    """Somebody was written down: the proofs asked of them, by channel. `person` None: a machine,
    of which nothing is kept but the count."""

    person: int | None
    asked: Mapping[ChannelName, Asked]


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What an answer was; for a right one, whose it is now."""

    answered: Answered
    person: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the proof of one address is: `left` guesses, until `expires`."""

    verified: bool
    open: bool
    left: int
    expires: datetime


@dataclass(frozen=True, slots=True)
class Confirmable:
    """What a link would confirm, to be said before the button is pressed; or has: `verified`.

    `others` are the addresses that the same answers named: whoever sees one that is not theirs
    should not press.
    """

    address: str = field(repr=False)
    verified: bool
    themes: tuple[str, ...]
    zones: tuple[str, ...]
    others: tuple[tuple[ChannelName, str], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Enrolling:
    """Takes answers, and the proofs of addresses. `authority` is the town's number."""

    asking: Asking
    wishes: Wishes
    authority: int

    # ------------------------------------------------------------------ answers

    async def enrol(
        self, answers: Answers, origin: str, *, person: int | None, before: Mapping[str, int]
    ) -> Enrolled:
        """Write the answers down and ask for a proof of each address, in one transaction.

        `person` is whom the same draft wrote down already, replaced while nothing of theirs is
        proved; `before` are the proofs asked of them, by channel: one that is still open for the
        same address is not asked for again. Raises `NobodyAskedError`, `LedgerFullError`.
        """
        now = self.asking.clock.now()

        def write(conn: Connection) -> Enrolled:
            catalogue = load_catalogue(conn, self.authority)
            pending = person if person is not None and is_pending(conn, person) else None
            known = write_down(conn, catalogue, answers, pending, now)
            points = set_addresses(conn, known, answers.contacts, now)
            asked = {
                channel: self._still_open(conn, before.get(channel), point, now)
                or self._ask(conn, channel, answers.contacts[channel], origin, known, point)
                for channel, point in points.items()
            }
            _refuse_if_none(asked, by_device=ChannelName.WEBPUSH in answers.channels)
            self._write_line(conn, now, "subscribe", known, channels=list(answers.channels))
            return Enrolled(known, asked)

        return await self.asking.transact(write)

    async def turn_away(self, answers: Answers, origin: str) -> Enrolled:
        """As `enrol`, for what looks like a machine: the same answer, nothing sent, nobody kept.
        Raises as `enrol`."""

        def write(conn: Connection) -> Enrolled:
            asked = {
                channel: self._ask(conn, channel, address, origin, None, None)
                for channel, address in answers.contacts.items()
            }
            _refuse_if_none(asked, by_device=ChannelName.WEBPUSH in answers.channels)
            return Enrolled(None, asked)

        return await self.asking.transact(write)

    def _ask(  # noqa: PLR0917 (who is asked, and where)
        self,
        conn: Connection,
        channel: ChannelName,
        address: str,
        origin: str,
        person: int | None,
        point: int | None,
    ) -> Asked:
        return self.asking.ask(
            *(conn, self.authority, Purpose.CONFIRM, _NOTES[channel], channel),
            self.asking.asker(channel, address, origin),
            person=person,
            contact_point=point,
        )

    def _still_open(
        self, conn: Connection, number: int | None, point: int, now: datetime
    ) -> Asked | None:
        """The proof asked for a moment ago at this very address, while it may be given."""
        found = None if number is None else challenges.load(conn, number)
        if found is None or found.contact_point != point or not _is_open(found, now):
            return None
        return Asked(None, now, found)

    async def ask_again(
        self, number: int, channel: ChannelName, address: str, origin: str, *, person: int | None
    ) -> Asked:
        """Ask once more for the proof that challenge `number` was, of `person`'s address. Raises
        `LedgerFullError`."""

        def write(conn: Connection) -> Asked:
            found = challenges.load(conn, number)
            who, point = (None, None) if found is None else (found.subscriber, found.contact_point)
            if point is None and person is not None:
                held = {(p.channel, p.address): p for p in directory.contact_points(conn, person)}
                mine = held.get((channel, address))
                who, point = (person, mine.id) if mine else (None, None)
            return self._ask(conn, channel, address, origin, who, point)

        return await self.asking.transact(write)

    # ------------------------------------------------------------------ proofs

    async def confirm_code(self, number: int, given: str, person: int | None) -> Confirmed:
        """Look at a code. `person` is who the draft of this browser wrote down, if any. Raises
        `LedgerFullError`."""
        return await self._confirm(
            lambda conn: self.asking.answer_code(conn, number, given), person
        )

    async def confirm_link(self, token: str, person: int | None) -> Confirmed:
        """Spend a link; as `confirm_code`. Repeating is harmless."""

        def answer(conn: Connection) -> Answered:
            looked = self._look(conn, token)
            if looked.verdict is not Verdict.RIGHT:
                return looked
            return self.asking.answer_link(conn, token)

        return await self._confirm(answer, person)

    async def _confirm(
        self, answer: Callable[[Connection], Answered], person: int | None
    ) -> Confirmed:
        now = self.asking.clock.now()

        def write(conn: Connection) -> tuple[Confirmed, tuple[()] | tuple[int, int]]:
            answered = answer(conn)
            asked = answered.challenge
            if answered.verdict is not Verdict.RIGHT or asked is None:
                return Confirmed(answered), ()
            if asked.subscriber is None or asked.contact_point is None:  # nobody's: a lucky guess
                return Confirmed(Answered(Verdict.EXPIRED, asked)), ()
            kept = self._proved(conn, asked, now, same_browser=person == asked.subscriber)
            return Confirmed(answered, kept), (asked.subscriber, kept)

        confirmed, people = await self.asking.transact(write)
        for each in people:  # after the commit: whatever was read of them before it is stale
            self.wishes.changed(each, self.asking.clock.monotonic())
        if people:
            await write_joined(self.asking.ledger, *people, now)
        return confirmed

    def _proved(
        self, conn: Connection, asked: Challenge, now: datetime, *, same_browser: bool
    ) -> int:
        """The address is theirs. Returns who they are now: somebody they were before, perhaps."""
        assert asked.subscriber is not None
        assert asked.contact_point is not None
        (point,) = (
            each
            for each in directory.contact_points(conn, asked.subscriber)
            if each.id == asked.contact_point
        )
        if not same_browser and is_pending(conn, asked.subscriber):
            # whoever wrote this address down is not who proved it, and may be visiting
            sessions.end_of(conn, asked.subscriber)
        directory.verify(conn, point.id, now)
        older = earlier_self(conn, point, asked.created, same_browser=same_browser)
        if older is None:
            self._write_line(conn, now, "confirm", asked.subscriber, channel=asked.channel)
            return asked.subscriber
        merge(conn, asked.subscriber, older)
        self._write_line(
            *(conn, now, "confirm", older), channel=asked.channel, joined=asked.subscriber
        )
        return older

    async def look(self, token: str) -> tuple[Answered, Confirmable | None]:
        """What a link is worth and would confirm, changing nothing."""

        def read(conn: Connection) -> tuple[Answered, Confirmable | None]:
            looked = self._look(conn, token)
            return looked, _confirmable(conn, looked.challenge)

        return await self.asking.ledger.read(read)

    async def standing(self, numbers: Mapping[str, int]) -> dict[ChannelName, Standing]:
        """How far each proof is, by channel; one that is gone is missing."""
        now = self.asking.clock.now()

        def read(conn: Connection) -> dict[ChannelName, Standing]:
            found = {name: challenges.load(conn, number) for name, number in numbers.items()}
            return {
                ChannelName(name): _standing(conn, asked, now)
                for name, asked in found.items()
                if asked is not None
            }

        return await self.asking.ledger.read(read)

    async def try_out(self, person: int, origin: str) -> list[Asked]:
        """Send a trial message to every proved address of a person, within the limits. Raises
        `LedgerFullError`."""

        def write(conn: Connection) -> list[Asked]:
            return [
                self._trial(conn, point, origin)
                for point in directory.contact_points(conn, person)
                if point.verified_at is not None and point.channel is not ChannelName.X
            ]

        return await self.asking.transact(write)

    # ------------------------------------------------------------------ parts

    def _look(self, conn: Connection, token: str) -> Answered:
        """A link of another town or for another purpose is none of ours here."""
        looked = self.asking.look(conn, token)
        asked = looked.challenge
        if asked is not None and (asked.purpose, asked.authority) != (
            Purpose.CONFIRM,
            self.authority,
        ):
            return Answered(Verdict.UNKNOWN)
        return looked

    def _trial(self, conn: Connection, point: ContactPoint, origin: str) -> Asked:
        """Counted apart from codes: the first is wanted a moment after one."""
        asker = self.asking.asker(point.channel, f"trial:{point.address}", origin)
        return self.asking.ask(
            *(conn, self.authority, Purpose.TEST, NoteKind.TEST, point.channel, asker),
            person=point.subscriber,
            contact_point=point.id,
        )

    def _write_line(
        self, conn: Connection, now: datetime, verb: str, person: int, **detail: object
    ) -> None:
        whom = f"subscriber:{person}"
        audit.record(conn, now, "citizen", verb, whom, authority=self.authority, detail=detail)


def _refuse_if_none(asked: Mapping[ChannelName, Asked], *, by_device: bool) -> None:
    """Leaves the transaction where nobody can be asked anything: nothing is worth keeping."""
    if asked and not by_device and all(each.refusal is not None for each in asked.values()):
        raise NobodyAskedError(asked)


def _is_open(asked: Challenge, now: datetime) -> bool:
    return asked.used_at is None and asked.expires > now and asked.tries < MOST_TRIES


def _standing(conn: Connection, asked: Challenge, now: datetime) -> Standing:
    points = () if asked.subscriber is None else directory.contact_points(conn, asked.subscriber)
    verified = any(p.id == asked.contact_point and p.verified_at is not None for p in points)
    return Standing(verified, _is_open(asked, now), MOST_TRIES - asked.tries, asked.expires)


def _confirmable(conn: Connection, asked: Challenge | None) -> Confirmable | None:
    """None where the person is gone."""
    person = None if asked is None or asked.subscriber is None else asked.subscriber
    known = None if person is None else directory.load(conn, person)
    if known is None or asked is None:
        return None
    points = {point.id: point for point in directory.contact_points(conn, known.id)}
    if asked.contact_point not in points:
        return None
    catalogue = load_catalogue(conn, known.authority)
    held = {theme for theme, _, _ in subscriptions.subscriptions_of(conn, known.id)}
    themes = [theme.key for theme in catalogue.themes.values() if theme.id in held]
    zones = [catalogue.zones[number].key for number in known.zones]
    point = points[asked.contact_point]
    others = tuple((each.channel, each.address) for each in points.values() if each is not point)
    verified = point.verified_at is not None
    return Confirmable(point.address, verified, tuple(themes), tuple(zones), others)
