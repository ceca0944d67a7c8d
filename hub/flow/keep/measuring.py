# SPDX-License-Identifier: EUPL-1.2
"""Writes down what each announcement came to, once it ended and while its deliveries are there.

Decision 0041: pages about months read a row an announcement, and the totals outlive the people.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import structlog
from sqlalchemy import Connection

from channels.base import Clock
from hub.flow.companion import Companion
from hub.ledger import measures
from hub.ledger.database import is_everybodys
from hub.ledger.measures import Measure
from hub.ledger.store import Ledger

log = structlog.get_logger(__name__)

EVERY: Final = 60.0
PAGE: Final = 50
_BETWEEN: Final = 0.05  # seconds left to those who send, after each announcement

Take = Callable[[Connection, int], Measure]
"""What measures an announcement: `hub.reports` knows how, `hub.app` brings them together."""


@dataclass(slots=True)
class Measuring(Companion):
    """Beside the engine, once a minute."""

    name = "measuring"
    ledger: Ledger
    take: Take
    clock: Clock
    _given_up: set[int] = field(default_factory=set, init=False)

    async def work(self) -> None:
        while True:
            try:
                while await self.round() == PAGE:
                    pass
            except Exception:  # in a minute, perhaps
                log.exception("measuring.bug")
            await self.clock.sleep(EVERY)

    async def round(self) -> int:
        """Measure what is due, `PAGE` at most; how many there were."""
        now = self.clock.now()
        due = await self.ledger.read(lambda conn: measures.due(conn, now, PAGE, self._given_up))
        for number, stamp in due:
            try:
                await self._measure(number, stamp)
            except Exception as error:  # one it fails for keeps no other
                if is_everybodys(error):
                    raise  # the disk's fault, not its own: in a minute
                log.exception("measuring.one", announcement=number)
                self._given_up.add(number)
            await self.clock.sleep(_BETWEEN)
        return len(due)

    async def _measure(self, number: int, stamp: str) -> None:
        found = await self.ledger.read(lambda conn: self.take(conn, number))
        now = self.clock.now()
        await self.ledger.transact(lambda conn: measures.keep(conn, found, stamp, now))
