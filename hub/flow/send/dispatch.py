# SPDX-License-Identifier: EUPL-1.2
"""One channel's way out: choose a message, take a connection, ask the gate, send.

ENGINE.md 4.3 to 4.5. Lanes are looked at for every message. A slow provider delays nobody else:
each channel has its own connections, its own windows and its own pace.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any, Final

import structlog

from channels.base import Channel, ChannelDown, Clock, Lane, Outcome, PostText, Reason, Retry
from hub.flow.send.budget import Budget
from hub.flow.send.freshness import EVERY, Freshness
from hub.flow.send.gate import Gate
from hub.flow.send.outcomes import Outcomes
from hub.flow.send.pace import Pace
from hub.flow.send.providers import Passage, Providers
from hub.flow.send.shelf import Shelf
from hub.flow.send.slips import Slips
from hub.flow.send.verdicts import Back, Kept, Stale, Verdict, Yield
from hub.flow.send.window import Known, Window
from hub.flow.send.windows import UNREAD, Windows
from hub.ledger.deliveries import Reservation, Settlement
from hub.ledger.runs import Run
from hub.queue.port import WorkQueue

log = structlog.get_logger(__name__)

_ALL: Final = frozenset(Lane)
_URGENT_ONLY: Final = frozenset({Lane.VITAL, Lane.TRANSACTIONAL})
_SHARED: Final = 4  # connections from which on one is kept free for vital messages
_UNTIL_WOKEN: Final = float("inf")
_TROUBLE: Final = 1.0  # seconds of rest after a bug of ours


class Road:
    """Sends everything that leaves on one channel.

    A tenth of the connections is kept for vital messages, so that slow answers to a newsletter
    never stand in an alert's way. `paces` are the channel's providers in order of preference, with
    the messages a second each takes.
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
        paces: Mapping[str, float],
        budget: Budget | None = None,
    ) -> None:
        self.channel = channel
        self.name = channel.name
        self.budget = budget
        self.providers = Providers(channel.name, paces, clock.monotonic())
        self._queue, self._shelf, self._gate = queue, shelf, gate
        self._slips, self._outcomes, self._clock = slips, outcomes, clock
        self._free = connections
        self._kept_free = max(1, connections // 10) if connections >= _SHARED else 0
        self._windows = Windows(shelf, queue, outcomes, clock, self._start, lambda: self.closed_for)
        self._fresh = Freshness(shelf)
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._flying: set[int] = set()
        self._stopping = False
        self._switched_off: Reason | None = None

    # ------------------------------------------------------------------ what others tell it

    def wake(self) -> None:
        """Something may have changed: look again."""
        self._wake.set()

    def news(self, run: Run) -> None:
        """The ledger was read again: a run is new, changed, or may have rows ready."""
        self._windows.news(run)
        self._queue.put(run)
        self.wake()

    def forget(self, run_id: int) -> None:
        """Its run is done."""
        self._windows.forget(run_id)

    def settled(self, settlement: Settlement) -> None:
        """A row of ours was written. One that waits again may be the next to send."""
        run = self._windows.waiting_again(settlement)
        if run is not None:
            self.news(run)

    def switch(self, off: Reason | None) -> None:
        """Somebody closed the road, or (None) opened it: nothing, or everything, leaves again."""
        if off is not None and off is not self._switched_off:
            self._windows.give_all_back(off)
        self._switched_off = off
        self.wake()

    @property
    def held(self) -> set[int]:
        """Every row reserved here whose outcome is not on its way to the ledger yet."""
        return self._flying | {row.delivery for row in self._windows.rows}

    @property
    def pace(self) -> Pace:
        """How fast the provider that carries on a good day is called."""
        return self.providers.first.pace

    @property
    def switched_off(self) -> Reason | None:
        """Why nothing may leave whatever the provider says."""
        return self._switched_off

    @property
    def closed_for(self) -> Reason | None:
        """Why nothing may leave now; None where something may."""
        if self._stopping:
            return Reason.DRAINED
        if self._switched_off is None and self.providers.resting(self._clock.monotonic()):
            return self.providers.first.breaker.reason or Reason.PROVIDER_ERROR
        return self._switched_off

    @property
    def open(self) -> bool:
        """Whether messages may leave, as far as we know."""
        return self.closed_for is None

    # ------------------------------------------------------------------ the loop

    async def work(self) -> None:
        """Send for ever; end when `stop` was asked for."""
        fresh = asyncio.create_task(self._keep_fresh())
        try:
            while not self._stopping:
                self._wake.clear()
                try:
                    wait = self._send_what_may_leave()
                except Exception:  # a bug of ours must not close the road for ever
                    log.exception("dispatch.bug", channel=self.name)
                    wait = _TROUBLE
                await self._sleep(wait)
        finally:
            fresh.cancel()

    async def _keep_fresh(self) -> None:
        """Read again whoever waits for a connection."""
        while True:
            await self._clock.sleep(EVERY)
            try:
                await self._fresh.look()
            except Exception:  # they stay stale, and the gate keeps them
                log.exception("dispatch.fresh", channel=self.name)

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
        if self._free <= 0 or self._switched_off is not None:
            return _UNTIL_WOKEN
        if self._outcomes.full:
            return 1.0  # no reserving while outcomes cannot be written
        return self.providers.wait(now)

    def _next_due(self, now: float) -> float:
        wakes = self._queue.wakes_at(self.name, now)
        return _UNTIL_WOKEN if wakes is None else wakes - now

    def _take(self, run: Run, now: float, small: bool) -> bool:
        """Start the next message of a run; False while its window is being filled."""
        taken = self._windows.take(run)
        if taken is None:
            return False
        window, row = taken
        self._free -= 1
        self._flying.add(row.delivery)
        self._start(self._carry(window, row, self.providers.admit(now), small))
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

    # ------------------------------------------------------------------ one message

    async def _carry(self, window: Window, row: Reservation, passage: Passage, small: bool) -> None:
        settlement: Settlement | None = None
        try:
            settlement = await self._attempt(window, row, passage, small)
        finally:
            self._free += 1
            self._flying.discard(row.delivery)
            self._fresh.left(row.delivery)
            if settlement is not None:
                self._outcomes.put(settlement, window.lane)
            self.wake()

    async def _attempt(
        self, window: Window, row: Reservation, passage: Passage, small: bool
    ) -> Settlement | None:
        """One try, to its settlement; None when the row went back into its window."""
        left = False

        def gate(known: Known) -> None:
            nonlocal left
            if (closed := passage.closed) is not None:
                raise Kept(Back(closed))
            self._gate.ask(window, row, known, small_turn=small)
            left = True
            self._fresh.left(row.delivery)

        try:
            outcome = await self._send(window, row, passage, small, gate)
        except Kept as kept:
            self.providers.stayed(passage)
            return await self._keep(window, row, kept.verdict)
        except ChannelDown as down:
            self.give_back_if(self.providers.down(passage, down, self._clock.monotonic()))
            return window.settler.road_closed(row, down, self._clock.now())
        except Exception:
            # A bug of ours or of a library must not lose the row, nor send it twice unasked:
            # whatever had passed the gate may have left.
            log.exception("dispatch.bug", channel=self.name, delivery=row.delivery)
            outcome = Retry(Reason.INTERNAL, maybe_sent=left)
        self.give_back_if(self.providers.learn(passage, outcome, self._clock.monotonic()))
        provider = passage.provider.name
        return window.settler.outcome(row, outcome, self._clock.now(), provider)

    async def _send(
        self,
        window: Window,
        row: Reservation,
        passage: Passage,
        small: bool,
        gate: Callable[[Known], None],
    ) -> Outcome:
        known = window.people.get(row.contact_point)
        if known is None:
            raise Kept(Stale())
        self._gate.ask(window, row, known, small_turn=small)  # before a connection is
        assert known.addressee is not None  # the gate lets nobody erased pass
        reply_to = await self._shelf.post_before(row)
        by, ask = passage.provider.name, partial(gate, known)
        slip = self._slips.write(self.name, window, row, ask, reply_to, by)
        prepared = window.text_for(row, known.addressee.language)
        self._fresh.watch(window, row, known)
        send = partial(self.channel.send, prepared, known.addressee.recipient, slip)
        text = prepared.rendered.text
        if self.budget is None or not isinstance(text, PostText):
            return await send()
        return await self.budget.carry(row.delivery, text.posts[row.part], send)

    async def _keep(self, window: Window, row: Reservation, verdict: Verdict) -> Settlement | None:
        match verdict:
            case Yield():
                self._windows.put_back(window, row)
                return None
            case Stale():
                return await self._read_again(window, row)
            case _:
                return window.settler.verdict(row, verdict, self._clock.now())

    async def _read_again(self, window: Window, row: Reservation) -> Settlement | None:
        """Back into its window, its people read as they are now; where nobody can be read it waits
        in the ledger, or it would be asked for on and on."""
        try:
            await self._shelf.read_people(window, [row, *window.rows])
        except Exception:
            log.exception("dispatch.people", channel=self.name, run=row.run)
            return window.settler.verdict(row, UNREAD, self._clock.now())
        self._windows.put_back(window, row)
        return None

    def give_back_if(self, tripped: bool) -> None:
        """Everything waits where no provider takes anything any more; nobody's try is spent."""
        closed = self.closed_for
        if tripped and closed is not None:
            self._windows.give_all_back(closed)

    # ------------------------------------------------------------------ the end

    async def stop(self, drain: float) -> None:
        """Stop reserving, let what is under way end, give the rest back undoubted."""
        self._stopping = True
        self.wake()
        self._windows.give_all_back(Reason.DRAINED)
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=drain)
            for task in late:
                task.cancel()  # stays reserved: in doubt at the next start
        self._windows.give_all_back(Reason.DRAINED)  # what a refill or a yield brought meanwhile
