# SPDX-License-Identifier: EUPL-1.2
"""The windows of one road: opened at their run's turn, refilled in time, given back undoubted."""

from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from channels.base import Clock, Reason
from hub.delivery import DeliveryState
from hub.flow.send.outcomes import Outcomes
from hub.flow.send.shelf import Shelf
from hub.flow.send.verdicts import Back
from hub.flow.send.window import Window
from hub.ledger.database import LedgerFullError
from hub.ledger.deliveries import Reservation, Settlement
from hub.ledger.runs import Run
from hub.queue.port import WorkQueue

log = structlog.get_logger(__name__)

_TROUBLE: Final = 1.0  # seconds a run rests when its window could not be filled

UNREAD: Final = Back(Reason.INTERNAL, _TROUBLE)
"""Verdict on a row that was reserved while nobody could be read."""


@dataclass(slots=True)
class Windows:
    """`start` begins a task of the road's; `closed` says why nothing should be reserved now."""

    shelf: Shelf
    queue: WorkQueue
    outcomes: Outcomes
    clock: Clock
    start: Callable[[Coroutine[Any, Any, None]], None]
    closed: Callable[[], Reason | None]
    _open: dict[int, Window] = field(default_factory=dict)
    _opening: set[int] = field(default_factory=set)

    @property
    def rows(self) -> Iterator[Reservation]:
        """Every row reserved here and not yet on its way."""
        return (row for window in self._open.values() for row in window.rows)

    def news(self, run: Run) -> None:
        """A run is new, changed, or may have rows ready."""
        window = self._open.get(run.id)
        if window is None:
            return
        window.run = run
        window.news = True
        if run.paused:
            self.give_back(window, Reason.RUN_PAUSED)

    def forget(self, run_id: int) -> None:
        """Its run is done."""
        window = self._open.get(run_id)
        if window is not None and not window.rows and not window.refilling:
            del self._open[run_id]

    def waiting_again(self, settlement: Settlement) -> Run | None:
        """The run of a row of ours that was written as ready: it may be the next to send. So may
        the post after it in a thread, whatever it was written as."""
        window = self._open.get(settlement.row.run)
        if window is None:
            return None
        waits = settlement.state is DeliveryState.READY or window.run.parts > 1
        return window.run if waits else None

    def take(self, run: Run) -> tuple[Window, Reservation] | None:
        """The next row of a run; None while its window is being filled."""
        window = self._open.get(run.id)
        if window is None:
            if run.id not in self._opening:
                self._opening.add(run.id)
                self.start(self._fill(run.id, None))
            return None
        row = window.rows.popleft() if window.rows else None
        if len(window.rows) <= self.shelf.size // 2 and not window.refilling:
            self.start(self._fill(run.id, window))
        return None if row is None else (window, row)

    def put_back(self, window: Window, row: Reservation) -> None:
        """Reserved still, and first to leave: its run, which may have begun to rest, has work."""
        window.rows.appendleft(row)
        self.queue.put(window.run)

    def give_all_back(self, reason: Reason) -> None:
        """Nothing of what is reserved here will leave now."""
        for window in self._open.values():
            self.give_back(window, reason)

    def give_back(self, window: Window, reason: Reason) -> None:
        """What was reserved and never handed over is ready again, undoubted."""
        while window.rows:
            row = window.rows.popleft()
            back = window.settler.verdict(row, Back(reason), self.clock.now())
            self.outcomes.put(back, window.lane)

    def _give_back_unread(self, window: Window) -> None:
        """Who was reserved and could not be read waits a moment, undoubted."""
        unread = [row for row in window.rows if row.contact_point not in window.people]
        for row in unread:
            window.rows.remove(row)
            self.outcomes.put(window.settler.verdict(row, UNREAD, self.clock.now()), window.lane)

    # ------------------------------------------------------------------ filling

    async def _fill(self, run_id: int, window: Window | None) -> None:
        """Refill a window; where nothing is due, let its run rest until something is."""
        try:
            window = window or await self._opened(run_id)
            if not (window.refilling or self.closed()):
                await self._refill(window)
        except LedgerFullError:
            self.queue.rest(run_id, self.clock.monotonic() + _TROUBLE)
        except Exception:  # a run whose window cannot be filled must not stop the others
            log.exception("dispatch.window", channel=self.shelf.channel.name, run=run_id)
            self.queue.rest(run_id, self.clock.monotonic() + _TROUBLE)

    async def _refill(self, window: Window) -> None:
        window.refilling = True
        try:
            window.news = False
            try:
                came = await self.shelf.refill(window)
            except Exception:
                self._give_back_unread(window)
                raise
            closed = Reason.RUN_PAUSED if window.run.paused else self.closed()
            if closed is not None:
                self.give_back(window, closed)
            elif not came and not window.rows:
                until = await self.shelf.rests_until(window.run)
                if not (window.news or window.rows):
                    self.queue.rest(window.run.id, until)
        finally:
            window.refilling = False

    async def _opened(self, run_id: int) -> Window:
        try:
            window = await self.shelf.open(run_id)
        finally:
            self._opening.discard(run_id)
        return self._open.setdefault(run_id, window)
