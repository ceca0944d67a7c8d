# SPDX-License-Identifier: EUPL-1.2
"""Staff subscribe somebody who is at the desk, on the telephone, or who handed in the paper form.

The consent says how it was given and who wrote it down; every line of the audit names the officer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from channels.base import ChannelName
from hub.flow.citizens.asking import Asked, Asking, Verdict
from hub.flow.citizens.desk_visits import Clerk
from hub.flow.citizens.enrolling import Confirmed, Enrolling
from hub.flow.citizens.joining import write_joined
from hub.flow.send.gate import Wishes
from hub.ledger import audit
from subscribers import challenges, consent, directory, suppression
from subscribers.answers import Answers, set_addresses, write_down
from subscribers.catalogue import Catalogue, load_catalogue
from subscribers.challenges import Challenge, Purpose
from subscribers.consent_text import CONSENT_VERSION
from subscribers.merging import earlier_self, merge
from templates.content import NoteKind

_NOTES: Final = {ChannelName.SMS: NoteKind.CODE, ChannelName.EMAIL: NoteKind.CONFIRM}


class Given(StrEnum):
    """How somebody gave their consent to an officer."""

    PRESENT = "present"
    TELEPHONE = "telephone"
    PAPER = "paper"


SOURCES: Final = {
    Given.PRESENT: "desk, in person",
    Given.TELEPHONE: "desk, by telephone",
    Given.PAPER: "paper form",
}
"""How a consent says it."""


class Checked(StrEnum):
    """How the officer knows that the addresses are theirs."""

    CODE = "code"  # read back to the officer; an e-mail's link is opened by its reader
    CALL = "call"  # the officer called, or was called from, that number
    DOCUMENT = "document"  # something with the address on it was shown


@dataclass(frozen=True, slots=True)
class AtDesk:
    """What the officer says of how it went: `given_on` is the day on the paper; `reason` in their
    words why no code was read back, "" where one will be."""

    given: Given
    given_on: date
    checked: Checked
    reason: str = ""


class AskedTooOftenError(Exception):
    """No code may be sent there now, and nothing was written. `until` is when one may be."""

    def __init__(self, until: datetime) -> None:
        super().__init__("asked too often")
        self.until = until


@dataclass(frozen=True, slots=True)
class Noted:
    """Somebody was written down. `number` names what was noted (never who they turn out to be);
    `code` is the challenge an SMS code answers, None where there is none to read back."""

    number: int
    code: int | None


@dataclass(frozen=True, slots=True)
class Leaflet:
    """What was noted, to be given to the person: nothing of what they, or anybody, had before."""

    themes: tuple[str, ...]
    zones: tuple[str, ...]
    channels: tuple[ChannelName, ...]
    at: datetime
    language: str
    verified: bool
    joined: bool


@dataclass(frozen=True, slots=True)
class Assisting:
    """Writes down what somebody asks of an officer, and checks their addresses."""

    asking: Asking
    wishes: Wishes

    async def note(self, answers: Answers, told: AtDesk, clerk: Clerk) -> Noted:
        """Write it all down, in one transaction. Where no code is to be read back, the officer's
        word verifies the addresses. Asking lifts a do-not-contact.

        Raises `AskedTooOftenError`, `hub.ledger.database.LedgerFullError`.
        """
        now = self.asking.clock.now()

        def write(conn: Connection) -> tuple[Noted, tuple[()] | tuple[int, int]]:
            catalogue = load_catalogue(conn, clerk.authority)
            person = _written(conn, catalogue, answers, told, clerk, now)
            points = set_addresses(conn, person, answers.contacts, now)
            lifted = self._lift(conn, answers.contacts)
            detail = {**_line(answers, told), "lifted": lifted}
            _audit(conn, now, clerk, "enrol", person, **detail)
            if told.checked is Checked.CODE:
                asked = {
                    channel: self._ask(conn, clerk, channel, address, person, points[channel])
                    for channel, address in answers.contacts.items()
                }
                code = asked.get(ChannelName.SMS)
                return Noted(person, code.challenge.id if code and code.challenge else None), ()
            for point in points.values():
                directory.verify(conn, point, now)
            kept = _joined(conn, person, now)
            _audit(conn, now, clerk, "verify", person, joined=kept != person)
            return Noted(person, None), (person, kept)

        noted, people = await self.asking.transact(write)
        self._tell(people)
        if people:
            await write_joined(self.asking.ledger, *people, now)
        return noted

    async def asked_here(self, number: int, clerk: Clerk) -> tuple[Challenge, str] | None:
        """The code asked for at this desk, and the mobile it went to; None for any other's."""

        def read(conn: Connection) -> tuple[Challenge, str] | None:
            found = challenges.load(conn, number)
            if found is None or found.subscriber is None or found.authority != clerk.authority:
                return None
            if _noted(conn, found.subscriber, clerk) is None:
                return None
            points = directory.contact_points(conn, found.subscriber)
            address = [point.address for point in points if point.id == found.contact_point]
            return (found, address[0]) if address else None

        return await self.asking.ledger.read(read)

    async def read_back(self, asked: Challenge, given: str, clerk: Clerk) -> Confirmed:
        """Look at the code the person read out. Raises `LedgerFullError`."""
        enrolling = Enrolling(self.asking, self.wishes, clerk.authority)
        confirmed = await enrolling.confirm_code(asked.id, given, asked.subscriber)
        if confirmed.answered.verdict is Verdict.RIGHT:
            now, person = self.asking.clock.now(), asked.subscriber
            assert person is not None
            joined = confirmed.person != person
            await self.asking.ledger.transact(
                lambda conn: _audit(conn, now, clerk, "verify", person, joined=joined)
            )
        return confirmed

    async def leaflet(self, number: int, clerk: Clerk) -> Leaflet | None:
        """What was noted at this desk under that number; None for any other's."""
        return await self.asking.ledger.read(lambda conn: _noted(conn, number, clerk))

    def _ask(  # noqa: PLR0917 (who is asked, and where)
        self,
        conn: Connection,
        clerk: Clerk,
        channel: ChannelName,
        address: str,
        person: int,
        point: int,
    ) -> Asked:
        """Counted for the address and for the day, not for the desk: a queue of people is there."""
        asker = self.asking.asker(channel, address, f"desk:{person}")
        asked = self.asking.ask(
            *(conn, clerk.authority, Purpose.CONFIRM, _NOTES[channel], channel, asker),
            person=person,
            contact_point=point,
        )
        if asked.refusal is not None:
            raise AskedTooOftenError(asked.until)  # leaves the transaction: nothing is kept
        return asked

    def _lift(self, conn: Connection, contacts: Mapping[ChannelName, str]) -> bool:
        lifted = [
            suppression.lift(
                conn, channel, suppression.address_hash(self.asking.key, channel, address)
            )
            for channel, address in contacts.items()
        ]
        return any(lifted)

    def _tell(self, people: tuple[int, ...]) -> None:
        """After the commit: whatever was read of these people before it is then stale."""
        for person in people:
            self.wishes.changed(person, self.asking.clock.monotonic())


def _written(  # noqa: PLR0917 (one caller, just above)
    conn: Connection,
    catalogue: Catalogue,
    answers: Answers,
    told: AtDesk,
    clerk: Clerk,
    now: datetime,
) -> int:
    person = directory.create(
        conn,
        catalogue.authority,
        language=answers.language,
        timezone=catalogue.timezone,
        now=now,
    )
    noon = datetime.combine(told.given_on, time(12), ZoneInfo(catalogue.timezone))
    consent.record(
        conn,
        person,
        source=SOURCES[told.given],
        text_version=CONSENT_VERSION,
        given_at=noon if told.given is Given.PAPER else now,
        now=now,
        recorded_by=clerk.recorded_by,
    )
    return write_down(conn, catalogue, answers, person, now)


def _joined(conn: Connection, person: int, now: datetime) -> int:
    """Who they are: somebody known already by one of these addresses, or themselves."""
    for point in directory.contact_points(conn, person):
        older = earlier_self(conn, point, now, same_browser=True)
        if older is not None:
            merge(conn, person, older)
            return older
    return person


def _line(answers: Answers, told: AtDesk) -> dict[str, Any]:
    """What the audit keeps: never an address."""
    return {
        "given": told.given,
        "checked": told.checked,
        "reason": told.reason,
        "themes": sorted(answers.themes),
        "zones": sorted(answers.zones),
        "channels": list(answers.channels),
        "language": answers.language,
    }


def _audit(
    conn: Connection, now: datetime, clerk: Clerk, verb: str, person: int, **detail: Any
) -> None:
    whom, told = f"subscriber:{person}", {"officer": clerk.officer, **detail}
    audit.record(conn, now, clerk.actor, verb, whom, authority=clerk.authority, detail=told)


def _noted(conn: Connection, number: int, clerk: Clerk) -> Leaflet | None:
    lines = [
        line
        for line in audit.of_object(conn, f"subscriber:{number}")
        if line["actor"] == clerk.actor and line["authority"] == clerk.authority
    ]
    noted = [line for line in lines if line["verb"] == "enrol"]
    verified = [line for line in lines if line["verb"] == "verify"]
    if not noted:
        return None
    said = noted[-1]["detail"]
    return Leaflet(
        themes=tuple(said["themes"]),
        zones=tuple(said["zones"]),
        channels=tuple(ChannelName(name) for name in said["channels"]),
        at=noted[-1]["at"],
        language=said["language"],
        verified=bool(verified),
        joined=any(line["detail"]["joined"] for line in verified),
    )
