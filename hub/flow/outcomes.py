# SPDX-License-Identifier: EUPL-1.2
"""Outcomes on their way to the ledger: none is forgotten, whatever the disk says.

ENGINE.md 4.9.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import structlog

from channels.base import Clock, Lane
from hub.ledger.database import LedgerFullError
from hub.ledger.deliveries import SETTLE, Settlement
from hub.ledger.store import Ledger

log = structlog.get_logger(__name__)

_AGAIN: Final = 1.0  # seconds between two tries at a full disk


@dataclass(slots=True)
class Outcomes:
    """Settles, and tells `settled` of each once it is committed."""

    ledger: Ledger
    clock: Clock
    settled: Callable[[Settlement], None]
    full: bool = False
    _pending: dict[int, Settlement] = field(default_factory=dict)
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    def put(self, settlement: Settlement, lane: Lane) -> None:
        """Write it with the next group commit; at once for what is vital."""
        self._pending[settlement.row.delivery] = settlement
        task = asyncio.create_task(self._write(settlement, lane <= Lane.TRANSACTIONAL))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @property
    def deliveries(self) -> set[int]:
        """Rows whose outcome is known here and not yet there."""
        return set(self._pending)

    async def _write(self, settlement: Settlement, hurry: bool) -> None:
        while True:
            try:
                await self.ledger.write(SETTLE, settlement, hurry=hurry)
                break
            except LedgerFullError:
                if not self.full:
                    log.exception("ledger.full")
                self.full = True
                await self.clock.sleep(_AGAIN)
        self.full = False
        self._pending.pop(settlement.row.delivery, None)
        self.settled(settlement)

    async def drain(self) -> None:
        """Wait until everything is written."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=False)
