# SPDX-License-Identifier: EUPL-1.2
"""The one way to erase a person, whoever asks for it: the citizen, or an operator for them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from channels.base import ChannelName, Clock
from hub.delivery import DeliveryState
from hub.flow.send.gate import Wishes
from hub.ledger import audit
from hub.ledger.journal import Journal
from hub.ledger.store import Ledger
from hub.ledger.tables import delivery, kept_address, run
from subscribers import challenges, directory, drafts
from subscribers.privacy import erase_person
from subscribers.suppression import address_hash
from subscribers.tables import contact_point, subscriber

Hashes = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Erasing:
    """Leaves nothing about a person, and has the gate know at once.

    `key` hashes addresses: with it, what was asked about theirs while nobody knew them goes too.
    """

    ledger: Ledger
    wishes: Wishes
    clock: Clock
    key: bytes | None = None

    async def erase(self, person: int, *, actor: str, do_not_contact: bytes | None = None) -> bool:
        """Erase `person` (GDPR art. 17); False where there was nobody, and repeating is harmless.

        With a key in `do_not_contact`, keyed hashes of their addresses go on the do-not-contact
        list. Raises `LedgerFullError`.
        """
        now = self.clock.now()

        def write(conn: Connection) -> Hashes | None:
            return erase(conn, person, actor, now, do_not_contact, self.key)

        hashes = await self.ledger.transact(write, hurry=True)
        self.wishes.changed(person, self.clock.monotonic())
        # also of nobody: whoever was erased by a try that died before this is gone by now
        await asyncio.to_thread(self._journal, person, now, hashes or ())
        return hashes is not None

    def _journal(self, person: int, now: datetime, hashes: Hashes) -> None:
        Journal.beside(self.ledger.path).append("erase", person, now, hashes=hashes)


def erase(  # noqa: PLR0917 (two doors and a restore)
    conn: Connection,
    person: int,
    actor: str,
    now: datetime,
    do_not_contact: bytes | None,
    key: bytes | None = None,
) -> Hashes | None:
    """Erase in this transaction; the do-not-contact hashes that were kept, None for nobody.

    Messages that wait end skipped at the gate. Of one that may have left on a channel whose
    provider can be asked, the address is kept until it was (ENGINE.md 5).
    """
    who = directory.load(conn, person)
    if who is None:
        return None
    _keep_doubtful(conn, person)
    hashes = _hashes(conn, person, do_not_contact)
    challenges.unname(conn, person, [hashed for _, hashed in _hashes(conn, person, key)])
    drafts.close_of(conn, person)
    erase_person(conn, person, now, do_not_contact=do_not_contact)
    audit.record(
        conn,
        now,
        actor,
        "erase",
        f"subscriber:{person}",
        authority=who.authority,
        detail={"do_not_contact": do_not_contact is not None},
    )
    return hashes


def _hashes(conn: Connection, person: int, key: bytes | None) -> Hashes:
    """Their addresses, each by its channel and keyed hash; none without a key."""
    if key is None:
        return ()
    return tuple(
        (str(point.channel), address_hash(key, point.channel, point.address))
        for point in directory.contact_points(conn, person)
    )


_ASKED: Sequence[str] = (ChannelName.SMS, ChannelName.X)
_MAYBE_LEFT: Sequence[str] = (DeliveryState.RESERVED, DeliveryState.DOUBT)


def _keep_doubtful(conn: Connection, person: int) -> None:
    """What is reserved counts too: a crash may put it in doubt after the person is gone."""
    doubtful = (
        select(delivery.c.id, contact_point.c.address, subscriber.c.language)
        .join(run, run.c.id == delivery.c.run)
        .join(contact_point, contact_point.c.id == delivery.c.contact_point)
        .join(subscriber, subscriber.c.id == delivery.c.subscriber)
        .where(
            delivery.c.subscriber == person,
            delivery.c.state.in_(_MAYBE_LEFT),
            run.c.channel.in_(_ASKED),
        )
    )
    conn.execute(insert(kept_address).from_select(["delivery", "address", "language"], doubtful))
