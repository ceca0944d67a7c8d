# SPDX-License-Identifier: EUPL-1.2
"""One channel's way out: choose a message, take a connection, ask the gate, send.

ENGINE.md 4.3 to 4.5. Lanes are looked at for every message. A slow provider delays nobody else:
each channel has its own connections, its own windows and its own pace.
"""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from functools import partial
from typing import Any, Final

import structlog

from channels.base import Channel, ChannelDown, Clock, Lane, Outcome, Reason, Retry
from hub.delivery import DeliveryState
from hub.flow.closure import Closure
from hub.flow.gate import Gate
from hub.flow.outcomes import Outcomes
from hub.flow.pace import Pace
from hub.flow.shelf import Shelf
from hub.flow.slips import Slips
from hub.flow.verdicts import Back, Kept, Stale, Verdict, Yield
from hub.flow.window import Known, Window
from hub.ledger.database import LedgerFullError
from hub.ledger.deliveries import Reservation, Settlement
from hub.ledger.runs import Run
from hub.queue.port import WorkQueue

log = structlog.get_logger(__name__)

_ALL: Final = frozenset(Lane)
_URGENT_ONLY: Final = frozenset({Lane.VITAL, Lane.TRANSACTIONAL})
_SHARED: Final = 4  # connections from which on one is kept free for vital messages
_UNTIL_WOKEN: Final = float("inf")
_TROUBLE: Final = 1.0  # seconds a run rests when its window could not be filled


class Road:
    """Sends everything that leaves on one channel.

    A tenth of the connections is kept for vital messages, so that slow answers to a newsletter
    never stand in an alert's way.
    """

    def __init__(
        self,
        channel: Channel,
        *,
        queue: WorkQueue,
        shelf: Shelf,
        gate: Gate,
        slips: Slips,
        outcomes: Outcomes,
        clock: Clock,
        connections: int,
        pace: float,
    ) -> None:
        self.channel = channel
        self.name = channel.name
        self.pace = Pace(pace, clock.monotonic())
        self._queue, self._shelf, self._gate = queue, shelf, gate
        self._slips, self._outcomes, self._clock = slips, outcomes, clock
        self._free = connections
        self._kept_free = max(1, connections // 10) if connections >= _SHARED else 0
        self._windows: dict[int, Window] = {}
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._flying: set[int] = set()
        self._opening: set[int] = set()
        self._stopping = False
        self._closure = Closure()

    # ------------------------------------------------------------------ what others tell it

    def wake(self) -> None:
        """Something may have changed: look again."""
        self._wake.set()

    def news(self, run: Run) -> None:
        """The ledger was read again: a run is new, changed, or may have rows ready."""
        window = self._windows.get(run.id)
        if window is not None:
            window.run = run
            window.news = True
            if run.paused:
                self._give_back(window, Reason.RUN_PAUSED)
        self._queue.put(run)
        self.wake()

    def forget(self, run_id: int) -> None:
        """Its run is done."""
        window = self._windows.get(run_id)
        if window is not None and not window.rows and not window.refilling:
            del self._windows[run_id]

    def settled(self, settlement: Settlement) -> None:
        """A row of ours was written. One that waits again may be the next to send."""
        window = self._windows.get(settlement.row.run)
        if window is not None and settlement.state is DeliveryState.READY:
            self.news(window.run)

    @property
    def held(self) -> set[int]:
        """Every row reserved here whose outcome is not on its way to the ledger yet."""
        waiting = (row.delivery for w in self._windows.values() for row in w.rows)
        return self._flying | set(waiting)

    @property
    def open(self) -> bool:
        """Whether the provider takes messages, as far as we know."""
        return not self._closure.closed(self._clock.monotonic())

    @property
    def closed_for(self) -> Reason | None:
        """Why the provider took nothing when it was last asked; None where it did."""
        return self._closure.reason

    # ------------------------------------------------------------------ the loop

    async def work(self) -> None:
        """Send for ever; end when `stop` was asked for."""
        while not self._stopping:
            self._wake.clear()
            await self._sleep(self._send_what_may_leave())

    async def _sleep(self, seconds: float) -> None:
        if seconds == _UNTIL_WOKEN:  # nearly always: no task is made for it
            await self._wake.wait()
            return
        waits = (self._wake.wait(), self._clock.sleep(seconds))
        sleepers = [asyncio.ensure_future(wait) for wait in waits]
        try:
            await asyncio.wait(sleepers, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for sleeper in sleepers:
                sleeper.cancel()

    def _send_what_may_leave(self) -> float:
        """Start as many messages as may leave now. Returns the seconds until more may."""
        while not self._stopping:
            now = self._clock.monotonic()
            wait = self._obstacle(now)
            if wait > 0:
                return wait
            usable = _ALL if self._free > self._kept_free else _URGENT_ONLY
            turn = self._queue.next(self.name, now, usable)
            if turn is None:
                return self._next_due(now)
            run, small = turn
            if not self._take(run, now, small) and not small:
                break
            self._queue.took(run)  # a small turn that finds its window empty is let pass
        return _UNTIL_WOKEN

    def _obstacle(self, now: float) -> float:
        """Seconds for which nothing at all may leave on this road; 0 when something may."""
        if self._closure.closed(now):
            return self._closure.until - now
        if self._outcomes.full:
            return 1.0  # no reserving while outcomes cannot be written
        if self._free <= 0:
            return _UNTIL_WOKEN
        return self.pace.wait(now)

    def _next_due(self, now: float) -> float:
        wakes = self._queue.wakes_at(self.name, now)
        return _UNTIL_WOKEN if wakes is None else wakes - now

    def _take(self, run: Run, now: float, small: bool) -> bool:
        """Start the next message of a run; False while its window is being filled."""
        window = self._windows.get(run.id)
        if window is None:
            if run.id not in self._opening:
                self._opening.add(run.id)
                self._start(self._fill(run.id, None))
            return False
        if not window.rows:
            if not window.refilling:
                self._start(self._fill(run.id, window))
            return False
        row = window.rows.popleft()
        if len(window.rows) <= self._shelf.size // 2 and not window.refilling:
            self._start(self._fill(run.id, window))
        self._free -= 1
        self.pace.spend(now)
        self._flying.add(row.delivery)
        self._start(self._carry(window, row, small))
        return True

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("dispatch.bug", channel=self.name, exc_info=error)
        self.wake()

    async def _fill(self, run_id: int, window: Window | None) -> None:
        """Refill a window; where nothing is due, let its run rest until something is."""
        try:
            window = window or await self._open(run_id)
            if not (window.refilling or self._stopping):
                await self._refill(window)
        except LedgerFullError:
            self._queue.rest(run_id, self._clock.monotonic() + _TROUBLE)
        except Exception:  # a run whose window cannot be filled must not stop the others
            log.exception("dispatch.window", channel=self.name, run=run_id)
            self._queue.rest(run_id, self._clock.monotonic() + _TROUBLE)

    async def _refill(self, window: Window) -> None:
        window.refilling = True
        try:
            window.news = False
            came = await self._shelf.refill(window)
            if window.run.paused:
                self._give_back(window, Reason.RUN_PAUSED)
            elif not self.open:
                self._give_back(window, self.closed_for or Reason.PROVIDER_ERROR)
            elif not came and not window.rows:
                until = await self._shelf.rests_until(window.run)
                if not (window.news or window.rows):
                    self._queue.rest(window.run.id, until)
        finally:
            window.refilling = False

    async def _open(self, run_id: int) -> Window:
        try:
            window = await self._shelf.open(run_id)
        finally:
            self._opening.discard(run_id)
        return self._windows.setdefault(run_id, window)

    # ------------------------------------------------------------------ one message

    async def _carry(self, window: Window, row: Reservation, small: bool) -> None:
        settlement: Settlement | None = None
        try:
            settlement = await self._attempt(window, row, small)
        finally:
            self._free += 1
            self._flying.discard(row.delivery)
            if settlement is not None:
                self._outcomes.put(settlement, window.lane)
            self.wake()

    async def _attempt(self, window: Window, row: Reservation, small: bool) -> Settlement | None:
        """One try, to its settlement; None when the row went back into its window."""
        left = False

        def gate(known: Known) -> None:
            nonlocal left
            self._gate.ask(window, row.subscriber, known, small_turn=small)
            left = True

        try:
            outcome = await self._send(window, row, small, gate)
        except Kept as kept:
            return await self._keep(window, row, kept.verdict)
        except ChannelDown as down:
            return self._close(window, row, down)
        except Exception:
            # A bug of ours or of a library must not lose the row, nor send it twice unasked:
            # whatever had passed the gate may have left.
            log.exception("dispatch.bug", channel=self.name, delivery=row.delivery)
            outcome = Retry(Reason.INTERNAL, maybe_sent=left)
        self._learn(outcome)
        return window.settler.outcome(row, outcome, self._clock.now())

    async def _send(
        self, window: Window, row: Reservation, small: bool, gate: Callable[[Known], None]
    ) -> Outcome:
        known = window.people.get(row.contact_point)
        if known is None:
            raise Kept(Stale())
        self._gate.ask(window, row.subscriber, known, small_turn=small)  # before a connection is
        assert known.addressee is not None  # the gate lets nobody erased pass
        reply_to = await self._shelf.post_before(row)
        slip = self._slips.write(self.name, window, row, partial(gate, known), reply_to)
        prepared = window.texts.of(known.addressee.language)
        return await self.channel.send(prepared, known.addressee.recipient, slip)

    async def _keep(self, window: Window, row: Reservation, verdict: Verdict) -> Settlement | None:
        self.pace.give_back()
        match verdict:
            case Yield():
                self._put_back(window, row)
                return None
            case Stale():
                try:
                    await self._shelf.read_people(window, [row, *window.rows])
                finally:
                    self._put_back(window, row)
                return None
            case _:
                return window.settler.verdict(row, verdict, self._clock.now())

    def _put_back(self, window: Window, row: Reservation) -> None:
        """Reserved still, and first to leave: its run, which may have begun to rest, has work."""
        window.rows.appendleft(row)
        self._queue.put(window.run)

    def _learn(self, outcome: Outcome) -> None:
        """What an answer says of the road: a 429 slows it down, anything taken speeds it up."""
        if isinstance(outcome, Retry):
            if outcome.reason is Reason.RATE_LIMITED:
                after = (outcome.after or timedelta(seconds=1)).total_seconds()
                self.pace.slow_down(self._clock.monotonic(), after)
            return
        self.pace.passed()
        self._closure.passed(self._clock.monotonic())

    def _close(self, window: Window, row: Reservation, down: ChannelDown) -> Settlement:
        """The road is closed: everything waits, nobody's attempt is spent."""
        rest = self._closure.close(down, self._clock.monotonic())
        if rest is not None:
            say = log.error if down.alarm else log.warning
            told = {"reason": down.reason, "code": down.code, "seconds": round(rest)}
            say("channel.closed", channel=self.name, **told)
            self._give_all_back(down.reason)
        return window.settler.road_closed(row, down, self._clock.now())

    # ------------------------------------------------------------------ the end

    async def stop(self, drain: float) -> None:
        """Stop reserving, let what is under way end, give the rest back undoubted."""
        self._stopping = True
        self.wake()
        self._give_all_back(Reason.DRAINED)
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=drain)
            for task in late:
                task.cancel()  # stays reserved: in doubt at the next start
        self._give_all_back(Reason.DRAINED)  # what a refill or a yield brought meanwhile

    def _give_all_back(self, reason: Reason) -> None:
        for window in self._windows.values():
            self._give_back(window, reason)

    def _give_back(self, window: Window, reason: Reason) -> None:
        """What was reserved and never handed over is ready again, undoubted."""
        while window.rows:
            row = window.rows.popleft()
            back = window.settler.verdict(row, Back(reason), self._clock.now())
            self._outcomes.put(back, window.lane)
