# SPDX-License-Identifier: EUPL-1.2
"""An officer attends to one citizen: finds them by their exact address, looks, stops what they ask.

Every look is a line of the journal that names the officer and the person, never the address.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection

from channels.base import ChannelName, Clock
from hub.flow.citizens.stopping import Stopped, apply, write_down
from hub.flow.send.gate import Wishes
from hub.flow.staff.officers import Officer
from hub.ledger import audit
from hub.ledger.store import Ledger
from subscribers import directory
from subscribers.crier import crier_of


class Why(StrEnum):
    """How somebody asked an officer to stop. A closed list: the journal holds no free text about a
    person."""

    TELEPHONE = "telephone"
    LETTER = "letter"
    PRESENT = "present"
    WRONG = "wrong"  # the address was never theirs
    GONE = "gone"  # they moved away, or died


@dataclass(frozen=True, slots=True)
class Attending:
    """What an officer may do for one citizen."""

    ledger: Ledger
    wishes: Wishes
    clock: Clock

    async def find(self, officer: Officer, channel: ChannelName, address: str) -> Sequence[int]:
        """The people of the officer's town who have exactly this normalised address; a number or a
        mailbox may be a household's. Written down, found or not."""
        now = self.clock.now()

        def write(conn: Connection) -> Sequence[int]:
            held = directory.find(conn, officer.authority, channel, address)
            crier = crier_of(conn, officer.authority)
            people = [each for each in dict.fromkeys(p.subscriber for p in held) if each != crier]
            for each in people:
                _say(conn, officer, "look_up", each, now, by=channel)
            if not people:
                _say(conn, officer, "look_up", None, now, by=channel)
            return people

        return await self.ledger.transact(write)

    async def look(self, officer: Officer, person: int) -> bool:
        """Write down that the officer opens this person's page. False for nobody of their town."""
        now = self.clock.now()

        def write(conn: Connection) -> bool:
            if not is_theirs(conn, officer, person):
                return False
            _say(conn, officer, "look_up", person, now, by="number")
            return True

        return await self.ledger.transact(write)

    async def stop(
        self, officer: Officer, person: int, channel: ChannelName | None, why: Why
    ) -> bool:
        """End everything, or everything on one channel, because they asked. False for nobody of
        the officer's town. Repeating is harmless. Raises `LedgerFullError`."""
        now = self.clock.now()
        what = Stopped(person, channel, None)

        def write(conn: Connection) -> bool:
            if not is_theirs(conn, officer, person):
                return False
            apply(conn, what, officer.authority, now)
            _say(conn, officer, "stop", person, now, why=why, channel=channel)
            return True

        done = await self.ledger.transact(write, hurry=True)
        # after the commit: whatever was read of this person before it is then stale
        self.wishes.changed(person, self.clock.monotonic())
        if done:
            await asyncio.to_thread(write_down, self.ledger, [what], now)
        return done


def is_theirs(conn: Connection, officer: Officer, person: int) -> bool:
    """Whether this is a citizen of the officer's town: nobody else's exists for them."""
    found = directory.load(conn, person)
    return (
        found is not None
        and found.authority == officer.authority
        and person != crier_of(conn, officer.authority)
    )


def _say(
    conn: Connection, officer: Officer, verb: str, person: int | None, now: datetime, **more: object
) -> None:
    whom = "subscribers" if person is None else f"subscriber:{person}"
    detail = {"source": f"officer:{officer.id}", **more}
    audit.record(conn, now, officer.name, verb, whom, authority=officer.authority, detail=detail)
