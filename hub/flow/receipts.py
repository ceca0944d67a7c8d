# SPDX-License-Identifier: EUPL-1.2
"""The providers' later word comes in: read the token, store, and only then say thank you."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from channels.base import Clock, Receipt
from hub.flow.send.gate import Wishes
from hub.flow.send.slips import Slips
from hub.ledger.receipts import DELIVERED, RECEIPT, Arrival
from hub.ledger.store import Ledger
from subscribers.tables import to_ms

log = structlog.get_logger(__name__)


class ForgedReceiptError(Exception):
    """A token that we did not write, under a good signature or none."""


@dataclass(frozen=True, slots=True)
class Receiving:
    """Takes receipts, whichever door they came to."""

    ledger: Ledger
    slips: Slips
    wishes: Wishes
    clock: Clock

    def genuine(self, token: str) -> bool:
        """Whether we wrote this token, for a door that has to know before it reads on."""
        return self.slips.read_receipt_token(token) is not None

    async def receive(self, receipts: Sequence[Receipt]) -> None:
        """Returns once all are committed; a second time they change nothing.

        One of a delivery that the ledger has forgotten is dropped. Raises `ForgedReceiptError`,
        and `LedgerFullError`: the provider then sends it again.
        """
        arrivals = [self._arrival(each) for each in receipts]
        stored = await asyncio.gather(*(self.ledger.write(RECEIPT, each) for each in arrivals))
        for arrival, kept in zip(arrivals, stored, strict=True):
            if kept.subscriber is not None and (arrival.dead or arrival.rank == DELIVERED):
                self.wishes.changed(kept.subscriber, self.clock.monotonic())
            log.debug("receipt", delivery=arrival.delivery, rank=arrival.rank, known=kept.known)

    def _arrival(self, receipt: Receipt) -> Arrival:
        found = self.slips.read_receipt_token(receipt.token)
        if found is None:
            raise ForgedReceiptError
        return Arrival(
            *found,
            rank=receipt.rank,
            code=receipt.code,
            reason=receipt.reason,
            ref=receipt.ref,
            at=to_ms(receipt.at),
            dead=receipt.contact_dead,
        )
