# SPDX-License-Identifier: EUPL-1.2
"""In doubt: the provider is asked what it took before anything is sent again (ENGINE.md 5)."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial
from random import Random
from typing import Final, Protocol

import structlog
from sqlalchemy import Connection

from channels.base import (
    Channel,
    ChannelDown,
    Lane,
    Reason,
    Recipient,
    Sighting,
    Witness,
    always_open,
)
from hub.backoff import delay
from hub.flow.doubt.resolving import Finding, resolve
from hub.flow.doubt.vigil import Vigil
from hub.flow.send.shelf import Shelf
from hub.flow.send.slips import Slips
from hub.flow.send.window import Window
from hub.ledger import announcements, digests, doubts
from hub.ledger.database import LedgerFullError
from hub.ledger.doubts import Doubt
from hub.ledger.leases import LeaseEndedError
from subscribers.addressees import load_addressees
from subscribers.tables import from_ms, to_ms

Guarded = Callable[[Callable[[Connection], bool]], Callable[[Connection], bool]]
log = structlog.get_logger(__name__)

SLOTS: Final = 4
"""Look-ups at a time on one channel; the last is kept free for vital messages."""

OVER_TRIES: Final = 3
"""Listings that may fail before a message that is never sent again ends without an answer."""

_AGAIN: Final = 1.0  # seconds until a result that could not be written is looked for again


class ChannelWitness(Channel, Witness, Protocol):
    """A channel that can be asked."""


class Lookup:
    """Asks one channel about its rows in doubt.

    `guarded` wraps a transaction that only a living lease may do; `changed` is told of each
    resolved row. A listing that fails closes the channel's look-ups for a while, then one probes.
    """

    def __init__(
        self,
        channel: ChannelWitness,
        *,
        shelf: Shelf,
        slips: Slips,
        random: Random,
        guarded: Guarded,
        changed: Callable[[], None],
    ) -> None:
        self.channel, self._shelf, self._slips = channel, shelf, slips
        self._ledger, self._clock, self._random = shelf.ledger, shelf.clock, random
        self._guarded, self._changed = guarded, changed
        self._vigil = Vigil()
        self._ripe: list[Doubt] = []
        self._asking: dict[int, Lane] = {}
        self._windows: dict[int, Window] = {}
        self._failures, self._rests_until = 0, 0.0
        self.tasks: set[asyncio.Task[None]] = set()

    async def sweep(self) -> None:
        """Note what is in doubt, and begin to look up what has waited long enough."""
        waiting = await self._ledger.read(lambda conn: doubts.waiting(conn, self.channel.name))
        now, wall = self._clock.monotonic(), to_ms(self._clock.now())
        ripe = self._vigil.keep(self.channel.name, waiting, now, wall)
        self._ripe = [doubt for doubt in ripe if doubt.row.delivery not in self._asking]
        runs = {doubt.row.run for doubt in waiting}
        self._windows = {of: window for of, window in self._windows.items() if of in runs}
        self._begin()

    def stop(self) -> None:
        """Leave what is under way: nothing is lost by it, the rows stay in doubt."""
        self._ripe = []
        for task in self.tasks:
            task.cancel()

    def _begin(self) -> None:
        while self._ripe and self._may_begin(self._ripe[0].lane):
            doubt = self._ripe.pop(0)
            self._asking[doubt.row.delivery] = doubt.lane
            task = asyncio.create_task(self._look(doubt), name="look-up")
            self.tasks.add(task)
            task.add_done_callback(partial(self._ended, doubt))

    def _may_begin(self, lane: Lane) -> bool:
        if self._clock.monotonic() < self._rests_until:
            return False
        slots = 1 if self._failures else SLOTS if lane is Lane.VITAL else SLOTS - 1
        return len(self._asking) < slots

    def _ended(self, doubt: Doubt, task: "asyncio.Task[None]") -> None:
        self.tasks.discard(task)
        self._asking.pop(doubt.row.delivery, None)
        if task.cancelled():
            return
        if (error := task.exception()) is not None:
            log.error("lookup.bug", channel=self.channel.name, exc_info=error)
            self._vigil.put_off(doubt, self._clock.monotonic() + _AGAIN)
        self._begin()

    # ------------------------------------------------------------------ one row

    async def _look(self, doubt: Doubt) -> None:
        try:
            finding = await self._listed(doubt)
        except ChannelDown as down:
            await self._untold(doubt, down)
        except Exception:  # a text that does not print any more, or a bug: nobody can tell either
            log.exception("lookup.bug", channel=self.channel.name, delivery=doubt.row.delivery)
            await self._untold(doubt, ChannelDown(Reason.INTERNAL))
        else:
            self._failures = 0
            final = self._vigil.is_last_look(self.channel.name, doubt)
            if not await self._write(doubt, finding, final=final):
                self._vigil.absent(self.channel.name, doubt)

    async def _listed(self, doubt: Doubt) -> Finding:
        """What the provider lists of this row's message, in whatever language it left."""
        row = doubt.row
        window = self._windows.get(row.run)
        if window is None:
            window = self._windows[row.run] = await self._shelf.open(row.run)
        found = await self._ledger.read(lambda conn: self._whom(conn, doubt, window))
        if found is None:
            return Finding((), erased=True)
        to, language, erased = found
        slip = self._slips.write(self.channel.name, window, row, always_open, None)
        since, seen = from_ms(doubt.since), list[Sighting]()
        for written in dict.fromkeys([language, *window.texts.announcement.contents]):
            prepared = window.text_for(row, written)
            seen += await self.channel.seen(prepared, to, slip, since)
            if any(not each.failed for each in seen):
                break
        return Finding(seen, erased=erased)

    def _whom(
        self, conn: Connection, doubt: Doubt, window: Window
    ) -> tuple[Recipient, str, bool] | None:
        """Whom it went to, their language, and whether they were erased since; None where no
        address is left. Of a digest also what it carried."""
        point, message = doubt.row.contact_point, doubt.row.delivery
        if window.run.digest:
            items = digests.carried(conn, [message])
            told = (announcements.by_id(conn, item.announcement) for item in items)
            window.carried[message] = tuple(told)
        known = load_addressees(conn, [point], window.lineage, self.channel.name).get(point)
        if known is not None:
            return known.recipient, known.language, False
        kept = doubts.kept(conn, message)
        return None if kept is None else (Recipient(kept[0]), kept[1], True)

    async def _untold(self, doubt: Doubt, down: ChannelDown) -> None:
        """The provider does not tell: later, and in the end a human."""
        now = self._clock.monotonic()
        self._failures += 1
        after = 0.0 if down.after is None else down.after.total_seconds()
        rest = delay(Lane.VITAL, self._failures, self._random.random).total_seconds()
        self._rests_until = now + max(rest, after)
        told = {"reason": down.reason, "code": down.code, "failures": self._failures}
        log.warning("lookup.untold", channel=self.channel.name, **told)
        failures = self._vigil.failed(doubt, now)
        pause = delay(doubt.lane, failures, self._random.random).total_seconds()
        self._vigil.put_off(doubt, now + max(pause, after))
        if self._vigil.is_hopeless(doubt, now):
            await self._write(doubt, None, final=True)
        elif failures >= OVER_TRIES:
            await self._write(doubt, None, final=False)

    async def _write(self, doubt: Doubt, finding: Finding | None, *, final: bool) -> bool:
        """Write what a look-up came to; False where the row waits on."""
        now: datetime = self._clock.now()
        work = partial(resolve, doubt=doubt, finding=finding, final=final, now=now)
        hurry = doubt.lane <= Lane.TRANSACTIONAL
        try:
            done = await self._ledger.transact(self._guarded(work), hurry=hurry)
        except (LedgerFullError, LeaseEndedError):
            self._vigil.put_off(doubt, self._clock.monotonic() + _AGAIN)
            return True
        if done:
            self._vigil.forget(doubt)
            self._changed()
        return done
