# SPDX-License-Identifier: EUPL-1.2
"""A trial message by one channel, to an address an operator types: does it arrive?

It goes by the engine's own road, past the hold and the pauses, and is counted nowhere. The address
stands in no row, no log and no line of the journal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection

from channels.base import Accepted, ChannelName, Delivered, Recipient, Rejected, Retry
from hub.flow.engine import Engine
from hub.flow.send.beside import carry
from hub.flow.staff.officers import Officer
from hub.ledger import audit
from subscribers.addresses import AddressProblem, normalise_email, normalise_phone
from subscribers.suppression import address_hash, is_suppressed
from templates.letters import compose_probe

PROBED: Final = (ChannelName.EMAIL, ChannelName.SMS)
"""The channels on which somebody is written to by address: a post is public, a device is nobody's
to type."""


class Answer(StrEnum):
    """What a trial came to."""

    TAKEN = "taken"  # the provider took charge of it
    REFUSED = "refused"  # for a reason
    CLOSED = "closed"  # nothing leaves on this channel now
    UNFIT = "unfit"  # no address of this channel's
    UNWANTED = "unwanted"  # whoever has it asked for no message


@dataclass(frozen=True, slots=True)
class Trial:
    """The answer, with the provider's reason where it refused."""

    answer: Answer
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Probing:
    """`key` hashes addresses that want nothing; `regions` are those SMS are sent to."""

    engine: Engine
    key: bytes
    regions: Sequence[str]

    async def send(
        self, channel: ChannelName, typed: str, by: Officer, *, town: str, language: str
    ) -> Trial:
        """Send one, and say what the provider answered. `channel` is one of `PROBED`."""
        road = self.engine.roads.get(channel)
        address = self._address(channel, typed)
        if address is None:
            return Trial(Answer.UNFIT)
        if road is None or not road.open:
            return Trial(Answer.CLOSED)
        now, hashed = self.engine.clock.now(), address_hash(self.key, channel, address)
        ledger = self.engine.ledger
        if await ledger.read(lambda conn: is_suppressed(conn, channel, hashed, now)):
            return Trial(Answer.UNWANTED)
        number = await ledger.transact(lambda conn: self._note(conn, channel, by), hurry=True)
        press = self.engine.press
        url = f"{press.site.public_url}/console"
        text = compose_probe(press.composer, channel, language, town, url)
        to, what = Recipient(address), f"probe-{number}"
        clock, slips = self.engine.clock, self.engine.slips
        match await carry(road, what, text, to, slips=slips, clock=clock):
            case Accepted() | Delivered():
                return Trial(Answer.TAKEN)
            case Rejected(reason) | Retry(reason):
                return Trial(Answer.REFUSED, reason)
            case None:
                return Trial(Answer.CLOSED)

    def _address(self, channel: ChannelName, typed: str) -> str | None:
        if channel is ChannelName.EMAIL:
            found = normalise_email(typed)
        else:
            found = normalise_phone(typed, self.regions)
        return None if isinstance(found, AddressProblem) else found

    def _note(self, conn: Connection, channel: ChannelName, by: Officer) -> str:
        """The journal's line, before it leaves; a mark that no other trial has."""
        now, actor, whom = self.engine.clock.now(), f"officer:{by.id}", f"channel:{channel}"
        audit.record(conn, now, actor, "probe", whom, authority=by.authority)
        return f"{by.id}-{now.timestamp():.6f}"
