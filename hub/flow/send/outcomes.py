# SPDX-License-Identifier: EUPL-1.2
"""Outcomes on their way to the ledger: none is forgotten, whatever the disk says.

ENGINE.md 4.9.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import structlog
from sqlalchemy.exc import OperationalError

from channels.base import Clock, Lane
from hub.ledger.database import LedgerFullError
from hub.ledger.deliveries import SETTLE, Settlement
from hub.ledger.store import Ledger

log = structlog.get_logger(__name__)

_AGAIN: Final = 1.0  # seconds between two tries at a full or locked disk


@dataclass(slots=True)
class Outcomes:
    """Settles, and tells `settled` of each once it is committed."""

    ledger: Ledger
    clock: Clock
    settled: Callable[[Settlement], None]
    full: bool = False
    _pending: dict[int, Settlement] = field(default_factory=dict)
    _written: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    def put(self, settlement: Settlement, lane: Lane) -> None:
        """Write it with the next group commit; at once for what is vital."""
        self._pending[settlement.row.delivery] = settlement
        self._write(settlement, lane <= Lane.TRANSACTIONAL)

    @property
    def deliveries(self) -> set[int]:
        """Rows whose outcome is known here and not yet there."""
        return set(self._pending)

    def _write(self, settlement: Settlement, hurry: bool) -> None:
        asked = self.ledger.write(SETTLE, settlement, hurry=hurry)
        asked.add_done_callback(partial(self._answered, settlement, hurry))

    def _answered(self, settlement: Settlement, hurry: bool, asked: "asyncio.Future[bool]") -> None:
        match asked.exception():
            case None:
                self.full = False
                self._done(settlement)
                self.settled(settlement)
            case LedgerFullError() | OperationalError() as error:  # no room, or locked by another
                if not self.full:
                    log.error("ledger.refuses", error=type(error).__name__)
                self.full = True
                again = asyncio.create_task(self._write_later(settlement, hurry))
                self._tasks.add(again)
                again.add_done_callback(self._tasks.discard)
            case error:
                # This row alone cannot be written. It stands reserved, in none of our windows:
                # the self-audit puts it in doubt, and in the end before a human.
                self.full = False  # whatever it is, it is not for want of room
                log.error("settle.bug", delivery=settlement.row.delivery, exc_info=error)
                self._done(settlement)

    async def _write_later(self, settlement: Settlement, hurry: bool) -> None:
        await self.clock.sleep(_AGAIN)
        self._write(settlement, hurry)

    def _done(self, settlement: Settlement) -> None:
        del self._pending[settlement.row.delivery]
        self._written.set()

    async def drain(self, seconds: float) -> bool:
        """Wait until everything is written, at most so long. What is not is in doubt at the next
        start. Returns whether all was."""
        try:
            async with asyncio.timeout(seconds):
                while self._pending:
                    self._written.clear()
                    await self._written.wait()
        except TimeoutError:
            for task in self._tasks:
                task.cancel()
        return not self._pending
